// Claims: the time of calendars that our own bookings take. The database refuses two that overlap.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { AppId, BookingId, EventId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Queryable, Transaction } from './database/database.ts'
import { newId } from './database/ids.ts'
import { records, type Sql, sql, toRange } from './database/sql.ts'

/** The name of the constraint that a second claim on the same time violates. */
export const doubleBooking = 'no_double_booking'

/** Claims that overlap `span`, for each calendar in the order asked; those of the booking `ignoring` left out. */
export async function activeClaims(
  queryable: Queryable,
  appId: AppId,
  calendars: readonly CalendarKey[],
  span: Interval,
  ignoring?: BookingId,
): Promise<Interval[][]> {
  const rows = await queryable.query<{ place: number; start: Instant; end: Instant }>(sql`
    select asked.place, lower(claim.during) as start, upper(claim.during) as end
    from unnest(${calendars.map(({ grantId }) => grantId)}::uuid[], ${calendars.map(({ calendarId }) => calendarId)}::text[])
      with ordinality as asked (grant_id, calendar_id, place)
    join openslot.slot_claims claim
      on claim.app_id = ${appId} and claim.grant_id = asked.grant_id and claim.calendar_id = asked.calendar_id
    where claim.during && ${toRange(span)}::tstzrange and claim.booking_id is distinct from ${ignoring ?? null}::uuid`)
  const claims: Interval[][] = calendars.map(() => [])
  for (const { place, start, end } of rows) claims[place - 1]?.push({ start, end })
  return claims
}

/** Events of the bookings that take time on a calendar. */
export async function listClaimingEvents(
  transaction: Transaction,
  { grantId, calendarId }: CalendarKey,
): Promise<EventId[]> {
  const { appId } = transaction
  const rows = await transaction.query<{ id: EventId }>(sql`
    select booking.event_id as id from openslot.slot_claims as claim
    join openslot.bookings as booking on booking.app_id = ${appId} and booking.id = claim.booking_id
    where claim.app_id = ${appId} and claim.grant_id = ${grantId} and claim.calendar_id = ${calendarId}`)
  return rows.map(({ id }) => id)
}

/** For a booking. */
export type NewClaim = { readonly bookingId: BookingId; readonly key: CalendarKey; readonly during: Interval }

/**
 * For `together`. Throws, where it is sent, `ConstraintViolation` `no_double_booking` if another booking has the time.
 * What the booking claimed before is given up before it is sent (`giveUpClaims`), since two claims of its own collide too.
 */
export function claimRows(appId: AppId, claims: readonly NewClaim[], which: 'new' | 'hadClaims'): Sql {
  const rows = claims.map(({ bookingId, key, during }) => ({
    id: newId(),
    booking_id: bookingId,
    grant_id: key.grantId,
    calendar_id: key.calendarId,
    during: toRange(during),
  }))
  return sql`
    insert into openslot.slot_claims (app_id, id, booking_id, grant_id, calendar_id, during)
    select ${appId}, claim.* from ${records(rows)}
      as claim (id uuid, booking_id uuid, grant_id uuid, calendar_id text, during tstzrange)
    ${which === 'new' ? sql`` : onlyStanding(appId)}
    returning id`
}

export async function giveUpClaims(transaction: Transaction, bookingId: BookingId): Promise<void> {
  await transaction.query(sql`
    delete from openslot.slot_claims where app_id = ${transaction.appId} and booking_id = ${bookingId}`)
}

/** Time on a calendar that is gone, because its account was taken away, is nobody's to claim. */
function onlyStanding(appId: AppId): Sql {
  return sql`where exists (select from openslot.calendars as calendar
    where calendar.app_id = ${appId} and calendar.grant_id = claim.grant_id and calendar.id = claim.calendar_id)`
}
