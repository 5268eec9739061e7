// The hand-derived availability vectors, each turned into one question to the engine.
import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { dayMs, fromUnixSeconds, minuteMs, plus, secondMs, toUnixSeconds } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { localDay } from '../time/localDate.ts'
import { instantOfWallClock, startOfLocalDay, wallClockAt } from '../time/zone.ts'
import { queue } from './assignment.ts'
import type { AvailabilityMethod, AvailabilityParticipant, AvailabilityQuestion, OpenHours } from './availability.ts'
import { findSlots } from './availability.ts'

type WireBlock = { days: number[]; timezone: string; start: string; end: string; exdates?: string[] }
type WireEvent = {
  when:
    | { object: 'timespan'; start_time: number; end_time: number; start_timezone?: string }
    | { object: 'date'; date: string }
  busy: boolean
  status: string
  calendar_id?: string
  created_at?: number
  metadata?: { key5?: string }
  recurrence?: string[]
}
type Vector = {
  id: string
  tests: string
  request: {
    start_time: number
    end_time: number
    duration_minutes: number
    interval_minutes: number
    round_to?: number
    participants: {
      email: string
      calendar_ids?: string[]
      open_hours?: WireBlock[]
      specific_time_availability?: { date: string; start: string; end: string; timezone: string }[]
      only_specific_time_availability?: boolean
    }[]
    availability_rules?: {
      availability_method?: AvailabilityMethod
      buffer?: { before: number; after: number }
      default_open_hours?: WireBlock[]
      round_robin_group_id?: string
    }
  }
  calendars: Record<string, WireEvent[]>
  calendar_settings?: Record<string, { timezone: string }>
  expect: { order?: string[]; time_slots: { start_time: number; end_time: number; emails: string[] }[] }
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../../../test/vectors/availability.json', import.meta.url), 'utf8'),
)

test('there are 33 vectors', () => {
  expect(vectors).toHaveLength(33)
})

describe.each(vectors)('$id $tests', (vector) => {
  test('is answered as derived by hand', () => {
    const answer = findSlots(questionOf(vector))
    const slots = answer.slots.map(({ start, end, emails }) => ({
      start_time: toUnixSeconds(start),
      end_time: toUnixSeconds(end),
      emails,
    }))
    expect(slots).toEqual(vector.expect.time_slots.map((slot) => ({ ...slot, emails: slot.emails.toSorted() })))
    if (vector.expect.order !== undefined) expect(answer.order).toEqual(vector.expect.order)
  })
})

function questionOf({ request, calendars, calendar_settings }: Vector): AvailabilityQuestion {
  const rules = request.availability_rules ?? {}
  const at = fromUnixSeconds(request.start_time)
  const participants = request.participants.map((participant): AvailabilityParticipant => {
    const weekly = participant.open_hours ?? rules.default_open_hours ?? []
    return {
      email: participant.email,
      hours: {
        weekly: weekly.map(blockOf),
        specific: (participant.specific_time_availability ?? []).map(({ date, start, end, timezone }) => ({
          date,
          startMinute: minuteOf(start),
          endMinute: minuteOf(end),
          timezone,
        })),
        onlySpecific: participant.only_specific_time_availability ?? false,
      },
      busy: (calendars[participant.email] ?? [])
        .filter((event) => event.busy && event.status !== 'cancelled')
        .filter((event) => (participant.calendar_ids ?? ['primary']).includes(event.calendar_id ?? 'primary'))
        .flatMap((event) => occurrences(event, calendar_settings?.[participant.email]?.timezone ?? 'UTC')),
    }
  })
  return {
    window: { start: at, end: fromUnixSeconds(request.end_time) },
    durationMinutes: request.duration_minutes,
    grid: {
      intervalMinutes: request.interval_minutes,
      roundToMinutes: request.round_to ?? 15,
      anchor: { kind: 'instant', at },
    },
    method: rules.availability_method ?? 'max-availability',
    participants,
    bufferBeforeMinutes: rules.buffer?.before ?? 0,
    bufferAfterMinutes: rules.buffer?.after ?? 0,
    order: queue(
      participants.map(({ email }) => {
        const booked = (calendars[email] ?? [])
          .filter((event) => event.metadata?.key5 === rules.round_robin_group_id && event.created_at !== undefined)
          .map((event) => event.created_at ?? 0)
        return booked.length === 0 ? { email } : { email, lastBookedAt: fromUnixSeconds(Math.max(...booked)) }
      }),
    ),
  }
}

function blockOf({ days, timezone, start, end, exdates }: WireBlock): OpenHours {
  return { days, timezone, startMinute: minuteOf(start), endMinute: minuteOf(end), exdates: exdates ?? [] }
}

function minuteOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}

/** The core reads no iCalendar, so the one recurring vector (daily, with a count and an EXDATE) is expanded here. */
function occurrences(event: WireEvent, calendarTimezone: string): Interval[] {
  const { when, recurrence } = event
  if (when.object === 'date') {
    const day = localDay(when.date)
    return [{ start: startOfLocalDay(calendarTimezone, day), end: startOfLocalDay(calendarTimezone, day + 1) }]
  }
  const lengthMs = (when.end_time - when.start_time) * secondMs
  const first = fromUnixSeconds(when.start_time)
  const [, count] = /^RRULE:FREQ=DAILY;COUNT=(\d+)$/.exec(recurrence?.[0] ?? '') ?? ['', '1']
  const excluded = recurrence?.[1] === 'EXDATE:20260310T140000Z' ? [fromUnixSeconds(1_773_151_200)] : []
  const timezone = when.start_timezone ?? 'UTC'
  return Array.from({ length: Number(count) }, (_, index) =>
    instantOfWallClock(timezone, wallClockAt(timezone, first) + index * dayMs),
  )
    .filter((start) => !excluded.includes(start))
    .map((start) => ({ start, end: plus(start, lengthMs) }))
}

test('a window that does not begin on a whole minute is rounded like any other', () => {
  const [v01] = vectors
  if (v01 === undefined) throw new Error('no vectors')
  const late = { ...v01, request: { ...v01.request, start_time: v01.request.start_time + 1 } }
  const [first] = findSlots(questionOf(late)).slots
  expect(first?.start).toBe(plus(fromUnixSeconds(v01.request.start_time), 15 * minuteMs))
})
