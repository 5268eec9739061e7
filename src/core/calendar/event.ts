// Calendar events as this server keeps them, and when they take place.
import type { CalendarId, EventId, GrantId } from '../ids.ts'
import type { Instant } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'
import { localDay } from '../time/localDate.ts'
import { startOfLocalDay } from '../time/zone.ts'

/**
 * When an event takes place: a moment, a stretch of time, or whole days of its calendar's time zone.
 * `endDate` is the last day, included.
 */
export type When =
  | { readonly kind: 'time'; readonly time: Instant; readonly timezone: string | undefined }
  | {
      readonly kind: 'timespan'
      readonly startTime: Instant
      readonly endTime: Instant
      readonly startTimezone: string | undefined
      readonly endTimezone: string | undefined
    }
  | { readonly kind: 'date'; readonly date: string }
  | { readonly kind: 'datespan'; readonly startDate: string; readonly endDate: string }

export type ParticipantStatus = 'yes' | 'no' | 'maybe' | 'noreply'

export type EventParticipant = {
  readonly email: string
  readonly name?: string
  readonly comment?: string
  readonly phoneNumber?: string
  readonly status: ParticipantStatus
}

export type EventPerson = { readonly email: string; readonly name: string }

/** What a caller says of an event. What is left undefined was never said. */
export type EventDetails = {
  readonly title: string
  readonly when: When
  /** Whether the owner says it keeps them from being booked; see `blocksTime`. */
  readonly busy: boolean
  readonly description?: string | undefined
  readonly location?: string | undefined
  readonly participants: readonly EventParticipant[]
  readonly resources?: readonly { readonly email: string; readonly name?: string }[] | undefined
  /** As the wire has it: `{provider, details}`. */
  readonly conferencing?: Readonly<Record<string, unknown>> | undefined
  readonly reminders?: Readonly<Record<string, unknown>> | undefined
  /** Lines of `RRULE` and `EXDATE`; empty where the event takes place once. */
  readonly recurrence: readonly string[]
  readonly visibility?: 'default' | 'public' | 'private' | undefined
  readonly capacity?: number | undefined
  readonly hideParticipants?: boolean | undefined
  readonly organizer?: EventPerson | undefined
  readonly creator?: EventPerson | undefined
}

export type EventStatus = 'confirmed' | 'maybe' | 'cancelled'

export type CalendarEvent = {
  readonly grantId: GrantId
  readonly calendarId: CalendarId
  readonly id: EventId
  readonly icalUid: string
  /** Of a changed or cancelled instance of a series: its series, and when it would have begun. */
  readonly masterEventId: EventId | undefined
  readonly originalStart: Instant | undefined
  readonly status: EventStatus
  readonly details: EventDetails
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

/** When a single event takes place; days are those of `timezone`, the calendar's own. A moment has no length. */
export function intervalOf(when: When, timezone: string): Interval {
  switch (when.kind) {
    case 'time':
      return { start: when.time, end: when.time }
    case 'timespan':
      return { start: when.startTime, end: when.endTime }
    case 'date':
      return wholeDays(when.date, when.date, timezone)
    case 'datespan':
      return wholeDays(when.startDate, when.endDate, timezone)
  }
}

/** The zone in which a series recurs: the event's own, or its calendar's. */
export function zoneOf(when: When, calendarTimezone: string): string {
  if (when.kind === 'time') return when.timezone ?? calendarTimezone
  return when.kind === 'timespan' ? (when.startTimezone ?? calendarTimezone) : calendarTimezone
}

/** Does the event keep the owner from being booked? A moment never does, nor what they declined. */
export function blocksTime(details: EventDetails, ownerEmail: string): boolean {
  if (!details.busy || details.when.kind === 'time') return false
  const owner = ownerEmail.toLowerCase()
  return !details.participants.some(({ email, status }) => status === 'no' && email.toLowerCase() === owner)
}

function wholeDays(first: string, last: string, timezone: string): Interval {
  return { start: startOfLocalDay(timezone, localDay(first)), end: startOfLocalDay(timezone, localDay(last) + 1) }
}
