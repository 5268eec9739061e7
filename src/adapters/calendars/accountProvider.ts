// What a tower beyond this server keeps: the same questions, each asked with one account, opened by the caller.
import type { PlacedEvent } from '../../core/booking/placedEvent.ts'
import type { AppId, CalendarId, EventId, GrantId } from '../../core/ids.ts'
import type { Result } from '../../core/result.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { CalendarChanges, ChangesQuestion, FoundCalendars, Placed } from './calendarProvider.ts'

/**
 * A tower holds no credentials and no state of its accounts; `accountCalendars` opens them, bounds how many calls an
 * account carries at once, waits where the provider asked for it, and gives every call its time limit.
 *
 * Every answer may be one of these problems:
 * - `grantExpired`: the provider refused the credentials (401). Nothing is tried again until the owner connects anew.
 * - `calendarUnavailable`: anything else that leaves the question unanswered; with `retryAfterSeconds` where the provider
 *   named a time (429, 503). The message says what happened in words for the organizer, and no address or secret.
 *
 * A call ends soon after its `signal` is aborted, as `calendarUnavailable`.
 */
export interface AccountProvider {
  readonly capabilities: Capabilities

  /**
   * Signs in, finds the account's calendars, and answers what is kept of it.
   * Problems: `invalidRequest` that names the field: `settings.password` (refused), `settings.server_url` (no such server, or
   * none that keeps calendars), `settings.username` (signed in, and no calendar there); `calendarUnavailable`.
   */
  connect(settings: ConnectSettings, signal: AbortSignal): Promise<Result<ConnectedAccount>>

  /**
   * Looks whether the provider keeps the account at another place by now; asked after a call that failed. Answers what is kept
   * of it from then on, or undefined where it is where it was, or can be nowhere else.
   */
  relocate(call: AccountCall): Promise<Result<Account['settings'] | undefined>>

  listCalendars(call: AccountCall): Promise<Result<FoundCalendars>>

  /** As `CalendarProvider.freeBusy`, for calendars of one account. */
  freeBusy(
    call: AccountCall,
    calendars: readonly CalendarId[],
    span: Interval,
    ignoring: readonly EventId[],
  ): Promise<Result<readonly (readonly Interval[])[]>>

  /** Where nothing changed it takes one request. A token that the provider no longer knows is answered with `everything`. */
  readChanges(call: AccountCall, calendar: CalendarId, question: ChangesQuestion): Promise<Result<CalendarChanges>>

  /** Repeatable also after a lost answer: looks for its own event before it makes a second one. */
  place(call: AccountCall, calendar: CalendarId, event: PlacedEvent): Promise<Result<Placed>>

  find(call: AccountCall, calendar: CalendarId, id: EventId): Promise<Result<Interval | undefined>>

  remove(call: AccountCall, calendar: CalendarId, id: EventId): Promise<Result<void>>

  /** As `CalendarProvider.bringBack`, for two calendars of one account. */
  bringBack(call: AccountCall, id: EventId, way: { from: CalendarId; to: CalendarId }): Promise<Result<void>>
}

/** What the protocol allows; what one server really did is read from its answers. */
export type Capabilities = {
  /** Whether servers may invite guests by themselves; `Placed.invited` says whom they did. */
  readonly invites: boolean
  /** Whether a conference can be made together with the event. */
  readonly conferencing: boolean
  /** Whether it tells of changes by itself; all are polled. */
  readonly push: boolean
}

/** As in the body of `POST /v3/connect/custom`; each tower reads its own words. */
export type ConnectSettings = Readonly<Record<string, string>>

export type ConnectedAccount = {
  /** Whose account it is: one grant for one email. */
  readonly email: string
  /** Kept as it is with the grant: what discovery found, with all `addresses` of the account that the provider names. Never a secret. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Kept sealed, and handed back in `Account.secret`. */
  readonly secret: string
  readonly calendars: FoundCalendars
}

/** The account behind a grant, opened for one call. Never logged, never kept. */
export type Account = {
  readonly appId: AppId
  readonly grantId: GrantId
  readonly email: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly secret: string
  /** The zone of each calendar as this server knows it: whole days and floating times are read in it, where the provider says none. */
  readonly timezones: ReadonlyMap<CalendarId, string>
}

export type AccountCall = {
  readonly account: Account
  readonly signal: AbortSignal
  /** A call sends one request after the other; what it asks at the same time goes through this. */
  readonly askEach: AskEach
}

/**
 * Asks about each of `items`: always in the place that the call has, and in every free place of the account that no other
 * call is in line for. Answers in the order of `items`, or the first problem: then no more is asked.
 */
export type AskEach = <Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result<Answer>>,
) => Promise<Result<Answer[]>>
