// Properties of the engine, and a slow reference that works minute by minute with `Temporal` and shares nothing with it.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Instant } from '../time/instant.ts'
import { dayMs, instant, minuteMs, plus } from '../time/instant.ts'
import type { AvailabilityParticipant, AvailabilityQuestion, Hours, Slot } from './availability.ts'
import { findSlots } from './availability.ts'
import { staysTrueUntil } from './staysTrueUntil.ts'

/** Each zone with days around which its clocks change, or might have. */
const changes: Record<string, readonly string[]> = {
  'America/New_York': ['2026-03-08', '2026-11-01'],
  'Europe/Berlin': ['2026-03-29', '2026-10-25'],
  'America/Sao_Paulo': ['2026-10-18', '2018-11-04', '2019-02-17'],
  'Australia/Lord_Howe': ['2026-04-05', '2026-10-04'],
  'Africa/Casablanca': ['2026-02-15', '2026-03-22'],
  'America/Santiago': ['2026-04-05', '2026-09-06'],
  'Asia/Kathmandu': ['2026-03-29'],
  'Pacific/Kiritimati': ['2026-03-29'],
  'Pacific/Pago_Pago': ['2026-03-29'],
  'Pacific/Apia': ['2011-12-30'],
}
const timezones = Object.keys(changes)
const anyZone = fc.constantFrom(...timezones)
const dayHours = fc.constantFrom(
  [540, 1_020],
  [780, 1_080],
  [0, 150],
  [90, 210],
  [0, 1_440],
  [1_320, 1_439],
  [600, 600],
)
const places = fc.constantFrom(...Object.entries(changes).flatMap(([zone, days]) => days.map((day) => ({ zone, day }))))

/** Questions of up to two days, within two days of a clock change of the zone that most of the hours follow. */
const questions = places.chain(({ zone, day }) => {
  const middle = Temporal.PlainDate.from(day).toZonedDateTime('UTC').epochMilliseconds
  const minutesAround = fc.integer({ min: -2 * 1_440, max: 2 * 1_440 })
  const moment = minutesAround.map((minutes) => instant(middle + minutes * minuteMs))
  const zones = fc.oneof({ weight: 4, arbitrary: fc.constant(zone) }, anyZone)
  const dates = fc.integer({ min: -2, max: 2 }).map((days) => Temporal.PlainDate.from(day).add({ days }).toString())
  const block = fc
    .record({
      days: fc.oneof({ weight: 3, arbitrary: fc.constant([0, 1, 2, 3, 4, 5, 6]) }, fc.subarray([0, 1, 2, 3, 4, 5, 6])),
      time: dayHours,
      timezone: zones,
      exdates: fc.array(dates, { maxLength: 1 }),
    })
    .map(({ time: [startMinute = 0, endMinute = 0], ...rest }) => ({ ...rest, startMinute, endMinute }))
  const entry = fc
    .record({ date: dates, time: fc.oneof(dayHours, fc.constant([0, 0])), timezone: zones })
    .map(({ time: [startMinute = 0, endMinute = 0], ...rest }) => ({ ...rest, startMinute, endMinute }))
  const hours: fc.Arbitrary<Hours> = fc.record({
    weekly: fc.array(block, { maxLength: 2 }),
    specific: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(entry, { maxLength: 2 })),
    onlySpecific: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  })
  const busy = fc.array(
    fc
      .tuple(moment, fc.constantFrom(0, 5, 30, 45, 60, 240))
      .map(([start, minutes]) => ({ start, end: plus(start, minutes * minuteMs) })),
    { maxLength: 6 },
  )
  return fc
    .record({
      start: moment,
      windowMinutes: fc.integer({ min: 0, max: 1_800 }),
      durationMinutes: fc.constantFrom(15, 30, 45, 60, 90),
      intervalMinutes: fc.constantFrom(5, 10, 15, 30, 45, 60, 25, 100),
      roundToMinutes: fc.constantFrom(5, 15, 30, 60, 20, 25),
      kind: fc.constantFrom('instant', 'wallClock'),
      timezone: zones,
      method: fc.constantFrom('collective' as const, 'max-fairness' as const, 'max-availability' as const),
      people: fc.array(fc.record({ hours, busy }), { minLength: 1, maxLength: 3 }),
      seed: fc.nat(),
      buffers: fc.tuple(fc.constantFrom(0, 5, 30), fc.constantFrom(0, 10, 60)),
      earliestStart: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, moment),
      latestStart: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, moment),
    })
    .map(({ start, windowMinutes, intervalMinutes, roundToMinutes, kind, people, seed, buffers, ...rest }) => {
      const participants: AvailabilityParticipant[] = people.map((person, index) => ({
        ...person,
        email: `p${index}@x.test`,
      }))
      const turn = seed % participants.length
      const anchor = kind === 'instant' ? { kind, at: start } : { kind: 'wallClock', timezone: rest.timezone }
      const question = {
        ...rest,
        window: { start, end: plus(start, windowMinutes * minuteMs) },
        grid: { intervalMinutes, roundToMinutes, anchor },
        participants,
        bufferBeforeMinutes: buffers[0],
        bufferAfterMinutes: buffers[1],
        order: [...participants.slice(turn), ...participants.slice(0, turn)].map(({ email }) => email),
      }
      return dropUndefined(question) as AvailabilityQuestion
    })
})

