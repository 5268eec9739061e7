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
export type Change = Creation | { readonly kind: 'confirm' } | Move | Cancellation

export type Creation = {
  readonly kind: 'create'
  readonly to: 'booked' | 'pending'
  readonly asker?: 'host' | undefined
}

export type Move = {
  readonly kind: 'reschedule'
  readonly when: Interval
  readonly service: Service
  readonly details: BookingDetails
  /** As in a confirmation: of another organizer, whose link the first one shall not have. */
  readonly organizerSalt?: string | undefined
  /** Absent: a guest. */
  readonly asker?: 'host' | undefined
}

export type Cancellation = {
  readonly kind: 'cancel'
  readonly by: CancelledBy
  readonly reason: string
  readonly from: 'booked' | 'pending'
  /**
   * What it came upon: its events may stand where that put them, and whoever carried it out may still be at it. Nothing of
   * what was to be said there is kept.
   */
  readonly overtook?: { readonly kind: 'confirm' } | Whereto | undefined
}

/** A move as far as time and calendars go. */
export type Whereto = Pick<Move, 'kind' | 'when' | 'service'>

/** Whether a guest asked for it. What hosts and the application do, or the calendar's owner by hand, nobody else can misuse. */
export function isAskedByGuest(change: Change): boolean {
  switch (change.kind) {
    case 'confirm':
      return false
    case 'cancel':
      return change.by === 'guest'
    default:
      return change.asker !== 'host'
  }
}

/** A change that may be given up until it is settled; a cancellation stands as soon as it is written. */
export function canBeGivenUp({ change }: Pick<Booking, 'change'>): boolean {
  return change !== undefined && change.kind !== 'cancel'
}

/** Each address once, where and as it is first written. */
export function uniquePeople<T extends { readonly email: string }>(people: readonly T[]): T[] {
  const byAddress = new Map<string, T>()
  for (const person of people) {
    const address = person.email.toLowerCase()
    if (!byAddress.has(address)) byAddress.set(address, person)
  }
  return [...byAddress.values()]
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
