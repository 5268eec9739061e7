// Calendar events as JSON.
import Type, { type Static } from 'typebox'

import type { CalendarEvent, EventDetails, EventParticipant, When } from '../core/calendar/event.ts'
import { invalidRequest } from '../core/problem.ts'
import { failure, type Result, success } from '../core/result.ts'
import { fromUnixSeconds, toUnixSeconds } from '../core/time/instant.ts'
import { isLocalDate } from '../core/time/localDate.ts'
import {
  conferenceDetails,
  cursorQuery,
  limitOf,
  metadataSchema,
  nullable,
  readTimezone,
  selectQuery,
} from './common.ts'
import { unixSeconds, whole } from './whole.ts'

const text = (maxLength: number) => Type.Optional(nullable(Type.String({ maxLength })))
const flag = Type.Optional(nullable(Type.Boolean()))
const zone = Type.Optional(nullable(Type.String({ maxLength: 64 })))
const date = Type.Optional(Type.String({ maxLength: 10 }))
const email = Type.String({ minLength: 1, maxLength: 320 })
const statuses = ['yes', 'no', 'maybe', 'noreply'] as const

const whenSchema = Type.Object({
  time: Type.Optional(unixSeconds()),
  timezone: zone,
  start_time: Type.Optional(unixSeconds()),
  end_time: Type.Optional(unixSeconds()),
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
  status: Type.Optional(nullable(Type.Enum([...statuses]))),
})

const conferencingSchema = Type.Object({
  provider: Type.Optional(Type.String({ maxLength: 64 })),
  details: Type.Optional(nullable(conferenceDetails)),
  autocreate: Type.Optional(nullable(Type.Object({}))),
})

const reminderMethods = ['popup', 'email', 'display', 'sound'] as const
const remindersSchema = Type.Object({
  use_default: flag,
  overrides: Type.Optional(
    nullable(
      Type.Array(
        Type.Object({
          // An old form of the documents is `"[20]"`.
          reminder_minutes: Type.Union([
            whole({ minimum: 0, maximum: 525_600 }),
            Type.String({ pattern: '^\\[[0-9]{1,6}\\]$' }),
          ]),
          reminder_method: Type.Optional(Type.Enum([...reminderMethods])),
        }),
        { maxItems: 20 },
      ),
    ),
  ),
})

const fields = {
  title: text(1024),
  description: text(8192),
  location: text(255),
  busy: flag,
  participants: Type.Optional(nullable(Type.Array(participantSchema, { maxItems: 50 }))),
  resources: Type.Optional(nullable(Type.Array(Type.Object({ email, name: text(255) }), { maxItems: 50 }))),
  conferencing: Type.Optional(nullable(conferencingSchema)),
  reminders: Type.Optional(nullable(remindersSchema)),
  recurrence: Type.Optional(nullable(Type.Array(Type.String({ maxLength: 8192 }), { maxItems: 50 }))),
  visibility: Type.Optional(nullable(Type.Enum(['default', 'public', 'private']))),
  metadata: Type.Optional(nullable(metadataSchema)),
  capacity: Type.Optional(nullable(whole({ minimum: 1, maximum: 100_000 }))),
  hide_participants: flag,
}

export const eventBody = Type.Object({ when: whenSchema, ...fields })
export const eventChangeBody = Type.Object({ when: Type.Optional(nullable(whenSchema)), ...fields })
export type EventChangeJson = Static<typeof eventChangeBody>