describe('the engine', () => {
  test('pitfall 13: agrees with a reference that looks at every minute, around clock changes in ten zones', () => {
    let withSlots = 0
    fc.assert(
      fc.property(questions, (question) => {
        const answer = findSlots(question)
        if (answer.slots.length > 0) withSlots += 1
        expect(answer).toEqual(slowAnswer(question))
      }),
      { numRuns: 2_000 },
    )
    expect(withSlots).toBeGreaterThan(700)
  }, 120_000)

  test('pitfall 11: every listed slot is found again when it is asked alone, with the same participants', () => {
    fc.assert(
      fc.property(questions, (question) => {
        for (const slot of findSlots(question).slots) expect(askedAlone(question, slot).slots).toEqual([slot])
      }),
      { numRuns: 500 },
    )
  })

  test('pitfall 11: no minute that is not listed is found when it is asked alone', () => {
    // Max-fairness is left out: it looks at the lower half where the upper half has nothing in the window that is asked.
    const steady = questions.filter(({ method }) => method !== 'max-fairness')
    fc.assert(
      fc.property(steady, (question) => {
        const { window, durationMinutes } = question
        const listed = new Set(findSlots(question).slots.map(({ start }) => start))
        for (
          let start = window.start;
          start + durationMinutes * minuteMs <= window.end;
          start = plus(start, minuteMs)
        ) {
          const alone = askedAlone(question, { start, end: plus(start, durationMinutes * minuteMs) })
          expect(alone.slots.map((slot) => slot.start)).toEqual(listed.has(start) ? [start] : [])
        }
      }),
      { numRuns: 100 },
    )
  })

  test('pitfall 11: a month is the union of its days, wherever the days are cut', () => {
    const months = fc.tuple(
      questions.filter(({ method, grid }) => method !== 'max-fairness' && grid.anchor.kind === 'wallClock'),
      fc.integer({ min: 30, max: 1_440 }),
    )
    fc.assert(
      fc.property(months, ([question, pieceMinutes]) => {
        const window = { start: plus(question.window.start, -10 * dayMs), end: plus(question.window.start, 20 * dayMs) }
        const days: Slot[] = []
        const whole = findSlots({ ...question, window }).slots
        const withinADay: Slot[] = []
        for (let start = window.start; start < window.end; start = plus(start, pieceMinutes * minuteMs)) {
          const day = { start, end: instant(Math.min(start + pieceMinutes * minuteMs, window.end)) }
          days.push(...findSlots({ ...question, window: day }).slots)
          withinADay.push(...whole.filter((slot) => slot.start >= day.start && slot.end <= day.end))
        }
        expect(days).toEqual(withinADay)
      }),
      { numRuns: 150 },
    )
  })

  test('pitfall 13: a slot always has its whole duration, and none is listed twice', () => {
    fc.assert(
      fc.property(questions, (question) => {
        let last = Number.NEGATIVE_INFINITY
        for (const { start, end } of findSlots(question).slots) {
          expect(end - start).toBe(question.durationMinutes * minuteMs)
          expect(start).toBeGreaterThan(last)
          last = start
        }
      }),
      { numRuns: 500 },
    )
  })

  test('the order of participants and of busy events changes nothing', () => {
    fc.assert(
      fc.property(questions, (question) => {
        const participants = question.participants.toReversed().map((one) => ({ ...one, busy: one.busy.toReversed() }))
        expect(findSlots({ ...question, participants })).toEqual(findSlots(question))
      }),
      { numRuns: 300 },
    )
  })
})

