import { describe, expect, test } from 'vitest'

import type { Instant } from '../time/instant.ts'
import { hourMs, instant } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import type { Hours, OpenHours } from './openHours.ts'
import { openIntervals } from './openHours.ts'

const week = between('2026-07-01T00:00Z', '2026-07-08T00:00Z')

describe('weekly hours', () => {
  test('without any hours all the time is open', () => {
    expect(openIntervals(hours({}), week)).toEqual([week])
  })

  test('blocks that touch or overlap are one opening', () => {
    const weekly = [block({ startMinute: 540, endMinute: 630 }), block({ startMinute: 630, endMinute: 720 })]
    expect(openIntervals(hours({ weekly }), week)).toEqual([between('2026-07-01T09:00Z', '2026-07-01T12:00Z')])
  })

  test('the weekday is that of the block’s zone', () => {
    const weekly = [block({ days: [1], timezone: 'Asia/Tokyo', startMinute: 480, endMinute: 540 })]
    expect(openIntervals(hours({ weekly }), week)).toEqual([between('2026-07-05T23:00Z', '2026-07-06T00:00Z')])
  })

  test('an exdate closes its own block on that date, and no other', () => {
    const weekly = [block({ exdates: ['2026-07-01'] }), block({ startMinute: 1_080, endMinute: 1_140 })]
    expect(openIntervals(hours({ weekly }), week)).toEqual([between('2026-07-01T18:00Z', '2026-07-01T19:00Z')])
  })

  test('a block that does not end after its start is empty', () => {
    const weekly = [block({ startMinute: 600, endMinute: 600 }), block({ startMinute: 700, endMinute: 600 })]
    expect(openIntervals(hours({ weekly }), week)).toEqual([])
  })

  test('23:59 is taken literally and bridges no midnight, 24:00 does', () => {
    const allWeek = [0, 1, 2, 3, 4, 5, 6]
    const window = between('2026-07-01T12:00Z', '2026-07-02T12:00Z')
    const literal = hours({ weekly: [block({ days: allWeek, startMinute: 0, endMinute: 1_439 })] })
    const whole = hours({ weekly: [block({ days: allWeek, startMinute: 0, endMinute: 1_440 })] })
    expect(openIntervals(literal, window)).toHaveLength(2)
    expect(openIntervals(whole, window)).toEqual([window])
  })

  test('a day that the window cuts is open up to the cut', () => {
    const window = between('2026-07-01T10:00Z', '2026-07-01T10:30Z')
    expect(openIntervals(hours({ weekly: [block({})] }), window)).toEqual([window])
  })
})

describe('specific times', () => {
  const specific = [{ date: '2026-07-01', startMinute: 840, endMinute: 900, timezone: 'UTC' }]
  const closed = [{ date: '2026-07-01', startMinute: 0, endMinute: 0, timezone: 'UTC' }]
  const afternoon = between('2026-07-01T14:00Z', '2026-07-01T15:00Z')

  test('replace the weekly hours of their date', () => {
    expect(openIntervals(hours({ weekly: [block({})], specific }), week)).toEqual([afternoon])
    expect(openIntervals(hours({ weekly: [block({})], specific: closed }), week)).toEqual([])
  })

  test('without weekly hours leave every other date open', () => {
    const rest = between('2026-07-02T00:00Z', '2026-07-08T00:00Z')
    expect(openIntervals(hours({ specific }), week)).toEqual([afternoon, rest])
    expect(openIntervals(hours({ specific: closed }), week)).toEqual([rest])
  })

  test('are all there is with onlySpecific, and without entries that is never', () => {
    expect(openIntervals(hours({ weekly: [block({})], specific, onlySpecific: true }), week)).toEqual([afternoon])
    expect(openIntervals(hours({ weekly: [block({})], onlySpecific: true }), week)).toEqual([])
    expect(openIntervals(hours({ onlySpecific: true }), week)).toEqual([])
  })

  test('several on one date are united', () => {
    const two = [...specific, { date: '2026-07-01', startMinute: 960, endMinute: 1_020, timezone: 'UTC' }]
    expect(openIntervals(hours({ weekly: [block({})], specific: two }), week)).toEqual([
      afternoon,
      between('2026-07-01T16:00Z', '2026-07-01T17:00Z'),
    ])
  })
})

describe('clock changes', () => {
  test.each([
    ['America/New_York', '2026-03-08', 540, 1_020, 8],
    ['America/New_York', '2026-03-08', 60, 240, 2],
    ['America/New_York', '2026-11-01', 0, 180, 4],
    ['America/New_York', '2026-11-01', 780, 1_080, 5],
    ['Europe/Berlin', '2026-03-29', 90, 210, 1],
    ['Europe/Berlin', '2026-10-25', 90, 210, 3],
    ['Australia/Lord_Howe', '2026-04-05', 0, 150, 3],
    ['Australia/Lord_Howe', '2026-10-04', 0, 150, 2],
    ['America/Santiago', '2026-09-06', 0, 150, 1.5],
    ['America/Sao_Paulo', '2026-10-18', 0, 150, 2.5],
    ['Asia/Kathmandu', '2026-03-29', 90, 210, 2],
    ['Pacific/Kiritimati', '2026-03-29', 540, 1_020, 8],
    ['Pacific/Pago_Pago', '2026-03-29', 540, 1_020, 8],
  ])(
    'pitfall 13: %s on %s, minutes %i to %i, holds %f real hours',
    (timezone, date, startMinute, endMinute, realHours) => {
      const midday = instant(Temporal.PlainDate.from(date).toZonedDateTime(timezone).startOfDay().epochMilliseconds)
      const window = { start: instant(midday - 12 * hourMs), end: instant(midday + 36 * hourMs) }
      const days = [Temporal.PlainDate.from(date).dayOfWeek % 7]
      const open = openIntervals(hours({ weekly: [block({ timezone, days, startMinute, endMinute })] }), window)
      expect(open.map(({ start, end }) => (end - start) / hourMs)).toEqual([realHours])
    },
  )

  test('pitfall 13: a date that the zone leaves out has no hours, and lends none to its neighbour', () => {
    const friday = block({ timezone: 'Pacific/Apia', days: [5] })
    const around = between('2011-12-28T00:00Z', '2012-01-02T00:00Z')
    expect(openIntervals(hours({ weekly: [friday] }), around)).toEqual([])
  })

  test('an empty block stays empty where the gap would move its end behind its start', () => {
    const empty = block({ timezone: 'America/New_York', days: [0], startMinute: 195, endMinute: 165 })
    expect(openIntervals(hours({ weekly: [empty] }), between('2026-03-08T00:00Z', '2026-03-09T00:00Z'))).toEqual([])
  })

  test('a start inside the gap can push a short block out of the day', () => {
    const inGap = block({ timezone: 'America/New_York', days: [0], startMinute: 150, endMinute: 185 })
    expect(openIntervals(hours({ weekly: [inGap] }), between('2026-03-08T00:00Z', '2026-03-09T00:00Z'))).toEqual([])
  })
})

function hours(some: Partial<Hours>): Hours {
  return { weekly: [], specific: [], onlySpecific: false, ...some }
}

/** Wednesdays, 9 to 11 UTC. */
function block(some: Partial<OpenHours>): OpenHours {
  return { days: [3], startMinute: 540, endMinute: 660, timezone: 'UTC', exdates: [], ...some }
}

function between(start: string, end: string): Interval {
  return { start: utc(start), end: utc(end) }
}

function utc(text: string): Instant {
  return instant(Temporal.Instant.from(text).epochMilliseconds)
}