export const eventParams = Type.Object({ grant_id: Type.String(), event_id: Type.String() })
const calendarId = Type.String({ minLength: 1, maxLength: 1024 })
const writeOptions = {
  calendar_id: calendarId,
  notify_participants: Type.Optional(Type.Boolean()),
  tentative_as_busy: Type.Optional(Type.Boolean()),
  select: selectQuery,
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

const optionalText = Type.Optional(Type.String())
const person = Type.Object({ email: Type.String(), name: Type.String() })
export const eventData = Type.Object({
  id: Type.String(),
  grant_id: Type.String(),
  object: Type.Literal('event'),
  calendar_id: Type.String(),
  title: optionalText,
  description: optionalText,
  location: optionalText,
  when: Type.Object({ object: Type.Enum(['time', 'timespan', 'date', 'datespan']) }),
  busy: Type.Boolean(),
  status: Type.Enum(['confirmed', 'cancelled', 'maybe']),
  visibility: optionalText,
  read_only: Type.Boolean(),
  organizer: Type.Optional(person),
  creator: Type.Optional(person),
  participants: Type.Array(Type.Object({ email: Type.String(), status: Type.Enum([...statuses]) })),
  resources: Type.Optional(Type.Array(Type.Object({ email: Type.String() }))),
  conferencing: Type.Optional(Type.Object({})),
  reminders: Type.Optional(Type.Object({})),
  recurrence: Type.Optional(Type.Array(Type.String())),
  master_event_id: optionalText,
  ical_uid: Type.String(),
  hide_participants: Type.Boolean(),
  capacity: Type.Optional(Type.Integer()),
  metadata: Type.Optional(metadataSchema),
  created_at: Type.Integer(),
  updated_at: Type.Integer(),
})

/** `hidesMetadata`: the import list leaves it out. */
export function eventToJson(event: CalendarEvent, hidesMetadata?: 'hidesMetadata'): Static<typeof eventData> {
  const { details } = event
  return {
    id: event.id,
    grant_id: event.grantId,
    object: 'event',
    calendar_id: event.calendarId,
    ...(details.title === '' ? {} : { title: details.title }),
    ...(details.description === undefined ? {} : { description: details.description }),
    ...(details.location === undefined ? {} : { location: details.location }),
    when: whenToJson(details.when),
    busy: details.busy,
    status: event.status,
    visibility: details.visibility ?? 'public',
    read_only: false,
    ...(details.organizer === undefined ? {} : { organizer: details.organizer }),
    ...(details.creator === undefined ? {} : { creator: details.creator }),
    participants: details.participants.map(participantToJson),
    ...(details.resources === undefined ? {} : { resources: [...details.resources] }),
    ...(details.conferencing === undefined ? {} : { conferencing: details.conferencing }),
    ...(details.reminders === undefined ? {} : { reminders: details.reminders }),
    ...(details.recurrence.length === 0 ? {} : { recurrence: [...details.recurrence] }),
    ...(event.masterEventId === undefined ? {} : { master_event_id: event.masterEventId }),
    ical_uid: event.icalUid,
    hide_participants: details.hideParticipants ?? false,
    ...(details.capacity === undefined ? {} : { capacity: details.capacity }),
    ...(hidesMetadata !== undefined || Object.keys(event.metadata).length === 0 ? {} : { metadata: event.metadata }),
    created_at: toUnixSeconds(event.createdAt),
    updated_at: toUnixSeconds(event.updatedAt),
  }
}

function whenToJson(when: When): { object: When['kind'] } & Record<string, string | number> {
  switch (when.kind) {
    case 'time':
      return {
        object: 'time',
        time: toUnixSeconds(when.time),
        ...(when.timezone === undefined ? {} : { timezone: when.timezone }),
      }
    case 'timespan':
      return {
        object: 'timespan',
        start_time: toUnixSeconds(when.startTime),
        end_time: toUnixSeconds(when.endTime),
        ...(when.startTimezone === undefined ? {} : { start_timezone: when.startTimezone }),
        ...(when.endTimezone === undefined ? {} : { end_timezone: when.endTimezone }),
      }
    case 'date':
      return { object: 'date', date: when.date }
    case 'datespan':
      return { object: 'datespan', start_date: when.startDate, end_date: when.endDate }
  }
}

function participantToJson({ email, name, comment, phoneNumber, status }: EventParticipant) {
  return {
    email,
    ...(name === undefined ? {} : { name }),
    status,
    ...(comment === undefined ? {} : { comment }),
    ...(phoneNumber === undefined ? {} : { phone_number: phoneNumber }),
  }
}

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

/** Null is no name, and answers have a text there or nothing. */
function readResource({ name, ...resource }: { readonly email: string; readonly name?: string | null }) {
  return name === undefined || name === null ? resource : { ...resource, name }
}

type WhenJson = Static<typeof whenSchema>

function readWhen(when: WhenJson): Result<When> {
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
  if (conferencing === null || Object.keys(conferencing).length === 0) return success(undefined)
  const { provider, details, autocreate } = conferencing
  if (autocreate && details)
    return failure(invalidRequest('must not be given together with details', 'conferencing.autocreate'))
  if (autocreate)
    return failure(
      invalidRequest(
        'cannot be made for a virtual calendar: no conferencing provider is connected; give details instead',
        'conferencing.autocreate',
      ),
    )
  if (provider === undefined) return failure(invalidRequest('is required', 'conferencing.provider'))
  if (!details) return failure(invalidRequest('is required', 'conferencing.details'))
  return success({ provider, details })
}

function readReminders(reminders: Static<typeof remindersSchema> | null): EventDetails['reminders'] {
  if (reminders === null) return undefined
  const overrides = reminders.overrides?.map(({ reminder_minutes, reminder_method }) => ({
    reminder_minutes: typeof reminder_minutes === 'number' ? reminder_minutes : Number(reminder_minutes.slice(1, -1)),
    ...(reminder_method === undefined ? {} : { reminder_method }),
  }))
  return {
    use_default: reminders.use_default ?? overrides === undefined,
    ...(overrides === undefined ? {} : { overrides }),
  }
}

/** `data.object` of the event webhooks. */
export function eventNotification(
  trigger: 'event.created' | 'event.updated' | 'event.deleted',
  event: CalendarEvent,
): object {
  const json = eventToJson(event)
  if (trigger !== 'event.deleted') return { ...json, status: event.status === 'maybe' ? 'tentative' : event.status }
  const { id, object, grant_id, calendar_id, master_event_id, metadata } = json
  return {
    id,
    object,
    grant_id,
    calendar_id,
    ...(master_event_id === undefined ? {} : { master_event_id }),
    ...(metadata === undefined ? {} : { metadata }),
  }
}

/** An event that is gone, as far as it is still known. */
export type RemovedEvent = Pick<CalendarEvent, 'id' | 'grantId' | 'calendarId'>

/** `data.object` of event.deleted. */
export function removedEventNotification({ id, grantId, calendarId }: RemovedEvent): object {
  return { id, object: 'event', grant_id: grantId, calendar_id: calendarId }
}
