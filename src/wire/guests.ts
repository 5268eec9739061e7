// What a guest may be handed out of a booking: theirs whole, and of another's only their own part in it.
import type { Booking } from '../core/booking/booking.ts'
import { bookingToListItem } from './bookings.ts'

export function bookingToGuest(booking: Booking, email: string): object {
  const {
    booking_ref: _guest,
    organizer_booking_ref: _organizer,
    additional_guests: asked,
    ...item
  } = bookingToListItem(booking)
  const isThem = (person: { readonly email: string }) => person.email.toLowerCase() === email.toLowerCase()
  if (isThem(item.guest)) return { role: 'guest', ...item, additional_guests: asked }
  // Its event's id names it, and opens nothing, as its own would.
  const { event_id, configuration_id, organizer, status, start_time, end_time, created_at, updated_at } = item
  const part = { event_id, configuration_id, organizer, status, start_time, end_time, created_at, updated_at }
  return { role: 'additional_guest', ...part, additional_guests: asked.filter(isThem) }
}