describe('an answer that is kept', () => {
  const noticeMs = 90 * minuteMs

  test('is what would be computed at any moment before it expires, and is not at that moment', () => {
    const asked = fc.tuple(
      questions,
      fc.integer({ min: -1_440, max: 1_440 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    fc.assert(
      fc.property(asked, ([question, minutes, share]) => {
        const now = plus(question.window.start, minutes * minuteMs)
        const answerAt = (at: Instant) => findSlots({ ...question, earliestStart: plus(at, noticeMs) })
        const answer = answerAt(now)
        const until = staysTrueUntil(answer, noticeMs)
        const limit = until ?? plus(question.window.end, dayMs)
        for (const at of [now + Math.floor(share * (limit - 1 - now)), limit - 1]) {
          if (at >= now) expect(answerAt(instant(at))).toEqual(answer)
        }
        if (until !== undefined) expect(answerAt(until)).not.toEqual(answer)
      }),
      { numRuns: 500 },
    )
  })
})

/** The question that the check of a booking asks: the same, but for the window. */
function askedAlone(question: AvailabilityQuestion, { start, end }: { start: Instant; end: Instant }) {
  return findSlots({ ...question, window: { start, end } })
}

// --- The reference: as slow and as plain as can be. ---

function slowAnswer(question: AvailabilityQuestion): { slots: Slot[]; order?: readonly string[] } {
  const emails = question.participants.map(({ email }) => email)
  if (question.method === 'collective') return { slots: slowSlots(question, emails, emails.length) }
  const order = question.order ?? emails.toSorted()
  if (question.method === 'max-fairness') {
    const kept = order.slice(0, Math.ceil(order.length / 2))
    const slots = slowSlots(question, kept, 1)
    if (slots.length > 0) return { slots, order: kept }
  }
  return { slots: slowSlots(question, emails, 1), order }
}

function slowSlots(question: AvailabilityQuestion, asked: readonly string[], needed: number): Slot[] {
  const { window, durationMinutes, earliestStart, latestStart } = question
  const people = question.participants.filter(({ email }) => asked.includes(email))
  const minutes = (window.end - window.start) / minuteMs
  const free = people.map((person) =>
    Array.from({ length: minutes }, (_, minute) => isFreeAt(person, question, window.start + minute * minuteMs)),
  )
  const isOnGrid = gridOf(question)
  const slots: Slot[] = []
  for (let minute = 0; minute + durationMinutes <= minutes; minute += 1) {
    const start = window.start + minute * minuteMs
    if (!isOnGrid(start)) continue
    if (earliestStart !== undefined && start < earliestStart) continue
    if (latestStart !== undefined && start >= latestStart) continue
    const emails = people
      .filter((_, who) => free[who]?.slice(minute, minute + durationMinutes).every((isFree) => isFree))
      .map(({ email }) => email)
      .toSorted()
    if (emails.length < needed) continue
    slots.push({ start: instant(start), end: instant(start + durationMinutes * minuteMs), emails })
  }
  return slots
}

function isFreeAt({ hours, busy }: AvailabilityParticipant, question: AvailabilityQuestion, at: number): boolean {
  const { bufferBeforeMinutes, bufferAfterMinutes } = question
  for (const { start, end } of busy) {
    if (start === end) continue
    if (at >= start - bufferBeforeMinutes * minuteMs && at < end + bufferAfterMinutes * minuteMs) return false
  }
  return isOpenAt(hours, at)
}

function isOpenAt({ weekly, specific, onlySpecific }: Hours, at: number): boolean {
  for (const entry of specific) if (isWithin(entry, entry.date, at)) return true
  if (onlySpecific) return false
  if (weekly.length === 0) return !specific.some((entry) => wall(entry.timezone, at).date === entry.date)
  return weekly.some((block) => {
    const { date, weekday, dateBefore } = wall(block.timezone, at)
    const applies = (day: string, dayOfWeek: number) =>
      block.days.includes(dayOfWeek) &&
      !block.exdates.includes(day) &&
      !specific.some((entry) => entry.date === day) &&
      isWithin(block, day, at)
    // Yesterday's block may have been pushed past midnight by a gap.
    return applies(date, weekday) || applies(dateBefore, (weekday + 6) % 7)
  })
}

type Hour = { readonly timezone: string; readonly startMinute: number; readonly endMinute: number }

function isWithin(block: Hour, date: string, at: number): boolean {
  const known = bounds.get(block)?.get(date)
  const { start, end } = known ?? boundsOf(block, date)
  if (known === undefined) bounds.set(block, (bounds.get(block) ?? new Map()).set(date, { start, end }))
  return at >= start && at < end
}

function boundsOf({ timezone, startMinute, endMinute }: Hour, date: string): { start: number; end: number } {
  const [start, end] = [startMinute, endMinute].map((minute) => {
    const reading = Temporal.PlainDate.from(date).toPlainDateTime('00:00').add({ minutes: minute })
    return reading.toZonedDateTime(timezone, { disambiguation: 'compatible' }).epochMilliseconds
  })
  if (start === undefined || end === undefined || endMinute <= startMinute) return { start: 0, end: 0 }
  return wall(timezone, start).date === date ? { start, end } : { start: 0, end: 0 }
}

function gridOf({
  grid: { intervalMinutes, roundToMinutes, anchor },
  window,
}: AvailabilityQuestion): (at: number) => boolean {
  if (anchor.kind === 'wallClock') {
    return (at) => {
      const { minute } = wall(anchor.timezone, at)
      if (minute % roundToMinutes !== 0) return false
      // Some mark lies in the stretch that rounds up to here.
      return Math.floor(minute / intervalMinutes) * intervalMinutes > minute - roundToMinutes
    }
  }
  const starts = new Set<number>()
  for (let mark: number = anchor.at; mark < window.end; mark += intervalMinutes * minuteMs) {
    const remainder = mark % (roundToMinutes * minuteMs)
    starts.add(remainder === 0 ? mark : mark - remainder + roundToMinutes * minuteMs)
  }
  return (at) => starts.has(at)
}

type Wall = { date: string; dateBefore: string; weekday: number; minute: number }

const walls = new Map<string, Map<number, Wall>>()
const dates = new Map<string, { dateBefore: string; weekday: number }>()
const bounds = new WeakMap<Hour, Map<string, { start: number; end: number }>>()

function wall(timezone: string, at: number): Wall {
  // Offsets and clock changes of these zones are whole quarters of an hour, so `Temporal` is asked once for each quarter.
  const intoQuarter = (at / minuteMs) % 15
  const quarter = wallOfQuarter(timezone, at - intoQuarter * minuteMs)
  return intoQuarter === 0 ? quarter : { ...quarter, minute: quarter.minute + intoQuarter }
}

function wallOfQuarter(timezone: string, at: number): Wall {
  const known = walls.get(timezone)?.get(at)
  if (known !== undefined) return known
  const shown = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).toString()
  const date = shown.slice(0, 10)
  const read = { date, minute: Number(shown.slice(11, 13)) * 60 + Number(shown.slice(14, 16)), ...aboutDate(date) }
  walls.set(timezone, (walls.get(timezone) ?? new Map()).set(at, read))
  return read
}

function aboutDate(date: string): { dateBefore: string; weekday: number } {
  const known = dates.get(date)
  if (known !== undefined) return known
  const plain = Temporal.PlainDate.from(date)
  const about = { dateBefore: plain.subtract({ days: 1 }).toString(), weekday: plain.dayOfWeek % 7 }
  dates.set(date, about)
  return about
}

function dropUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
