/** The event of a booking, as calendars are asked to keep it. */
import { icalUidOf } from '../../../src/core/booking/booking.ts'
import type { PlacedEvent } from '../../../src/core/booking/placedEvent.ts'
import type { EventId } from '../../../src/core/ids.ts'
import { instant } from '../../../src/core/time/instant.ts'

/** `id`: 32 hex digits. On 2027-05-04 from 09:00 to 09:30 UTC, with nobody but Alice, unless told otherwise. */
export function fitting(id: string, more: Partial<PlacedEvent> = {}): PlacedEvent {
  return {
    id: id as EventId,
    icalUid: icalUidOf(id as EventId),
    sequence: 1,
    isPending: false,
    title: 'Fitting',
    description: '',
    location: '',
    when: { start: instant(Date.parse('2027-05-04T09:00Z')), end: instant(Date.parse('2027-05-04T09:30Z')) },
    timezone: 'Europe/Paris',
    organizer: { email: 'alice@example.com', name: 'Alice' },
    participants: [],
    hideParticipants: false,
    notifyParticipants: false,
    conferencing: undefined,
    metadata: {},
    ...more,
  }
}
