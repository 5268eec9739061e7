import { describe, expect, test } from 'vitest'

import type { Instant } from '../time/instant.ts'
import { dayMs, hourMs, instant, minuteMs, plus } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { localDay } from '../time/localDate.ts'
import { localDayAt, startOfLocalDay } from '../time/zone.ts'
import type { AvailabilityParticipant, AvailabilityQuestion, Hours } from './availability.ts'
import { findSlots } from './availability.ts'

const always: Hours = { weekly: [], specific: [], onlySpecific: false }
const ten = utc('2026-07-01T10:00Z')

describe('buffers', () => {
  const nineToEleven = between('2026-07-01T09:00Z', '2026-07-01T11:00Z')

  test.each([
    ['no buffers, event 10:00–10:30', 0, 0, 60, 30, ['09:00', '09:15', '09:30', '10:30']],
    ['before widens the start', 30, 0, 60, 30, ['09:00', '10:30']],
    ['after widens the end', 0, 15, 60, 15, ['09:00', '09:15', '09:30', '10:30']],
    ['both sides of one event', 15, 15, 60, 15, ['09:00', '09:15', '10:30']],
    ['they are added once, not per slot', 15, 0, 60, 15, ['09:00', '09:15', '10:15', '10:30']],
    [
      'an event of no length has no buffer',
      60,
      60,
      60,
      0,
      ['09:00', '09:15', '09:30', '09:45', '10:00', '10:15', '10:30'],
    ],
  ])('pitfall 12: %s', (_, bufferBeforeMinutes, bufferAfterMinutes, from, minutes, expected) => {
    const start = plus(nineToEleven.start, from * minuteMs)
    const busy = [{ start, end: plus(start, minutes * minuteMs) }]
    const asked = question({
      window: nineToEleven,
      participants: [one({ busy })],
      bufferBeforeMinutes,
      bufferAfterMinutes,
    })
    expect(shown(asked)).toEqual(expected)
  })

  test('pitfall 12: with a step of 5 and a buffer of 15 a slot begins the moment the buffer ends', () => {
    const busy = [between('2026-07-01T09:00Z', '2026-07-01T09:40Z')]
    const grid = { ...question({}).grid, intervalMinutes: 5, roundToMinutes: 5 }
    const asked = question({ window: nineToEleven, participants: [one({ busy })], bufferAfterMinutes: 15, grid })
    expect(shown(asked)[0]).toBe('09:55')
  })

  test('pitfall 12: the buffers of two events may overlap each other', () => {
    const busy = [between('2026-07-01T09:00Z', '2026-07-01T09:15Z'), between('2026-07-01T09:45Z', '2026-07-01T10:00Z')]
    const participants = [one({ busy })]
    expect(
      shown(question({ window: nineToEleven, participants, bufferBeforeMinutes: 30, bufferAfterMinutes: 30 })),
    ).toEqual(['10:30'])
  })

  test('pitfall 12: open hours have no buffer at their edges', () => {
    const weekly = [{ days: [3], startMinute: 540, endMinute: 600, timezone: 'UTC', exdates: [] }]
    const participants = [one({ hours: { ...always, weekly } })]
    const asked = question({ window: nineToEleven, participants, bufferBeforeMinutes: 30, bufferAfterMinutes: 30 })
    expect(shown(asked)).toEqual(['09:00', '09:15', '09:30'])
  })

  test('pitfall 11: a booking that ends right before the window reaches in with its buffer', () => {
    const before = one({ busy: [between('2026-07-01T08:00Z', '2026-07-01T09:00Z')] })
    const after = one({ busy: [between('2026-07-01T11:00Z', '2026-07-01T12:00Z')] })
    const buffers = { bufferBeforeMinutes: 30, bufferAfterMinutes: 30 }
    expect(shown(question({ window: nineToEleven, participants: [before], ...buffers }))[0]).toBe('09:30')
    expect(shown(question({ window: nineToEleven, participants: [after], ...buffers })).at(-1)).toBe('10:00')
  })
})

