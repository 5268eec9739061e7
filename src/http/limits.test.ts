import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { findExcess } from './limits.ts'

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

describe('what no request may exceed', () => {
  it.each([
    ['a text of 10 KB', 'x'.repeat(10_240), undefined],
    ['a longer text', 'x'.repeat(10_241), 'longer than'],
    ['500 items', Array(500).fill(1), undefined],
    ['501 items', Array(501).fill(1), 'more than 500'],
    ['32 levels', nested(31), undefined],
    ['33 levels', nested(32), 'nested deeper'],
    ['U+0000', 'a\0b', 'U+0000'],
    ['half a surrogate pair', 'a\ud800', 'surrogate'],
    ['a whole surrogate pair', 'a\u{1f600}', undefined],
    ['a long name', { ['x'.repeat(256)]: 1 }, 'name'],
    ['a name with U+0000', { 'a\0': 1 }, 'name'],
  ])('%s', (_, value, message) => {
    const problem = findExcess({ guest: value }, '')
    if (message === undefined) expect(problem).toBeUndefined()
    else expect(problem?.message).toContain(message)
  })

  it('names the place', () => {
    expect(findExcess({ guest: [{ name: 'a\0' }] }, '')?.field).toBe('guest[0].name')
    expect(findExcess({ slug: '\ud800' }, 'query')?.field).toBe('query.slug')
    expect(findExcess('\ud800', '')?.field).toBe('body')
    expect(findExcess(Array(501).fill(1), '')?.field).toBe('body')
  })

  it('takes any JSON of ordinary size', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: true }), (value) => findExcess(value, '') === undefined),
    )
  })
})
