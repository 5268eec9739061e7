// A booking's event → the event that a virtual calendar keeps.

import type { PlacedEvent } from '../../../core/booking/placedEvent.ts'
import { withoutPendingPrefix } from '../../../core/booking/texts.ts'
import type { CalendarEvent, EventDetails, EventParticipant } from '../../../core/calendar/event.ts'
import { endOfSeries, occurrenceFinder, occursAt } from '../../../core/calendar/series.ts'
import type { Instant } from '../../../core/time/instant.ts'
import { readRecurrence } from '../../ical/recurrence.ts'
import type { EventWrite } from '../../storage/events.ts'

export function toWrite(event: PlacedEvent): EventWrite {
  return {
    id: event.id,
    icalUid: event.icalUid,
    status: 'confirmed',
    details: toDetails(event),
    metadata: event.metadata,
    blocks: true,
    during: event.when,
  }
}

function toDetails(event: PlacedEvent): EventDetails {
  return {
    title: event.title,
    description: event.description,
    location: event.location,
    when: whenOf(event),
    busy: true,
    participants: event.participants.map(({ email, name }) => ({ email, name, status: 'noreply' })),
    recurrence: [],
    conferencing: event.conferencing,
    hideParticipants: event.hideParticipants,
    organizer: event.organizer,
    creator: event.organizer,
  }
}

function whenOf({ when, timezone }: PlacedEvent): EventDetails['when'] {
  return {
    kind: 'timespan',
    startTime: when.start,
    endTime: when.end,
    startTimezone: timezone,
    endTimezone: timezone,
  }
}

/**
 * `event` laid over `standing`, as its owner left it. What a booking does not speak of stays; so do texts that the owner
 * changed, as long as the booking's own have not changed since, and whoever else they added. Safe to repeat.
 */
export function laidOver(
  standing: CalendarEvent,
  event: PlacedEvent,
  before: NonNullable<PlacedEvent['before']>,
): EventWrite {
  const write = toWrite(event)
  const kept = standing.details
  const text = (name: 'description' | 'location') => (before[name] === event[name] ? kept[name] : event[name])
  const { recurrence, during } = seriesFrom(kept.recurrence, event)
  return {
    ...write,
    details: {
      ...kept,
      ...write.details,
      title: titleOf(kept.title, event, before),
      description: text('description'),
      location: text('location'),
      busy: kept.busy,
      participants: [...write.details.participants, ...addedByOwner(kept.participants, event, before)],
      recurrence,
      conferencing: event.conferencing ?? kept.conferencing,
      hideParticipants: event.hideParticipants || kept.hideParticipants,
      creator: kept.creator,
    },
    metadata: { ...standing.metadata, ...event.metadata },
    blocks: kept.busy,
    during,
  }
}

function titleOf(title: string, event: PlacedEvent, before: NonNullable<PlacedEvent['before']>): string {
  const own = ({ isPending, title: said }: NonNullable<PlacedEvent['before']>) =>
    isPending ? withoutPendingPrefix(said) : said
  if (own(before) !== own(event)) return event.title
  return before.isPending && !event.isPending ? withoutPendingPrefix(title) : title
}

function addedByOwner(
  participants: readonly EventParticipant[],
  event: PlacedEvent,
  before: NonNullable<PlacedEvent['before']>,
): EventParticipant[] {
  const ours = new Set([...event.participants, ...before.participants].map(({ email }) => email.toLowerCase()))
  return participants.filter(({ email }) => !ours.has(email.toLowerCase()))
}

/** The owner's series from the new time on, where its rule has an occurrence there; else the booking's event alone. */
function seriesFrom(
  recurrence: readonly string[],
  event: PlacedEvent,
): { readonly recurrence: readonly string[]; readonly during: EventWrite['during'] } {
  const alone = { recurrence: [], during: event.when }
  const rule = readRecurrence(recurrence)
  if (recurrence.length === 0 || !rule.ok) return alone
  const series = { when: whenOf(event), timezone: event.timezone, recurrence: rule.value }
  const end = endOfSeries(series)
  if (end === 'neverEnds' || occursAt(series, event.when.start) === undefined) return alone
  return { recurrence, during: { start: event.when.start, end } }
}

/** Tells whether the series of a booking's event, which has a zone of its own, has an occurrence at one start after the other. */
export function occurrenceOf({ details }: EventWrite): (start: Instant | undefined) => boolean {
  const rule = readRecurrence(details.recurrence)
  if (details.recurrence.length === 0 || !rule.ok) return () => false
  const find = occurrenceFinder({ when: details.when, timezone: 'UTC', recurrence: rule.value })
  return (start) => start !== undefined && find(start) !== undefined
}
