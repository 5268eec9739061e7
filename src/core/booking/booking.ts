// A booking: a guest's claim on a slot, through its whole life.
import type { ParticipantCalendar } from '../configuration/configuration.ts'
import type { AppId, BookingId, ConfigurationId, EventId } from '../ids.ts'
import type { Instant } from '../time/instant.ts'
import type { Interval } from '../time/interval.ts'

export type Person = { readonly email: string; readonly name: string }

/** `held` and `released` are seen by nobody outside. `cancelled` and `released` are ends. */
export type BookingState = 'held' | 'pending' | 'booked' | 'cancelled' | 'released'

export type CancelledBy = 'guest' | 'organizer' | 'expiry' | 'calendar'

/** Who serves, and where the event stands: the organizer's calendar first. */
export type Service = {
  readonly organizer: Person
  /** All who serve, the organizer among them. */
  readonly hosts: readonly Person[]
  readonly placements: readonly ParticipantCalendar[]
  /** Calendars beyond this server that are read for their busy time and carry no event of it. */
  readonly alsoRead?: readonly ParticipantCalendar[] | undefined
  /** Why these: for the one who asks later. */
  readonly assignment: Assignment
}

export type Assignment =
  | { readonly method: 'collective' }
  | {
      readonly method: 'max-fairness' | 'max-availability'
      readonly chosen: string
      /** `asked`: the caller named this host. `kept`: served before the move. `next`: first of the queue who was free. */
      readonly reason: 'asked' | 'kept' | 'next'
      readonly queue: readonly string[]
      readonly free: readonly string[]
    }

/** What the guest said, and the texts made of it. */
export type BookingDetails = {
  readonly title: string
  readonly description: string
  readonly location: string
  readonly guest: Person
  readonly additionalGuests: readonly Person[]
  readonly additionalFields: Readonly<Record<string, string>>
  /** The guest's zone and language, for mails. */
  readonly timezone: string
  readonly emailLanguage: string
  /** How many people moves have brought in so far, of those that no API key made; absent: none. */
  readonly newcomers?: number | undefined
}

/** A move that has begun and is not settled: what a crash cut off is finished from here. */
export type Change =
  | { readonly kind: 'create'; readonly to: 'booked' | 'pending' }
  | { readonly kind: 'confirm' }
  | {
      readonly kind: 'reschedule'
      readonly when: Interval
      readonly service: Service
      readonly details: BookingDetails
      /** As in a confirmation: of another organizer, whose link the first one shall not have. */
      readonly organizerSalt?: string | undefined
    }
  | {
      readonly kind: 'cancel'
      readonly by: CancelledBy
      readonly reason: string
      readonly from: 'booked' | 'pending'
      /** Where a move that could not be taken back may have left its event. */
      readonly alsoFrom?: readonly ParticipantCalendar[] | undefined
    }

export type Booking = {
  readonly appId: AppId
  readonly id: BookingId
  readonly configurationId: ConfigurationId
  readonly state: BookingState
  readonly cancelledBy: CancelledBy | undefined
  readonly cancellationReason: string
  readonly direction: 'commit' | 'abort'
  readonly change: Change | undefined
  readonly when: Interval
  readonly service: Service
  readonly details: BookingDetails
  /**
   * The event on the organizer's calendar, and its copies elsewhere. Everybody on them may know it: it tells nothing of
   * `id`, which opens the booking.
   */
  readonly eventId: EventId
  /** Calendars that it was moved off, or nearly moved to, the latest last: an event of it that stands there is left over. */
  readonly movedOff?: readonly ParticipantCalendar[] | undefined
  /** Whom a calendar has invited by itself: addresses in small letters. Our mails to them carry no invitation. */
  readonly invitedByCalendar: readonly string[]
  readonly organizerSalt: Uint8Array
  readonly guestSalt: Uint8Array
  /** Rises with every change; whoever changes a booking names the version that was read. */
  readonly version: number
  readonly createdAt: Instant
  readonly updatedAt: Instant
}

/** The event id as a UUID is written: how mails and calendars name the meeting, to whoever may see it. */
export function publicNameOf(id: EventId): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** One for the life of the booking, whatever happens to its time and its calendar. */
export function icalUidOf(id: EventId): string {
  return `${publicNameOf(id)}@openslot`
}

/** The event id that belongs to `icalUidOf`; undefined for a UID that is none of ours. */
export function eventIdOfIcalUid(uid: string): EventId | undefined {
  const id = /^([0-9a-f-]{36})@openslot$/.exec(uid)?.[1]?.replaceAll('-', '')
  return id?.length === 32 ? (id as EventId) : undefined
}
