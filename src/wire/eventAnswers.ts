// Calendar events as JSON: what clients and receivers of webhooks get.
import Type, { type Static } from 'typebox'

import type { CalendarEvent, EventParticipant, When } from '../core/calendar/event.ts'
import { toUnixSeconds } from '../core/time/instant.ts'
import { metadataSchema } from './common.ts'
import { participantStatuses, reminderMethods } from './events.ts'

const optionalText = Type.Optional(Type.String())
const person = Type.Object({ email: Type.String(), name: Type.String() })
const whenData = Type.Union([
  Type.Object({ object: Type.Literal('time'), time: Type.Integer(), timezone: optionalText }),
  Type.Object({
    object: Type.Literal('timespan'),
    start_time: Type.Integer(),
    end_time: Type.Integer(),
    start_timezone: optionalText,
    end_timezone: optionalText,
  }),
  Type.Object({ object: Type.Literal('date'), date: Type.String() }),
  Type.Object({ object: Type.Literal('datespan'), start_date: Type.String(), end_date: Type.String() }),
])
const remindersData = Type.Object({
  use_default: Type.Boolean(),
  overrides: Type.Optional(
    Type.Array(
      Type.Object({
        reminder_minutes: Type.Integer(),
        reminder_method: Type.Optional(Type.Enum([...reminderMethods])),
      }),
    ),
  ),
})

export const eventData = Type.Object({
  id: Type.String(),
  grant_id: Type.String(),
  object: Type.Literal('event'),
  calendar_id: Type.String(),
  title: optionalText,
  description: optionalText,
  location: optionalText,
  when: whenData,
  busy: Type.Boolean(),
  status: Type.Enum(['confirmed', 'cancelled', 'maybe']),
  visibility: optionalText,
  read_only: Type.Boolean(),
  organizer: Type.Optional(person),
  creator: Type.Optional(person),
  participants: Type.Array(
    Type.Object({
      email: Type.String(),
      name: optionalText,
      status: Type.Enum([...participantStatuses]),
      comment: optionalText,
      phone_number: optionalText,
    }),
  ),
  resources: Type.Optional(Type.Array(Type.Object({ email: Type.String(), name: optionalText }))),
  conferencing: Type.Optional(Type.Object({})),
  reminders: Type.Optional(remindersData),
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
    ...(details.reminders === undefined ? {} : { reminders: details.reminders as Static<typeof remindersData> }),
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

function whenToJson(when: When): Static<typeof whenData> {
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

/** `data.object` of the event webhooks. */
export function eventNotification(
  trigger: 'event.created' | 'event.updated' | 'event.deleted',
  event: CalendarEvent,
): object {
  const json = eventToJson(event)
  if (trigger !== 'event.deleted') {
    const { capacity: _, creator, ...told } = json
    const status = event.status === 'maybe' ? 'tentative' : event.status
    // Who made it is told once, when it was made.
    return { ...told, status, ...(trigger === 'event.created' && creator !== undefined ? { creator } : {}) }
  }
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

/** `data.object` of event.deleted for the event of a booking: by `metadata` receivers tell it from others. */
export function removedEventNotification(
  { id, grantId, calendarId }: RemovedEvent,
  metadata: Readonly<Record<string, string>>,
): object {
  return { id, object: 'event', grant_id: grantId, calendar_id: calendarId, metadata }
}
