// Claims: the time of calendars that our own bookings take. The database refuses two that overlap.
import type { CalendarKey } from '../../core/account/grant.ts'
import type { AppId, BookingId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import type { Interval } from '../../core/time/interval.ts'
import type { Queryable, Transaction } from './database.ts'
import { newId } from './ids.ts'
import { type Sql, sql } from './sql.ts'

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

/** A half-open range as PostgreSQL reads it. */
export function toRange({ start, end }: Interval): string {
  return `[${new Date(start).toISOString()},${new Date(end).toISOString()})`
}

/**
 * For `together`. Throws, where it is sent, `ConstraintViolation` `no_double_booking` if another booking has the time.
 * What the booking claimed before is given up before it is sent (`giveUpClaims`), since two claims of its own collide too.
 */
export function claimRows(
  appId: AppId,
  bookingId: BookingId,
  claims: readonly { readonly key: CalendarKey; readonly during: Interval }[],
  which: 'new' | 'hadClaims',
): Sql {
  return sql`
    insert into openslot.slot_claims (app_id, id, booking_id, grant_id, calendar_id, during)
    select ${appId}, id, ${bookingId}::uuid, grant_id, calendar_id, during
    from unnest(${claims.map(() => newId())}::uuid[], ${claims.map(({ key }) => key.grantId)}::uuid[],
      ${claims.map(({ key }) => key.calendarId)}::text[], ${claims.map(({ during }) => toRange(during))}::tstzrange[])
      as claim (id, grant_id, calendar_id, during)
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
