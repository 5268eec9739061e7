import fc from 'fast-check'
import { expect, test } from 'vitest'

import { dayMs } from './instant.ts'
import { formatLocalDay, isLocalDate, localDay, weekdayOf } from './localDate.ts'

test('a date is its distance from 1970-01-01', () => {
  expect(localDay('1970-01-01')).toBe(0)
  expect(localDay('2000-03-01')).toBe(11_017)
  expect(localDay('1969-12-31')).toBe(-1)
})

test('every day of the years 0 to 9999 agrees with the calendar of the platform', () => {
  const first = -719_528
  fc.assert(
    fc.property(fc.integer({ min: first, max: 2_932_896 }), (day) => {
      const date = Temporal.Instant.fromEpochMilliseconds(day * dayMs).toZonedDateTimeISO('UTC')
      const text = formatLocalDay(day)
      expect(text).toBe(date.toPlainDate().toString().slice(-10))
      expect(localDay(text)).toBe(day)
      expect(weekdayOf(day)).toBe(date.dayOfWeek % 7)
    }),
    { numRuns: 2_000, examples: [[first], [0], [-1], [11_016], [2_932_896]] },
  )
})

test.each([
  '2026-02-30',
  '2026-13-01',
  '2026-00-10',
  '2025-02-29',
  '2026-1-1',
  '2026-01-01T00:00',
  '',
  '20260101',
  '2026-01-01\0',
])('%j is not a date', (text) => {
  expect(isLocalDate(text)).toBe(false)
  expect(() => localDay(text)).toThrow(RangeError)
})
