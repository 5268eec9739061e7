import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Instant } from '../time/instant.ts'
import { dayMs, instant, minuteMs, plus } from '../time/instant.ts'
import { merge } from '../time/interval.ts'
import type { Grid } from './slots.ts'
import { candidateStarts, runsThatFit } from './slots.ts'

describe('a grid from an instant', () => {
  test('rounds each mark up, on the Unix time line', () => {
    const range = { start: utc('2026-07-01T09:05Z'), end: utc('2026-07-01T10:00Z') }
    expect(shown(candidateStarts(grid({ at: range.start }), [range]))).toEqual(['09:15', '09:30', '09:45'])
  })

  test('has no mark before it begins', () => {
    const range = { start: utc('2026-07-01T08:00Z'), end: utc('2026-07-01T09:31Z') }
    expect(shown(candidateStarts(grid({ at: utc('2026-07-01T09:00Z') }), [range]))).toEqual(['09:00', '09:15', '09:30'])
  })

  test('names a start once when two marks round to it', () => {
    const range = { start: utc('2026-07-01T09:00Z'), end: utc('2026-07-01T10:00Z') }
    const starts = candidateStarts(grid({ at: range.start, intervalMinutes: 10 }), [range])
    expect(shown(starts)).toEqual(['09:00', '09:15', '09:30', '09:45'])
  })
})

describe('a grid on the wall clock', () => {
  test('counts from local midnight, in zones with odd offsets too', () => {
    const starts = onWall('Asia/Kathmandu', 60, 60, '2026-07-01T03:00Z', '2026-07-01T06:00Z')
    expect(shown(starts)).toEqual(['03:15', '04:15', '05:15'])
  })

  test('begins anew at each midnight, so an interval that does not divide the day leaves a shorter step there', () => {
    const starts = onWall('UTC', 100, 5, '2026-07-01T21:00Z', '2026-07-02T02:00Z')
    expect(shown(starts)).toEqual(['21:40', '23:20', '00:00', '01:40'])
  })

  test('a mark that would round past midnight is midnight', () => {
    const starts = onWall('UTC', 5, 50, '2026-07-01T22:00Z', '2026-07-02T01:00Z')
    expect(shown(starts)).toEqual(['22:30', '23:20', '00:00', '00:50'])
  })

  test('an hour that comes twice has its marks twice', () => {
    const starts = onWall('Europe/Berlin', 30, 30, '2026-10-25T00:00Z', '2026-10-25T02:30Z')
    expect(shown(starts)).toEqual(['00:00', '00:30', '01:00', '01:30', '02:00'])
  })

  test('an hour that is skipped has none', () => {
    const starts = onWall('Australia/Lord_Howe', 60, 60, '2026-10-03T14:00Z', '2026-10-03T18:30Z')
    // 00:30, then 01:00 and 03:00 on either side of the half hour that is skipped at 02:00.
    expect(shown(starts)).toEqual(['14:30', '16:00', '17:00', '18:00'])
  })
})

test.each(['instant', 'wallClock'] as const)(
  'a grid from %s asked for parts gives those parts of the whole',
  (kind) => {
    const base = utc('2026-10-25T00:00Z')
    const asked = fc.record({
      at: fc.integer({ min: -200, max: 200 }),
      intervalMinutes: fc.integer({ min: 1, max: 90 }),
      roundToMinutes: fc.integer({ min: 1, max: 60 }),
      parts: fc.array(fc.tuple(fc.integer({ min: 0, max: 1_200 }), fc.integer({ min: 0, max: 300 })), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(asked, ({ at, parts, ...steps }) => {
        const anchor =
          kind === 'instant' ? { kind, at: plus(base, at * minuteMs) } : { kind, timezone: 'Europe/Berlin' }
        const ranges = merge(
          parts.map(([from, length]) => ({
            start: plus(base, from * minuteMs),
            end: plus(base, (from + length) * minuteMs),
          })),
        )
        const whole = candidateStarts({ ...steps, anchor }, [{ start: plus(base, -dayMs), end: plus(base, 2 * dayMs) }])
        expect(candidateStarts({ ...steps, anchor }, ranges)).toEqual(
          whole.filter((start) => ranges.some((range) => start >= range.start && start < range.end)),
        )
      }),
      { numRuns: 1_000 },
    )
  },
)

test('a grid without a step is a mistake of the caller, not an endless list', () => {
  const range = { start: instant(0), end: instant(dayMs) }
  expect(() => candidateStarts(grid({ at: instant(0), intervalMinutes: 0 }), [range])).toThrow(RangeError)
  expect(() => candidateStarts(grid({ at: instant(0), roundToMinutes: Number.NaN }), [range])).toThrow(RangeError)
})

describe('starts that fit', () => {
  test('are those from which the duration lies in one free interval', () => {
    const ticks = fc
      .uniqueArray(fc.integer({ min: 0, max: 60 }))
      .map((list) => list.toSorted((a, b) => a - b).map(instant))
    const free = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 })))
      .map((list) => merge(list.map(([start, length]) => ({ start: instant(start), end: instant(start + length) }))))
    fc.assert(
      fc.property(ticks, free, fc.integer({ min: 1, max: 15 }), (starts, intervals, duration) => {
        const fitting = runsThatFit(starts, intervals, duration).flatMap(({ from, to }) => starts.slice(from, to))
        const expected = starts.filter((at) => intervals.some(({ start, end }) => at >= start && at + duration <= end))
        expect(fitting).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })
})

function grid({ at, ...steps }: { at: Instant } & Partial<Grid>): Grid {
  return { intervalMinutes: 15, roundToMinutes: 15, anchor: { kind: 'instant', at }, ...steps }
}

function onWall(
  timezone: string,
  intervalMinutes: number,
  roundToMinutes: number,
  from: string,
  until: string,
): Instant[] {
  const range = { start: utc(from), end: utc(until) }
  return candidateStarts({ intervalMinutes, roundToMinutes, anchor: { kind: 'wallClock', timezone } }, [range])
}

/** UTC clock readings. */
function shown(starts: readonly Instant[]): string[] {
  return starts.map((start) => Temporal.Instant.fromEpochMilliseconds(start).toString().slice(11, 16))
}

function utc(text: string): Instant {
  return instant(Temporal.Instant.from(text).epochMilliseconds)
}