describe('notice and horizon', () => {
  // Clocks in New York go forward at 07:00Z on 8 March 2026: one day of notice is 24 hours, not a date.
  const now = utc('2026-03-07T15:00Z')
  const window = between('2026-03-08T12:00Z', '2026-03-08T18:00Z')
  const onWall: AvailabilityQuestion['grid'] = {
    intervalMinutes: 30,
    roundToMinutes: 15,
    anchor: { kind: 'wallClock', timezone: 'America/New_York' },
  }

  test.each([
    [-1, '15:00'],
    [0, '15:00'],
    [1, '15:30'],
  ])('pitfall 14: %i minute after the boundary, across a clock change, the first slot is %s', (minutes, first) => {
    const earliestStart = plus(now, dayMs + minutes * minuteMs)
    expect(shown(question({ window, grid: onWall, earliestStart }))[0]).toBe(first)
  })

  test('pitfall 14: a slot that was listed an hour ago is refused when its notice has passed', () => {
    const start = utc('2026-03-08T15:00Z')
    const alone = { window: { start, end: plus(start, 30 * minuteMs) }, grid: onWall }
    expect(findSlots(question({ ...alone, earliestStart: start })).slots).toHaveLength(1)
    expect(findSlots(question({ ...alone, earliestStart: plus(start, hourMs) })).slots).toEqual([])
  })

  test('a slot starts before the horizon, and may end behind it', () => {
    const latestStart = utc('2026-03-08T13:00Z')
    expect(shown(question({ window, grid: onWall, latestStart }))).toEqual(['12:00', '12:30'])
  })

  test.each(['Pacific/Pago_Pago', 'America/New_York', 'UTC', 'Asia/Kathmandu', 'Pacific/Kiritimati'])(
    'pitfall 17: in %s the last allowed date is offered up to its own midnight',
    (timezone) => {
      const midnight = startOfLocalDay(timezone, localDay('2026-07-11'))
      const grid: AvailabilityQuestion['grid'] = {
        intervalMinutes: 60,
        roundToMinutes: 60,
        anchor: { kind: 'wallClock', timezone },
      }
      const around = { start: plus(midnight, -dayMs), end: plus(midnight, dayMs) }
      const { slots } = findSlots(question({ window: around, grid, latestStart: midnight }))
      expect(slots).toHaveLength(24)
      expect(slots.at(-1)?.start).toBe(midnight - hourMs)
    },
  )
})

describe('pitfall 20: who looks from another zone', () => {
  test.each([
    ['Pacific/Pago_Pago', 'Pacific/Kiritimati'],
    ['Pacific/Kiritimati', 'Pacific/Pago_Pago'],
  ])('host in %s, guest in %s: the instants are the same, whichever days they are asked by', (host, guest) => {
    const weekly = [{ days: [1, 2, 3, 4, 5], startMinute: 540, endMinute: 1_020, timezone: host, exdates: [] }]
    const ask = (window: Interval) =>
      findSlots(
        question({
          window,
          participants: [one({ hours: { ...always, weekly } })],
          grid: { intervalMinutes: 30, roundToMinutes: 15, anchor: { kind: 'wallClock', timezone: host } },
        }),
      ).slots.map(({ start }) => start)
    const first = startOfLocalDay(guest, localDay('2026-07-01'))
    const whole = ask({ start: first, end: startOfLocalDay(guest, localDay('2026-07-29')) })
    const byGuestDays = Array.from({ length: 28 }, (_, index) => {
      const day = localDayAt(guest, first) + index
      return ask({ start: startOfLocalDay(guest, day), end: startOfLocalDay(guest, day + 1) })
    })
    expect(byGuestDays.flat()).toEqual(whole)
    // 20 working days of 16 slots, cut at the guest's first and last day.
    expect(whole.length).toBeGreaterThan(19 * 15)
  })
})

