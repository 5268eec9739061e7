import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { readChoices } from './choices.ts'

describe('several choices in one text', () => {
  it.each([
    ['a,b', ['a', 'b'], ['a', 'b']],
    ['b, a ', ['a', 'b'], ['b', 'a']],
    ['a', ['b'], undefined],
    ['a,c', ['a', 'b'], undefined],
    ['a,,b', ['a', 'b'], undefined],
    ['Red, green,Blue', ['Red, green', 'Blue'], ['Red, green', 'Blue']],
    ['Blue,Red,green', ['Red, green', 'Blue'], ['Blue', 'Red, green']],
    ['Red', ['Red, green', 'Blue'], undefined],
    // The longer one, unless what follows could not be read then.
    ['a,b', ['a', 'b', 'a,b'], ['a,b']],
    ['a,b,c', ['a', 'a,b', 'b,c'], ['a', 'b,c']],
    ['', ['a'], undefined],
    ['a', [], undefined],
    [' a ', [' a '], [' a ']],
  ])('%j of %j: %j', (text, options, choices) => {
    expect(readChoices(text, options)).toEqual(choices)
  })

  it('are read as they were chosen, where no option can be read as others', () => {
    const option = fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), fc.stringMatching(/^(, ?[a-z]{1,2})?$/))
    fc.assert(
      fc.property(fc.uniqueArray(option, { selector: ([first]) => first, maxLength: 8 }), fc.nat(), (pairs, seed) => {
        // Numbered, so that no part of one is a part of another.
        const options = pairs.map((pair, index) => pair.join('').replaceAll(/[a-z]+/g, (part) => `${part}${index}`))
        const chosen = options.filter((_, index) => (seed >> index) % 2 === 1)
        if (chosen.length > 0) expect(readChoices(chosen.join(','), options)).toEqual(chosen)
      }),
    )
  })

  it('are read in one go, however long the text', () => {
    expect(readChoices('a,'.repeat(5_000), ['a', 'a,a', 'a,a,a'])).toBeUndefined()
  })
})
