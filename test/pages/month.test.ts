/** Months as the pages draw them: whole weeks from the right weekday, and steps that never leave the calendar. */
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { addDays, addMonths, firstWeekdayOf, monthOf, weekdayOf, weeksOf } from '../../web/shared/month.ts'

const months = fc
  .tuple(fc.integer({ min: 2000, max: 2199 }), fc.integer({ min: 1, max: 12 }))
  .map(([year, month]) => `${year}-${String(month).padStart(2, '0')}`)

it('has each day of a month once, in order, under its weekday', () => {
  fc.assert(
    fc.property(months, fc.integer({ min: 0, max: 6 }), (month, firstWeekday) => {
      const weeks = weeksOf(month, firstWeekday)
      const [year = 0, number = 0] = month.split('-').map(Number)
      const days = Array.from({ length: new Date(Date.UTC(year, number, 0)).getUTCDate() }, (_, index) => index + 1)
      expect(weeks.flat().filter((day) => day !== undefined)).toEqual(
        days.map((day) => `${month}-${String(day).padStart(2, '0')}`),
      )
      for (const week of weeks) {
        expect(week).toHaveLength(7)
        expect(week.some((day) => day !== undefined)).toBe(true)
        week.forEach((day, index) => {
          if (day !== undefined) expect(weekdayOf(day)).toBe((firstWeekday + index) % 7)
        })
      }
    }),
  )
})

it('knows where weeks begin in every region, as the runtime does', () => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  const regions = letters.flatMap((a) => letters.map((b) => a + b)).filter((region) => names.of(region) !== undefined)
  expect(regions.length).toBeGreaterThan(240)
  // Two states that are gone, and the code for none, which no browser is set to.
  for (const region of regions.filter((one) => !['RH', 'YD', 'ZZ'].includes(one))) {
    const locale = new Intl.Locale(`und-${region}`) as Intl.Locale & { getWeekInfo(): { firstDay: number } }
    expect(firstWeekdayOf(locale.toString()), region).toBe(locale.getWeekInfo().firstDay % 7)
  }
})

it.each([
  ['en', 0],
  ['ar-u-ca-gregory', 6],
  ['he', 0],
  ['de', 1],
  ['en-GB-u-ca-gregory', 1],
  ['ja', 0],
])('%s begins its weeks on day %i', (locale, day) => expect(firstWeekdayOf(locale)).toBe(day))

it.each([
  ['2027-01-31', 1, '2027-02-28'],
  ['2028-01-31', 1, '2028-02-29'],
  ['2028-02-29', 12, '2029-02-28'],
  ['2027-01-15', -1, '2026-12-15'],
  ['2027-03-31', -1, '2027-02-28'],
  ['2027-11-30', 3, '2028-02-29'],
])('%s and %i months are %s', (day, count, expected) => expect(addMonths(day, count)).toBe(expected))

it('steps over the ends of months and years', () => {
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  expect(addDays('2028-03-01', -1)).toBe('2028-02-29')
  expect(monthOf('2028-02-29')).toBe('2028-02')
})
