// Where a calendar and the bookings on it disagree, and what was done about it.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { AppId, BookingId, CalendarId, EventId, GrantId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Queryable, Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { sql } from './database/sql.ts'

/**
 * `deleted`, `moved`: by hand, on the calendar; an event whose length was taken away has moved. `stray`: the event of a booking that takes no time there. `missing`: a booking
 * whose event the calendar never showed.
 */
export type Difference = {
  readonly found: 'deleted' | 'moved' | 'stray' | 'missing'
  readonly bookingId: BookingId
  readonly eventId: EventId
  readonly version: number
  /** When the booking takes place. */
  readonly when: Interval
}

/**
 * How a calendar as mirrored differs from the settled bookings on it that end after `now`. Bookings that changed after the
 * calendar was read are left for the next reading, and so are events with a marker of a booking that is not here: they are
 * another server's.
 */
export async function findDifferences(
  transaction: Transaction,
  { grantId, calendarId }: CalendarKey,
  now: Instant,
): Promise<Difference[]> {
  const { appId } = transaction
  const rows = await transaction.query<{
    bookingId: BookingId
    eventId: EventId
    version: number
    isTaking: boolean
    hasItem: boolean
    isThere: boolean
    start: Instant
    end: Instant
  }>(sql`
    with mirror as (
      select true_at, covered from openslot.mirrors
      where app_id = ${appId} and grant_id = ${grantId} and calendar_id = ${calendarId}),
    claim as (
      select booking_id from openslot.slot_claims
      where app_id = ${appId} and grant_id = ${grantId} and calendar_id = ${calendarId} and upper(during) > ${new Date(now)}),
    item as (
      select booking_id, own_during from openslot.mirror_items
      where app_id = ${appId} and grant_id = ${grantId} and calendar_id = ${calendarId} and booking_id is not null),
    pair as (
      select coalesce(claim.booking_id, item.booking_id) as booking_id, claim.booking_id is not null as is_taking,
        item.booking_id is not null as has_item, item.own_during
      from claim full join item on item.booking_id = claim.booking_id)
    select booking.id as "bookingId", booking.event_id as "eventId", booking.version, pair.is_taking as "isTaking", pair.has_item as "hasItem",
      pair.own_during is not null as "isThere", lower(booking.during) as start, upper(booking.during) as end
    from pair cross join mirror join openslot.bookings as booking on booking.app_id = ${appId} and booking.id = pair.booking_id
    where booking.change is null and booking.updated_at < mirror.true_at and upper(booking.during) > ${new Date(now)}
      and booking.during <@ mirror.covered
      and case when pair.is_taking then pair.own_during is distinct from booking.during else pair.own_during is not null end`)
  return rows.map(({ bookingId, eventId, version, isTaking, hasItem, isThere, start, end }) => ({
    bookingId,
    eventId,
    version,
    when: { start, end },
    found: !isTaking ? 'stray' : !hasItem ? 'missing' : isThere ? 'moved' : 'deleted',
  }))
}

export async function recordReconciliation(
  transaction: Transaction,
  { grantId, calendarId }: CalendarKey,
  { found, bookingId }: Pick<Difference, 'found' | 'bookingId'>,
  outcome: string,
): Promise<void> {
  await transaction.query(sql`
    insert into openslot.reconciliations (app_id, id, grant_id, calendar_id, booking_id, found, outcome)
    values (${transaction.appId}, ${newId()}, ${grantId}, ${calendarId}, ${bookingId}, ${found}, ${outcome})`)
}

/** What was done about the same difference before, in no order. */
export async function listOutcomes(
  transaction: Transaction,
  { grantId, calendarId }: CalendarKey,
  { found, bookingId }: Pick<Difference, 'found' | 'bookingId'>,
): Promise<string[]> {
  const rows = await transaction.query<{ outcome: string }>(sql`
    select outcome from openslot.reconciliations
    where app_id = ${transaction.appId} and booking_id = ${bookingId} and grant_id = ${grantId} and calendar_id = ${calendarId}
      and found = ${found}`)
  return rows.map(({ outcome }) => outcome)
}

/** Calendars of a grant on which the event of a booking was left alone: they show a calendar that it stands on, too. */
export async function listLeftAlone(
  transaction: Transaction,
  grantId: GrantId,
  bookingId: BookingId,
): Promise<CalendarId[]> {
  const rows = await transaction.query<{ calendarId: CalendarId }>(sql`
    select distinct calendar_id as "calendarId" from openslot.reconciliations
    where app_id = ${transaction.appId} and booking_id = ${bookingId} and grant_id = ${grantId}
      and found = 'stray' and outcome = 'leftAlone'`)
  return rows.map(({ calendarId }) => calendarId)
}

export type ReconciliationCount = {
  readonly found: Difference['found']
  readonly outcome: string
  readonly count: number
}

/** All that ever happened, for whoever runs the server. */
export function countReconciliations(queryable: Queryable, appId: AppId): Promise<ReconciliationCount[]> {
  return queryable.query<ReconciliationCount>(sql`
    select found, outcome, count(*) as count from openslot.reconciliations where app_id = ${appId}
    group by found, outcome order by found, outcome`)
}
