// Calendar events as clients send them, and what is asked about them.
import Type, { type Static } from 'typebox'

import type { EventDetails, EventParticipant, When } from '../core/calendar/event.ts'
import { invalidRequest, type Problem } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { fromUnixSeconds } from '../core/time/instant.ts'
import { isLocalDate } from '../core/time/localDate.ts'
import { cursorQuery, limitOf, metadataSchema, optional, readTimezone, withoutNulls } from './common.ts'
import { conferencingSchema } from './conferences.ts'
import { unixSeconds, whole } from './whole.ts'

const text = (maxLength: number) => optional(Type.String({ maxLength }))
const flag = optional(Type.Boolean())
const zone = optional(Type.String({ maxLength: 64 }))
const date = optional(Type.String({ maxLength: 10 }))
const email = Type.String({ minLength: 1, maxLength: 320 })
export const participantStatuses = ['yes', 'no', 'maybe', 'noreply'] as const

const whenSchema = Type.Object({
  time: optional(unixSeconds()),
  timezone: zone,
  start_time: optional(unixSeconds()),
  end_time: optional(unixSeconds()),
  start_timezone: zone,
  end_timezone: zone,
  date,
  start_date: date,
  end_date: date,
})

const participantSchema = Type.Object({
  email,
  name: text(255),
  comment: text(2048),
  phone_number: text(64),
  status: optional(Type.Enum([...participantStatuses])),
})

export const reminderMethods = ['popup', 'email', 'display', 'sound'] as const
const remindersSchema = Type.Object(
  {
    use_default: flag,
    overrides: optional(
      Type.Array(
        Type.Object({
          // An old form of the documents is `"[20]"`.
          reminder_minutes: Type.Union([
            whole({ minimum: 0, maximum: 525_600 }),
            Type.String({ pattern: '^\\[[0-9]{1,6}\\]$' }),
          ]),
          reminder_method: optional(Type.Enum([...reminderMethods])),
        }),
        { maxItems: 20 },
      ),
    ),
  },
  {
    if: { required: ['use_default'], properties: { use_default: { const: true } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: { overrides: { maxItems: 0, errorMessage: 'must be empty where use_default is true' } } },
  },
)

const fields = {
  title: text(1024),
  description: text(8192),
  location: text(255),
  busy: flag,
  // As many as the largest of the providers takes.
  participants: optional(Type.Array(participantSchema, { maxItems: 50 })),
  resources: optional(Type.Array(Type.Object({ email, name: text(255) }), { maxItems: 50 })),
  conferencing: optional(conferencingSchema),
  reminders: optional(remindersSchema),
  recurrence: optional(Type.Array(Type.String({ maxLength: 8192 }), { maxItems: 50 })),
  visibility: optional(Type.Enum(['default', 'public', 'private'])),
  metadata: optional(metadataSchema),
  capacity: optional(whole({ minimum: 1, maximum: 100_000 })),
  hide_participants: flag,
}

export const eventBody = Type.Object({ when: whenSchema, ...fields })
export const eventChangeBody = Type.Object({ when: optional(whenSchema), ...fields })
export type EventChangeJson = Static<typeof eventChangeBody>

export const eventParams = Type.Object({ grant_id: Type.String(), event_id: Type.String() })
const calendarId = Type.String({ minLength: 1, maxLength: 1024 })
const writeOptions = {
  calendar_id: calendarId,
  notify_participants: Type.Optional(Type.Boolean()),
  tentative_as_busy: Type.Optional(Type.Boolean()),
}
export const eventQuery = Type.Object(writeOptions)
export const rsvpQuery = Type.Object({ calendar_id: calendarId, skip_nylas_email: Type.Optional(Type.Boolean()) })
export const rsvpBody = Type.Object({ status: Type.Enum(['yes', 'no', 'maybe']) })
const filterText = Type.Optional(Type.String({ maxLength: 1024 }))
export const eventListQuery = Type.Object({
  ...cursorQuery,
  calendar_id: calendarId,
  start: Type.Optional(unixSeconds()),
  end: Type.Optional(unixSeconds()),
  expand_recurring: Type.Optional(Type.Boolean()),
  show_cancelled: Type.Optional(Type.Boolean()),
  busy: Type.Optional(Type.Boolean()),
  title: filterText,
  description: filterText,
  location: filterText,
  ical_uid: filterText,
  master_event_id: filterText,
  metadata_pair: Type.Optional(Type.String({ maxLength: 4096 })),
  updated_after: Type.Optional(unixSeconds()),
  updated_before: Type.Optional(unixSeconds()),
  attendees: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 50 })),
  event_type: Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 10 })),
  tentative_as_busy: Type.Optional(Type.Boolean()),
  order_by: Type.Optional(Type.Enum(['start'])),
})
export const eventImportQuery = Type.Object({
  ...cursorQuery,
  limit: Type.Optional(limitOf(500, 50)),
  calendar_id: calendarId,
  start: Type.Optional(unixSeconds()),
  end: Type.Optional(unixSeconds()),
})

