// A booking's event → the event that a virtual calendar keeps.

import type { PlacedEvent } from '../../../core/booking/placedEvent.ts'
import type { EventDetails } from '../../../core/calendar/event.ts'

export function toDetails(event: PlacedEvent): EventDetails {
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
