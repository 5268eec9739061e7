// The question of `POST /v3/calendars/availability`: who is free when, without a configuration.
import Type, { type Static } from 'typebox'

import type { AvailabilityMethod, Hours } from '../core/availability/availability.ts'
import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import type { Interval } from '../core/time/interval.ts'
import { isLocalDate } from '../core/time/localDate.ts'
import { optional, readTimezone } from './common.ts'
import {
  openHoursSchema,
  readLocalTime,
  readOpenHours,
  readSpecificTime,
  specificTimeSchema,
} from './configurations.ts'
import { readWindow } from './freeBusy.ts'
import { unixSeconds, whole } from './whole.ts'

const blocks = optional(Type.Array(openHoursSchema, { maxItems: 100 }))
const buffer = optional(whole({ minimum: 0, maximum: 120, multipleOf: 5 }))
const group = optional(Type.String({ maxLength: 500 }))

const participantSchema = Type.Object({
  email: optional(Type.String({ minLength: 1, maxLength: 320 })),
  grant_id: optional(Type.String({ minLength: 1, maxLength: 320 })),
  calendar_ids: optional(Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), { maxItems: 50 })),
  open_hours: blocks,
  specific_time_availability: optional(Type.Array(specificTimeSchema, { maxItems: 500 })),
  only_specific_time_availability: optional(Type.Boolean()),
})

export const calendarAvailabilityBody = Type.Object({
  start_time: unixSeconds(),
  end_time: unixSeconds(),
  duration_minutes: whole({ minimum: 5, maximum: 1_440, multipleOf: 5 }),
  interval_minutes: optional(whole({ minimum: 5, maximum: 1_440, multipleOf: 5 })),
  round_to: optional(whole({ minimum: 5, maximum: 60, multipleOf: 5 })),
  round_to_30_minutes: optional(Type.Boolean()),
  participants: Type.Array(participantSchema, { minItems: 1, maxItems: 50 }),
  availability_rules: optional(
    Type.Object({
      availability_method: optional(Type.Enum(['collective', 'max-fairness', 'max-availability'])),
      buffer: optional(Type.Object({ before: buffer, after: buffer })),
      default_open_hours: blocks,
      round_robin_group_id: group,
      // The SDK's older name of the same.
      round_robin_event_id: group,
      tentative_as_busy: optional(Type.Boolean()),
    }),
  ),
})

type Body = Static<typeof calendarAvailabilityBody>

export type CalendarAvailabilityQuestion = {
  readonly window: Interval
  readonly durationMinutes: number
  readonly intervalMinutes: number
  readonly roundToMinutes: number
  readonly method: AvailabilityMethod
  readonly bufferBeforeMinutes: number
  readonly bufferAfterMinutes: number
  /** Found in `key5` of the events of a round robin. */
  readonly group: string | undefined
  readonly participants: readonly {
    readonly email: string | undefined
    readonly grantId: string | undefined
    readonly calendarIds: readonly string[]
    readonly hours: Hours
  }[]
}

/** Problems: `invalidRequest` that names the field. */
export function readCalendarAvailability(body: Body): Result<CalendarAvailabilityQuestion> {
  const window = readWindow(body)
  if (!window.ok) return window
  const rules = body.availability_rules ?? {}
  const problem = findHoursProblem(rules.default_open_hours ?? [], 'availability_rules.default_open_hours')
  if (!problem.ok) return problem
  const participants: CalendarAvailabilityQuestion['participants'][number][] = []
  for (const [index, participant] of body.participants.entries()) {
    const field = `participants[${index}]`
    if (!participant.email && !participant.grant_id) return failure(invalidRequest('is required', `${field}.email`))
    for (const checked of [
      findHoursProblem(participant.open_hours ?? [], `${field}.open_hours`),
      findDatesProblem(participant.specific_time_availability ?? [], `${field}.specific_time_availability`),
    ])
      if (!checked.ok) return checked
    participants.push({
      email: participant.email ?? undefined,
      grantId: participant.grant_id ?? undefined,
      calendarIds: participant.calendar_ids?.length ? participant.calendar_ids : ['primary'],
      hours: readHours(participant, rules.default_open_hours ?? []),
    })
  }
  return success({
    window: window.value,
    durationMinutes: body.duration_minutes,
    intervalMinutes: body.interval_minutes ?? body.duration_minutes,
    roundToMinutes: body.round_to ?? (body.round_to_30_minutes ? 30 : 15),
    method: rules.availability_method ?? 'max-availability',
    bufferBeforeMinutes: rules.buffer?.before ?? 0,
    bufferAfterMinutes: rules.buffer?.after ?? 0,
    group: rules.round_robin_group_id || rules.round_robin_event_id || undefined,
    participants,
  })
}

function readHours(
  participant: Static<typeof participantSchema>,
  defaults: readonly Static<typeof openHoursSchema>[],
): Hours {
  const own = participant.open_hours ?? []
  const weekly = (own.length > 0 ? own : defaults).map((block) => readOpenHours(block, block.timezone || 'UTC'))
  const fallback = weekly[0]?.timezone ?? 'UTC'
  return {
    weekly,
    specific: (participant.specific_time_availability ?? []).map((entry) =>
      readSpecificTime(entry, entry.timezone || fallback),
    ),
    onlySpecific: participant.only_specific_time_availability ?? false,
  }
}

function findHoursProblem(hours: readonly Static<typeof openHoursSchema>[], field: string): Result<void> {
  for (const [index, block] of hours.entries()) {
    const timezone = checkTimezone(block.timezone, `${field}[${index}].timezone`)
    if (!timezone.ok) return timezone
    if (readLocalTime(block.end) <= readLocalTime(block.start))
      return failure(invalidRequest('must be later than start', `${field}[${index}].end`))
    const wrong = (block.exdates ?? block.ex_dates ?? []).findIndex((date) => !isLocalDate(date))
    if (wrong >= 0)
      return failure(invalidRequest('must be a date of the calendar', `${field}[${index}].exdates[${wrong}]`))
  }
  return success(undefined)
}

function findDatesProblem(entries: readonly Static<typeof specificTimeSchema>[], field: string): Result<void> {
  for (const [index, entry] of entries.entries()) {
    const timezone = checkTimezone(entry.timezone, `${field}[${index}].timezone`)
    if (!timezone.ok) return timezone
    if (!isLocalDate(entry.date))
      return failure(invalidRequest('must be a date of the calendar', `${field}[${index}].date`))
    const [start, end] = [readLocalTime(entry.start), readLocalTime(entry.end)]
    // 00:00 to 00:00 closes the date.
    if (end <= start && !(start === 0 && end === 0))
      return failure(invalidRequest('must be later than start', `${field}[${index}].end`))
  }
  return success(undefined)
}

function checkTimezone(name: string | null | undefined, field: string): Result<void> {
  const read = name ? readTimezone(name, field) : undefined
  return read?.ok === false ? read : success(undefined)
}
