/** Names of people and of days, as they stand on the pages in each language. */
import { expect, it } from 'vitest'

import { languages } from '../../web/booking/languages/languages.ts'
import { formatList, formatShortWeekday } from '../../web/shared/format.ts'

it('lists people so that a name from right to left pulls no other one around', () => {
  expect(formatList(['Ada', 'Bob'], 'en')).toBe('Ada and Bob')
  expect(formatList(['محمد'], 'ar')).toBe('محمد')
  expect(formatList(['Ada', 'محمد', 'Bob'], 'en')).toBe('\u2068Ada\u2069, \u2068محمد\u2069, and \u2068Bob\u2069')
  expect(formatList(['Ada', 'Bob'], 'ar')).toBe('\u2068Ada\u2069 و\u2068Bob\u2069')
})

it.each(Object.keys(languages))('names the days of the week in %s by what a seventh of a phone holds', (language) => {
  const sunday = Date.parse('2027-02-07T12:00:00Z') / 1_000
  const names = [0, 1, 2, 3, 4, 5, 6].map((day) => formatShortWeekday(sunday + day * 86_400, language))
  expect(new Set(names).size).toBe(7)
  expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(4)
})
