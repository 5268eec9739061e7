/** Whatever colour an organizer chooses, it can be read. */
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { accentOn, contrast, readColour } from '../../web/shared/colour.ts'

const part = fc.integer({ min: 0, max: 255 })
const papers = [[255, 255, 255] as const, [23, 25, 30] as const]

it('text on it and in it keeps its contrast, on light paper and on dark', () => {
  fc.assert(
    fc.property(part, part, part, fc.constantFrom(...papers), (red, green, blue, paper) => {
      const { fill, onFill, edge, text } = accentOn([red, green, blue], paper)
      expect(ratio(fill, onFill)).toBeGreaterThanOrEqual(4.5)
      expect(contrast(read(text), paper)).toBeGreaterThanOrEqual(4.5)
      expect(contrast(read(edge), paper)).toBeGreaterThanOrEqual(3)
    }),
  )
})

it('a colour that can be read as it is stays as it is', () => {
  expect(accentOn([255, 212, 0], [255, 255, 255])).toMatchObject({ fill: '#ffd400', onFill: '#000000' })
  expect(accentOn([29, 78, 216], [255, 255, 255])).toMatchObject({ fill: '#1d4ed8', onFill: '#ffffff' })
})

it('nothing but a colour is taken for one', () => {
  expect(readColour('#1a6')).toEqual([17, 170, 102])
  expect(readColour(' 11AA66 ')).toEqual([17, 170, 102])
  for (const text of ['', 'red', '#12', '#12345', 'url(x)', '#1a6;background:url(//evil.example)'])
    expect(readColour(text), text).toBeUndefined()
})

function read(text: string) {
  const colour = readColour(text)
  if (colour === undefined) throw new Error(text)
  return colour
}

function ratio(a: string, b: string): number {
  return contrast(read(a), read(b))
}
