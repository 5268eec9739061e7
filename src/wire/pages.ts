// What the server writes into a page for the page's own script: what it shows first, so that it need not ask for it.
import type { Booking, Person } from '../core/booking/booking.ts'
import { encodeSalt } from '../core/booking/reference.ts'
import { toUnixSeconds } from '../core/time/instant.ts'
import { guestReference, organizerReference } from './bookings.ts'
import { namesOf, type UiSettings } from './uiSettings.ts'

/** The starts of slots in a half-open span; all in Unix seconds, in order. */
export type SlotStarts = { readonly from: number; readonly until: number; readonly starts: readonly number[] }

/** Which page a link opens: `/reschedule/…`, `/cancel/…`, `/confirmation/…`. */
export type LinkKind = 'reschedule' | 'cancel' | 'confirmation'

export type PageData =
  | {
      readonly kind: 'book'
      readonly settings: UiSettings
      /** Absent where a host's calendar could not be read: the page asks again. */
      readonly slots?: SlotStarts
    }
  | {
      readonly kind: 'reschedule'
      readonly settings: UiSettings
      readonly booking: LinkedBooking
      readonly slots?: SlotStarts
    }
  | { readonly kind: 'cancel'; readonly settings: UiSettings; readonly booking: LinkedBooking }
  | {
      readonly kind: 'confirmation'
      readonly settings: UiSettings
      readonly booking: LinkedBooking
      /** As confirming sends it. */
      readonly salt: string
      readonly stands: Stands
    }
  /** A private configuration: the page waits for a session, and asks with it. */
  | { readonly kind: 'private'; readonly configuration_id: string }
  /** Nothing is told apart here: never was, is no more, tampered with. */
  | { readonly kind: 'missing' }
  /** The server's own address, which is nobody's page. */
  | { readonly kind: 'start' }
  | { readonly kind: 'busy' }

/** Whether a pending booking's time is still free in the calendars of those who serve. */
export type Stands = 'free' | 'busy' | 'unknown'

/** A booking as the holder of its link sees it; times in Unix seconds. */
export type LinkedBooking = {
  readonly booking_id: string
  readonly holder: 'guest' | 'organizer'
  /** Stands for its holder in calls about this booking. */
  readonly token: string
  readonly status: 'booked' | 'pending' | 'cancelled'
  readonly title: string
  readonly description: string
  readonly location: string
  readonly start_time: number
  readonly end_time: number
  /** The guest's. */
  readonly timezone: string
  readonly organizer: Person
  /** Names of all who serve it. */
  readonly hosts: readonly string[]
  readonly guest: Person
  readonly additional_guests: readonly Person[]
  readonly additional_fields: Readonly<Record<string, string>>
  readonly cancellation_reason: string
  /** Whether what it was booked with is still there to book another time with. */
  readonly can_book_again: boolean
}

/** Either holder is given the same; the token, and with it the salt, is the holder's own. */
export function linkedBookingToJson(
  booking: Booking,
  holder: LinkedBooking['holder'],
  configuration: 'live' | 'deleted',
): LinkedBooking {
  const { details, service, when, state } = booking
  return {
    booking_id: booking.id,
    holder,
    token: holder === 'guest' ? guestReference(booking) : organizerReference(booking),
    status: state === 'held' || state === 'released' ? 'cancelled' : state,
    title: details.title,
    description: details.description,
    location: details.location,
    start_time: toUnixSeconds(when.start),
    end_time: toUnixSeconds(when.end),
    timezone: details.timezone,
    organizer: { name: service.organizer.name, email: service.organizer.email },
    hosts: namesOf(service.hosts),
    guest: details.guest,
    additional_guests: details.additionalGuests,
    additional_fields: details.additionalFields,
    cancellation_reason: booking.cancellationReason,
    can_book_again: configuration === 'live',
  }
}

/** The organizer's salt, for the organizer's page only. */
export function confirmingSalt(booking: Booking): string {
  return encodeSalt(booking.organizerSalt)
}

/** The whole of what a page's script reads. */
export type PageDocument = {
  readonly page: PageData
  /** The server's time, Unix seconds: a guest's clock may be wrong. */
  readonly now: number
  /** A code of the catalogues, which chose `words`. */
  readonly language: string
  readonly languages: readonly string[]
  readonly words: unknown
}
