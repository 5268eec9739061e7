/** Times of one day as the list writes them: each once, for its words are what a button is known by. */
import { expect, it } from 'vitest'

import { formatClearTimes } from '../../web/shared/format.ts'

const halfHours = (from: string, count: number) =>
  Array.from({ length: count }, (_, index) => Date.parse(from) / 1_000 + index * 1_800)

it.each([
  // An hour back, half of one, and two.
  ['Europe/Berlin', '2027-10-30T23:00Z', ['02:00 (GMT+2)', '02:30 (GMT+2)', '02:00 (GMT+1)', '02:30 (GMT+1)']],
  ['Australia/Lord_Howe', '2027-04-03T14:00Z', ['01:30 (GMT+11)', '01:30 (GMT+10:30)']],
  [
    'Antarctica/Troll',
    '2027-10-30T22:00Z',
    ['01:00 (GMT+2)', '01:30 (GMT+2)', '02:00 (GMT+2)', '02:30 (GMT+2)'].flatMap((text) => [
      text,
      text.replace('GMT+2', 'GMT+0'),
    ]),
  ],
])('in %s the night when clocks go back has no time twice', (timezone, from, twice) => {
  const texts = formatClearTimes(halfHours(from, 12), 'en-GB', timezone)
  expect(new Set(texts).size).toBe(texts.length)
  expect(texts.filter((text) => text.includes('(')).toSorted()).toEqual(twice.toSorted())
})

it('says the offset of a reading that comes twice although only one of the two is free', () => {
  const [only = 0] = halfHours('2027-10-31T01:00Z', 1)
  expect(formatClearTimes([only], 'en-GB', 'Antarctica/Troll')).toEqual(['01:00 (GMT+0)'])
})