export type EventContent = { readonly details: EventDetails; readonly metadata: Readonly<Record<string, string>> }

/**
 * `body` laid over `before`: what is left out stays, null takes away, objects and lists are replaced whole.
 * Problems: `invalidRequest` that names the field. Recurrence is not looked into here.
 */
export function readEvent(body: EventChangeJson, before?: EventContent): Result<EventContent> {
  const old = before?.details
  const when = body.when
    ? readWhen(body.when)
    : old === undefined
      ? failure(invalidRequest('is required', 'when'))
      : success(old.when)
  if (!when.ok) return when
  const twice = findTwice(body.participants ?? [])
  if (twice !== undefined) return failure(twice)
  const conferencing =
    body.conferencing === undefined ? success(old?.conferencing) : readConferencing(body.conferencing)
  if (!conferencing.ok) return conferencing
  const kept = <Value>(sent: Value | null | undefined, value: Value | undefined) =>
    sent === undefined ? value : (sent ?? undefined)
  return success({
    details: {
      title: body.title === undefined ? (old?.title ?? '') : (body.title ?? ''),
      when: when.value,
      busy: body.busy === undefined ? (old?.busy ?? true) : (body.busy ?? true),
      description: kept(body.description, old?.description),
      location: kept(body.location, old?.location),
      participants:
        body.participants === undefined ? (old?.participants ?? []) : (body.participants ?? []).map(readParticipant),
      resources: body.resources === undefined ? old?.resources : body.resources?.map(readResource),
      conferencing: conferencing.value,
      reminders: body.reminders === undefined ? old?.reminders : readReminders(body.reminders),
      recurrence: body.recurrence === undefined ? (old?.recurrence ?? []) : (body.recurrence ?? []),
      visibility: kept(body.visibility, old?.visibility),
      capacity: kept(body.capacity, old?.capacity),
      hideParticipants: kept(body.hide_participants, old?.hideParticipants),
      organizer: old?.organizer,
      creator: old?.creator,
    },
    metadata: body.metadata === undefined ? (before?.metadata ?? {}) : (body.metadata ?? {}),
  })
}

/** Calendars know a participant by the address, whatever its letters' case. */
function findTwice(participants: readonly { readonly email: string }[]): Problem | undefined {
  const emails = participants.map(({ email }) => email.toLowerCase())
  const again = emails.findIndex((email, index) => emails.indexOf(email) < index)
  if (again < 0) return undefined
  const first = emails.indexOf(emails[again] ?? '')
  return invalidRequest(`is the same as participants[${first}].email`, `participants[${again}].email`)
}

/** Null is no name, and answers have a text there or nothing. */
function readResource({ email, name }: { readonly email: string; readonly name?: string | null }) {
  return name === undefined || name === null ? { email } : { email, name }
}

type WhenJson = ReturnType<typeof withoutNulls<Static<typeof whenSchema>>>