describe('methods', () => {
  const window = between('2026-07-01T10:00Z', '2026-07-01T11:00Z')
  const busyAllHour = [window]
  const ana = one({ email: 'ana@x.test' })
  const ben = one({ email: 'Ben@x.test' })
  const cy = one({ email: 'cy@x.test' })
  const grid = { ...question({}).grid, intervalMinutes: 30 }

  test('collective wants everyone and has no order', () => {
    const answer = findSlots(question({ window, grid, participants: [ben, ana] }))
    expect(answer.slots.map(({ emails }) => emails)).toEqual([
      ['ana@x.test', 'Ben@x.test'],
      ['ana@x.test', 'Ben@x.test'],
    ])
    expect(answer).not.toHaveProperty('order')
    expect(findSlots(question({ window, participants: [ana, { ...ben, busy: busyAllHour }] })).slots).toEqual([])
  })

  test('max-availability wants one and names all who are free', () => {
    const busy = [between('2026-07-01T10:00Z', '2026-07-01T10:30Z')]
    const participants = [{ ...ben, busy }, ana]
    const order = ['Ben@x.test', 'ana@x.test']
    const answer = findSlots(question({ window, grid, participants, method: 'max-availability', order }))
    expect(answer.slots.map(({ emails }) => emails)).toEqual([['ana@x.test'], ['ana@x.test', 'Ben@x.test']])
    expect(answer.order).toEqual(order)
  })

  test('max-fairness asks the lower half only where the upper half has no slot at all', () => {
    const order = ['cy@x.test', 'ana@x.test', 'Ben@x.test']
    const fair = question({
      window,
      grid,
      method: 'max-fairness',
      order,
      participants: [ana, ben, { ...cy, busy: busyAllHour }],
    })
    expect(findSlots(fair).slots.map(({ emails }) => emails)).toEqual([['ana@x.test'], ['ana@x.test']])
    expect(findSlots(fair).order).toEqual(['cy@x.test', 'ana@x.test'])

    const participants = [{ ...ana, busy: busyAllHour }, ben, { ...cy, busy: busyAllHour }]
    expect(findSlots({ ...fair, participants }).slots.map(({ emails }) => emails)).toEqual([
      ['Ben@x.test'],
      ['Ben@x.test'],
    ])
    expect(findSlots({ ...fair, participants }).order).toEqual(order)
  })

  test('with one participant all methods give the same slots, and round robin an order', () => {
    const answers = (['collective', 'max-fairness', 'max-availability'] as const).map((method) =>
      findSlots(question({ window, grid, method, participants: [ana] })),
    )
    expect(answers.map(({ slots }) => slots)).toEqual(Array(3).fill(answers[0]?.slots))
    expect(answers.map(({ order }) => order)).toEqual([undefined, ['ana@x.test'], ['ana@x.test']])
  })

  test('nobody offers nothing', () => {
    for (const method of ['collective', 'max-fairness', 'max-availability'] as const) {
      expect(findSlots(question({ window, method, participants: [] })).slots).toEqual([])
    }
  })
})

test('a slot without a duration is a mistake of the caller', () => {
  expect(() => findSlots(question({ durationMinutes: 0 }))).toThrow(RangeError)
})

test('pitfall 21: a zone that nobody checked fails loudly, and never as free time', () => {
  const weekly = [{ days: [3], startMinute: 540, endMinute: 600, timezone: 'Mars/Base', exdates: [] }]
  expect(() => findSlots(question({ participants: [one({ hours: { ...always, weekly } })] }))).toThrow(RangeError)
})

/** Half an hour, every quarter, collective, one participant who is always free. */
function question(some: Partial<AvailabilityQuestion>): AvailabilityQuestion {
  return {
    window: { start: ten, end: plus(ten, 2 * hourMs) },
    durationMinutes: 30,
    grid: { intervalMinutes: 15, roundToMinutes: 15, anchor: { kind: 'instant', at: instant(0) } },
    method: 'collective',
    participants: [one({})],
    bufferBeforeMinutes: 0,
    bufferAfterMinutes: 0,
    ...some,
  }
}

function one(some: Partial<AvailabilityParticipant>): AvailabilityParticipant {
  return { email: 'ana@x.test', hours: always, busy: [], ...some }
}

/** The starts of the slots, as UTC clock readings. */
function shown(asked: AvailabilityQuestion): string[] {
  return findSlots(asked).slots.map(({ start }) =>
    Temporal.Instant.fromEpochMilliseconds(start).toString().slice(11, 16),
  )
}

function between(start: string, end: string): Interval {
  return { start: utc(start), end: utc(end) }
}

function utc(text: string): Instant {
  return instant(Temporal.Instant.from(text).epochMilliseconds)
}
