// A booking's event → the event that a virtual calendar keeps.

import type { PlacedEvent } from '../../../core/booking/placedEvent.ts'
import type { EventDetails } from '../../../core/calendar/event.ts'
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
    when: {
      kind: 'timespan',
      startTime: event.when.start,
      endTime: event.when.end,
      startTimezone: event.timezone,
      endTimezone: event.timezone,
    },
    busy: true,
    participants: event.participants.map(({ email, name }) => ({ email, name, status: 'noreply' })),
    recurrence: [],
    conferencing: event.conferencing,
    hideParticipants: event.hideParticipants,
    organizer: event.organizer,
    creator: event.organizer,
  }
}