function readWhen(said: Static<typeof whenSchema>): Result<When> {
  const when = withoutNulls(said)
  const kinds = [
    when.time !== undefined,
    when.start_time !== undefined || when.end_time !== undefined,
    when.date !== undefined,
    when.start_date !== undefined || when.end_date !== undefined,
  ]
  if (kinds.filter(Boolean).length !== 1)
    return failure(
      invalidRequest('must have exactly one of time, start_time with end_time, date, start_date with end_date', 'when'),
    )
  for (const field of ['timezone', 'start_timezone', 'end_timezone'] as const) {
    const name = when[field]
    const checked = name ? readTimezone(name, `when.${field}`) : undefined
    if (checked?.ok === false) return checked
  }
  if (when.time !== undefined)
    return success({ kind: 'time', time: fromUnixSeconds(when.time), timezone: when.timezone || undefined })
  return when.start_time !== undefined || when.end_time !== undefined ? readTimespan(when) : readDates(when)
}

/** One zone stands for both. */
function readTimespan(when: WhenJson): Result<When> {
  if (when.start_time === undefined) return failure(invalidRequest('is required', 'when.start_time'))
  if (when.end_time === undefined) return failure(invalidRequest('is required', 'when.end_time'))
  if (when.end_time <= when.start_time) return failure(invalidRequest('must be later than start_time', 'when.end_time'))
  return success({
    kind: 'timespan',
    startTime: fromUnixSeconds(when.start_time),
    endTime: fromUnixSeconds(when.end_time),
    startTimezone: when.start_timezone || when.end_timezone || undefined,
    endTimezone: when.end_timezone || when.start_timezone || undefined,
  })
}

function readDates({ date, start_date, end_date }: WhenJson): Result<When> {
  for (const [value, field] of [
    [date, 'date'],
    [start_date, 'start_date'],
    [end_date, 'end_date'],
  ] as const)
    if (value !== undefined && !isLocalDate(value))
      return failure(invalidRequest('must be a date like 2026-03-29', `when.${field}`))
  if (date !== undefined) return success({ kind: 'date', date })
  if (start_date === undefined) return failure(invalidRequest('is required', 'when.start_date'))
  if (end_date === undefined) return failure(invalidRequest('is required', 'when.end_date'))
  if (end_date < start_date) return failure(invalidRequest('must not be before start_date', 'when.end_date'))
  return success({ kind: 'datespan', startDate: start_date, endDate: end_date })
}

function readParticipant({
  email,
  name,
  comment,
  phone_number,
  status,
}: Static<typeof participantSchema>): EventParticipant {
  return {
    email,
    ...(name ? { name } : {}),
    ...(comment ? { comment } : {}),
    ...(phone_number ? { phoneNumber: phone_number } : {}),
    status: status ?? 'noreply',
  }
}

/** `{}` takes it away. Nobody can make a conference for a virtual calendar, so `autocreate` is refused. */
function readConferencing(
  conferencing: Static<typeof conferencingSchema> | null,
): Result<EventDetails['conferencing']> {
  const { provider, details, autocreate } = withoutNulls(conferencing ?? {})
  if (!provider && !details && !autocreate) return success(undefined)
  if (autocreate && details)
    return failure(invalidRequest('must not be given together with details', 'conferencing.autocreate'))
  if (autocreate)
    return failure(
      invalidRequest(
        'cannot be made for a virtual calendar: no conferencing provider is connected; give details instead',
        'conferencing.autocreate',
      ),
    )
  if (!provider) return failure(invalidRequest('is required', 'conferencing.provider'))
  if (!details) return failure(invalidRequest('is required', 'conferencing.details'))
  return success({ provider, details })
}

function readReminders(reminders: Static<typeof remindersSchema> | null): EventDetails['reminders'] {
  if (reminders === null) return undefined
  const overrides = reminders.overrides?.map(({ reminder_minutes, reminder_method }) => ({
    reminder_minutes: typeof reminder_minutes === 'number' ? reminder_minutes : Number(reminder_minutes.slice(1, -1)),
    ...(reminder_method ? { reminder_method } : {}),
  }))
  return {
    use_default: reminders.use_default ?? overrides === undefined,
    ...(overrides === undefined ? {} : { overrides }),
  }
}
