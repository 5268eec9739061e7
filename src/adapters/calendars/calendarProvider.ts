// What every calendar provider keeps: read what is busy and what changed, and place, find and remove the event of a booking.
import type { CalendarKey, GrantProvider } from '../../core/account/grant.ts'
import type { PlacedEvent } from '../../core/booking/placedEvent.ts'
import type { CalendarEvent } from '../../core/calendar/event.ts'
import type { AppId, CalendarId, EventId, GrantId } from '../../core/ids.ts'
import type { Result } from '../../core/result.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Queryable } from '../storage/database/database.ts'
import type { Sql } from '../storage/database/sql.ts'

export interface CalendarProvider {
  /**
   * True where the calendars live in our own database: then calls take part in the caller's transaction, and hold,
   * place and settle are one. Elsewhere no call may stand inside a transaction.
   */
  readonly isLocal: boolean

  /** The calendars of a grant that can hold events. Problems: `calendarUnavailable`, `grantExpired`. */
  listCalendars(scope: CalendarScope, grantId: GrantId): Promise<Result<FoundCalendars>>

  /**
   * Busy intervals of each calendar that overlap `span`, in the order of `calendars`; unsorted, not merged, and not cut
   * at the span. Free, cancelled and declined events are left out, and so are the events named by `ignoring`.
   *
   * Problems: `calendarUnavailable`, also when a single calendar of several cannot be read: unknown is never free;
   * `grantExpired`.
   */
  freeBusy(
    scope: CalendarScope,
    calendars: readonly CalendarKey[],
    span: Interval,
    ignoring?: readonly EventId[],
  ): Promise<Result<readonly (readonly Interval[])[]>>

  /** What changed on a calendar since `question.token` was given. Problems: `calendarUnavailable`, `grantExpired`. */
  readChanges(scope: CalendarScope, calendar: CalendarKey, question: ChangesQuestion): Promise<Result<CalendarChanges>>

  /**
   * Makes the event exist as described, whether it was there or not: repeating it changes nothing, and tells nobody twice.
   * Problems: `calendarUnavailable`, `grantExpired`.
   */
  place(scope: CalendarScope, calendar: CalendarKey, event: PlacedEvent): Promise<Result<Placed>>

  /**
   * Only where `isLocal`, for events that stand nowhere yet, each at most once on a calendar: the statement that places them
   * on calendars which the transaction has locked, and the events as they will stand, in the order given. It goes along
   * with the bookings' own rows.
   */
  readonly placeNew?: (appId: AppId, events: readonly NewPlacement[], at: Instant) => NewlyPlaced

  /** When the event with this id takes place; undefined where it is not on the calendar. */
  find(scope: CalendarScope, calendar: CalendarKey, id: EventId): Promise<Result<Interval | undefined>>

  /** Takes the event off the calendar; one that is gone already is a success. A local provider answers whether it was there. */
  remove(scope: CalendarScope, calendar: CalendarKey, id: EventId): Promise<Result<boolean | undefined>>

  /**
   * The owner carried the event of a booking to the calendar `from` of the same account: from there it is gone, and where the
   * provider can carry events it stands on `to`, nobody told. `place` follows. Absent where owners have no hand in it.
   */
  readonly bringBack?: (
    scope: CalendarScope,
    id: EventId,
    way: { readonly from: CalendarKey; readonly to: CalendarKey },
  ) => Promise<Result<void>>
}

/** Whose calendars, and where a local provider reads and writes: the caller's transaction, or the pool for reading. */
export type CalendarScope = {
  readonly appId: AppId
  readonly local: Queryable
  /** How long a call to a remote provider may take, all its requests and waits together, where that is less than usual. */
  readonly limitMs?: number | undefined
  /** Work that nobody waits for lets requests of guests go first. */
  readonly isInBackground?: boolean | undefined
}

/** `unread`: those of which the provider could not tell how they are; what is known of them stands. All others are gone. */
export type FoundCalendars = { readonly found: readonly FoundCalendar[]; readonly unread: readonly CalendarId[] }

/** A calendar as its provider shows it. */
export type FoundCalendar = {
  /** The same for the life of the calendar. At most 1,000 characters, and fit for a URL's path once it is encoded. */
  readonly id: CalendarId
  readonly name: string
  /** An IANA zone; undefined where the provider says none. */
  readonly timezone: string | undefined
  /** At most one is; no other claims it. */
  readonly isPrimary: boolean
  readonly readOnly: boolean
  readonly description?: string | undefined
  readonly hexColor?: string | undefined
}

/** The event of a booking, once it stands. */
export type Placed = {
  /** A local provider answers the event as it keeps it: nobody else will ever tell of it. */
  readonly event?: CalendarEvent | undefined
  /**
   * Whom the provider itself has invited, or told of the change: addresses in small letters, as read back from it. Our own
   * mail to them carries no invitation; all others are invited by our mail. Never both.
   */
  readonly invited: readonly string[]
  /** There are guests whom the provider invites when the event is placed once more, no longer as held. */
  readonly invitesLater?: boolean | undefined
  /** Which item of `readChanges` it is, and its version, where they are known already. */
  readonly item?: { readonly id: string; readonly version: string | undefined } | undefined
}

export type NewPlacement = { readonly key: CalendarKey; readonly event: PlacedEvent }

export type NewlyPlaced = { readonly statement: Sql; readonly events: readonly CalendarEvent[] }

export type ChangesQuestion = {
  /** The span in which busy time is wanted. The same as long as the same token is passed on. */
  readonly window: Interval
  /** As the last answer gave it; undefined asks for everything. */
  readonly token: string | undefined
  /** Versions by item as the mirror has them, for providers that must compare: read only when called. */
  readonly known: () => Promise<ReadonlyMap<string, string>>
}

/**
 * `changes`: only items named here changed, and those in `removed` are gone. `everything`: these are all items, whatever
 * was known before. An item that is neither busy nor ours may be left out of `everything` only if its version is never asked for.
 */
export type CalendarChanges =
  | {
      readonly kind: 'changes'
      readonly token: string
      readonly changed: readonly CalendarItem[]
      readonly removed: readonly string[]
    }
  | { readonly kind: 'everything'; readonly token: string | undefined; readonly items: readonly CalendarItem[] }

/** An event with all its occurrences, or one object of the provider that holds them. */
export type CalendarItem = {
  readonly id: string
  /** Changes whenever the item does (an ETag); undefined where the provider has none. */
  readonly version: string | undefined
  /** Busy time in the window, series unfolded; unsorted. Empty for what is free, cancelled or declined. */
  readonly busy: readonly Interval[]
  /** Set where the item is the event of a booking of ours, and when it takes place now; `when` undefined: it is cancelled. */
  readonly own: { readonly eventId: EventId; readonly when: Interval | undefined } | undefined
}

/** The tower for a grant's provider; undefined for one that this server cannot reach (yet). */
export type CalendarProviders = (provider: GrantProvider) => CalendarProvider | undefined
