// What every calendar provider keeps: read what is busy, and place, find and remove the event of a booking.
import type { CalendarKey, GrantProvider } from '../../core/account/grant.ts'
import type { PlacedEvent } from '../../core/booking/placedEvent.ts'
import type { CalendarEvent } from '../../core/calendar/event.ts'
import type { AppId, EventId } from '../../core/ids.ts'
import type { Result } from '../../core/result.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Queryable } from '../storage/database.ts'

export interface CalendarProvider {
  /**
   * True where the calendars live in our own database: then calls take part in the caller's transaction, and hold,
   * place and settle are one. Elsewhere no call may stand inside a transaction.
   */
  readonly isLocal: boolean

  /** True where the calendar itself invites the people on an event; elsewhere our mails carry the invitations. Never both. */
  readonly sendsInvitations: boolean

  /**
   * Busy intervals of each calendar that overlap `span`, in the order of `calendars`; unsorted, not merged, and not cut
   * at the span. Free and cancelled events are left out, and so are the events named by `ignoring`.
   *
   * Problems: `calendarUnavailable`, also when a single calendar of several cannot be read: unknown is never free.
   */
  freeBusy(
    scope: CalendarScope,
    calendars: readonly CalendarKey[],
    span: Interval,
    ignoring?: readonly EventId[],
  ): Promise<Result<readonly (readonly Interval[])[]>>

  /**
   * Makes the event exist as described, whether it was there or not: repeating it changes nothing. A local provider answers
   * the event as it keeps it: nobody else will ever tell of it.
   */
  place(scope: CalendarScope, calendar: CalendarKey, event: PlacedEvent): Promise<Result<CalendarEvent | undefined>>

  /** When the event with this id takes place; undefined where it is not on the calendar. */
  find(scope: CalendarScope, calendar: CalendarKey, id: EventId): Promise<Result<Interval | undefined>>

  /** Takes the event off the calendar; one that is gone already is a success. A local provider answers whether it was there. */
  remove(scope: CalendarScope, calendar: CalendarKey, id: EventId): Promise<Result<boolean | undefined>>
}

/** Whose calendars, and where a local provider reads and writes: the caller's transaction, or the pool for reading. */
export type CalendarScope = { readonly appId: AppId; readonly local: Queryable }

/** The tower for a grant's provider; undefined for one that this server cannot reach (yet). */
export type CalendarProviders = (provider: GrantProvider) => CalendarProvider | undefined
