import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { dayMs, hourMs, type Instant, instant, minuteMs } from './instant.ts'
import { localDay } from './localDate.ts'
import {
  instantOfLocalTime,
  instantOfWallClock,
  isTimezone,
  localDayAt,
  nextLocalMidnight,
  offsetSegments,
  startOfLocalDay,
  wallClockAt,
} from './zone.ts'

const timezones = [
  'America/New_York',
  'Europe/Berlin',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'America/Santiago',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Pacific/Apia',
  'America/Havana',
  'UTC',
]
const moments = fc.integer({ min: utc('1970-01-01T00:00Z') / minuteMs, max: utc('2060-01-01T00:00Z') / minuteMs })

describe('names', () => {
  test.each([
    'Asia/Calcutta',
    'Asia/Kolkata',
    'Europe/Kiev',
    'Europe/Kyiv',
    'US/Pacific',
    'Etc/UTC',
    'UTC',
    'GMT',
    'Etc/GMT+5',
    'America/Argentina/Buenos_Aires',
    'america/new_york',
  ])('pitfall 21: %s is a time zone, aliases included', (name) => {
    expect(isTimezone(name)).toBe(true)
    expect(localDayAt(name, utc('2026-07-01T12:00Z'))).toBe(localDay('2026-07-01'))
  })

  test.each([
    'Mars/Base',
    '',
    ' ',
    '+02:00',
    '-0500',
    'UTC+2',
    'Z',
    'UTC\0',
    'Europe/Berlin\n',
    '2020-01-01[UTC]',
    '2020-01-01T00:00Z',
    '__proto__',
    'constructor',
    'Eastern Standard Time',
    '../../etc/passwd',
  ])('pitfall 21: %j is refused', (name) => {
    expect(isTimezone(name)).toBe(false)
  })

  test('pitfall 21: a name of any length is refused', () => {
    expect(isTimezone('a'.repeat(100_000))).toBe(false)
  })

  test('pitfall 21: no string at all crashes the check, and what it accepts can be computed with', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...timezones)), (name) => {
        if (isTimezone(name)) expect(wallClockAt(name, instant(0))).toBeTypeOf('number')
      }),
    )
  })
})

describe.each(timezones)('%s', (timezone) => {
  test('the wall shows what the platform formats', () => {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    })
    fc.assert(
      fc.property(moments, (minute) => {
        const part = Object.fromEntries(format.formatToParts(minute * minuteMs).map(({ type, value }) => [type, value]))
        const shown = Temporal.PlainDateTime.from(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`)
        const wall = wallClockAt(timezone, instant(minute * minuteMs))
        // Until 1972 Monrovia and others kept seconds; none of these zones does after 1970.
        expect(wall).toBe(shown.toZonedDateTime('UTC').epochMilliseconds)
      }),
      { numRuns: 300 },
    )
  })

  test('a reading becomes the instant that "compatible" names, also in gaps and repeats', () => {
    const nearChanges = fc.tuple(moments, fc.integer({ min: -180, max: 180 })).map(([minute, shift]) => {
      const from = Temporal.Instant.fromEpochMilliseconds(minute * minuteMs).toZonedDateTimeISO(timezone)
      const change = from.getTimeZoneTransition('next') ?? from
      return change.toPlainDateTime().add({ minutes: shift })
    })
    fc.assert(
      fc.property(nearChanges, (reading) => {
        const wall = reading.toZonedDateTime('UTC').epochMilliseconds
        const expected = reading.toZonedDateTime(timezone, { disambiguation: 'compatible' }).epochMilliseconds
        expect(instantOfWallClock(timezone, wall)).toBe(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('a local date begins at its first instant', () => {
    fc.assert(
      fc.property(moments, (minute) => {
        const day = localDayAt(timezone, instant(minute * minuteMs))
        const date = Temporal.Instant.fromEpochMilliseconds(day * dayMs)
          .toZonedDateTimeISO('UTC')
          .toPlainDate()
        expect(startOfLocalDay(timezone, day)).toBe(date.toZonedDateTime(timezone).startOfDay().epochMilliseconds)
      }),
      { numRuns: 300 },
    )
  })

  test('segments cover their window without gaps, each with the one offset that holds in it', () => {
    const windows = fc.tuple(moments, fc.integer({ min: 1, max: 6 * 365 }))
    fc.assert(
      fc.property(windows, ([minute, days]) => {
        const window = { start: instant(minute * minuteMs), end: instant(minute * minuteMs + days * dayMs) }
        const segments = offsetSegments(timezone, window)
        expect(segments[0]?.start).toBe(window.start)
        expect(segments.at(-1)?.end).toBe(window.end)
        for (const [index, segment] of segments.entries()) {
          const next = segments[index + 1]
          if (next !== undefined) expect([next.start, next.offsetMs === segment.offsetMs]).toEqual([segment.end, false])
          for (const at of [segment.start, instant(segment.end - 1)]) {
            expect(wallClockAt(timezone, at) - at).toBe(segment.offsetMs)
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('clock changes by name', () => {
  test('a reading that is skipped moves forward by the gap', () => {
    expect(instantOfLocalTime('America/New_York', localDay('2026-03-08'), 150)).toBe(utc('2026-03-08T03:30-04:00'))
  })

  test('a reading that comes twice means the first time', () => {
    expect(instantOfLocalTime('America/New_York', localDay('2026-11-01'), 90)).toBe(utc('2026-11-01T01:30-04:00'))
  })

  test('minute 1440 is the midnight that ends the day', () => {
    expect(instantOfLocalTime('Asia/Kathmandu', localDay('2026-07-01'), 1_440)).toBe(utc('2026-07-02T00:00+05:45'))
  })

  test('pitfall 18: a day whose midnight is skipped begins when the gap ends, and has 23 hours', () => {
    const day = localDay('2026-09-06')
    expect(startOfLocalDay('America/Santiago', day)).toBe(utc('2026-09-06T01:00-03:00'))
    expect(startOfLocalDay('America/Santiago', day + 1) - startOfLocalDay('America/Santiago', day)).toBe(23 * hourMs)
  })

  test('pitfall 18: an all-day interval on the day the clock goes back has 25 hours', () => {
    const day = localDay('2026-10-25')
    expect(startOfLocalDay('Europe/Berlin', day + 1) - startOfLocalDay('Europe/Berlin', day)).toBe(25 * hourMs)
  })

  test('a date that the zone left out has no length', () => {
    const day = localDay('2011-12-30')
    expect(startOfLocalDay('Pacific/Apia', day)).toBe(startOfLocalDay('Pacific/Apia', day + 1))
  })

  test('the next midnight is that of the local date', () => {
    expect(nextLocalMidnight('Pacific/Kiritimati', utc('2026-07-01T09:59Z'))).toBe(utc('2026-07-01T10:00Z'))
    expect(nextLocalMidnight('Pacific/Kiritimati', utc('2026-07-01T10:00Z'))).toBe(utc('2026-07-02T10:00Z'))
  })
})

test('what is remembered of zones is forgotten when it grows, and the answers stay the same', () => {
  const at = utc('2026-07-01T12:00Z')
  const before = wallClockAt('Europe/Berlin', at)
  for (let year = -1_000; year < 1_100; year += 1) wallClockAt('Europe/Berlin', instant(at + year * 4 * 365 * dayMs))
  expect(wallClockAt('Europe/Berlin', at)).toBe(before)
})

function utc(text: string): Instant {
  return instant(Temporal.Instant.from(text).epochMilliseconds)
}
