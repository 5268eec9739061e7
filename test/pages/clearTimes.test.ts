/** Times as the pages write them: in a list each once, for its words are what a button is known by; of a booking from when to when. */
import { expect, it } from 'vitest'

import { fill, formatClearTimes, formatTimes } from '../../web/shared/format.ts'

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

it.each([
  ['Australia/Lord_Howe', '2027-04-03T14:30Z', 30, '01:30 (GMT+11) – 01:30 (GMT+10:30)'],
  ['Europe/Berlin', '2027-10-31T00:30Z', 60, '02:30 (GMT+2) – 02:30 (GMT+1)'],
  ['Europe/Berlin', '2027-10-31T00:30Z', 30, '02:30 (GMT+2) – 02:00 (GMT+1)'],
  ['Europe/Berlin', '2027-10-30T21:30Z', 240, 'Sat 30 Oct, 23:30 (GMT+2) – Sun 31 Oct, 2:30 (GMT+1)'],
  ['Europe/Berlin', '2027-10-31T02:00Z', 30, '03:00–03:30'],
  ['Europe/Berlin', '2027-06-30T21:30Z', 60, '30/06/2027, 23:30 – 01/07/2027, 00:30'],
])('in %s a booking from %s has an end after %i minutes: %s', (timezone, from, minutes, text) => {
  const [start = 0] = halfHours(from, 1)
  const written = formatTimes(start, start + minutes * 60, 'en-GB', timezone)
  expect(written.replaceAll(/\p{Zs}/gu, ' ')).toBe(text)
})

it('ends a sentence once, also after an abbreviation', () => {
  expect(fill('In weniger als {notice}. Bitte {who}.', { notice: '30 Tg.', who: 'Ada' })).toBe(
    'In weniger als 30 Tg. Bitte Ada.',
  )
  expect(fill('{a} {unknown}.', { a: '1.' })).toBe('1. {unknown}.')
})
