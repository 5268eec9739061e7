// The list of a grant's bookings, page by page, however many an application has.
import type { Booking } from '../../core/booking/booking.ts'
import type { ConfigurationId, GrantId } from '../../core/ids.ts'
import type { Interval } from '../../core/time/interval.ts'
import { type BookingRow, columns, toBooking } from './bookings.ts'
import type { Transaction } from './database/database.ts'
import { join, type Sql, sql, toRange } from './database/sql.ts'

export type BookingFilter = {
  readonly configurationId?: ConfigurationId | undefined
  readonly status?: 'pending' | 'booked' | 'cancelled' | undefined
  readonly guestEmail?: string | undefined
  readonly eventId?: string | undefined
  /** Bookings that overlap `[startsBefore…endsAfter)`. */
  readonly span?: Interval | undefined
  readonly limit: number
  readonly after: string | undefined
}

/**
 * Bookings of the configurations of a grant, and those whose event stands on one of its calendars, newest first; `after` is the id
 * of the last one seen. Reads the bookings of the grant from there on until the page is full, and no others.
 */
export async function listBookings(
  transaction: Transaction,
  grantId: GrantId,
  filter: BookingFilter,
): Promise<Booking[]> {
  const { appId } = transaction
  const found =
    filter.eventId === undefined ? newest(transaction, grantId, filter) : ofEvent(transaction, grantId, filter)
  const rows = await transaction.query<BookingRow>(sql`
    select ${columns} from openslot.bookings where app_id = ${appId} and id = any(array(${found}))
    order by created_at desc, id desc limit ${filter.limit}`)
  return rows.map((row) => toBooking(appId, row))
}

/** An event is of one booking. */
function ofEvent({ appId }: Scope, grantId: GrantId, filter: BookingFilter): Sql {
  return sql`
    select booking.id from openslot.bookings as booking
    where ${asAsked({ appId }, filter)} and booking.event_id = ${filter.eventId} ${older({ appId }, sql`booking.created_at, booking.id`, filter)}
      and (booking.configuration_id in (${configurations({ appId }, grantId, filter)}) or ${standsOn(grantId)})`
}

function newest({ appId }: Scope, grantId: GrantId, filter: BookingFilter): Sql {
  const ofConfiguration = (limit: number) => sql`
    select booking.created_at, booking.id from openslot.bookings as booking
    where ${asAsked({ appId }, filter)} and booking.configuration_id = configuration.id ${older({ appId }, sql`booking.created_at, booking.id`, filter)}
    order by booking.created_at desc, booking.id desc limit ${limit}`
  const all = configurations({ appId }, grantId, filter)
  // One whose newest booking is not among so many of the newest has none on the page. Where few are asked for, looking for
  // its newest may read all that it has, and once is enough.
  const { status, guestEmail, span } = filter
  const isRare = guestEmail !== undefined || span !== undefined || (status !== undefined && status !== 'booked')
  const promising = sql`
    select configuration.id from (${all}) as configuration cross join lateral (${ofConfiguration(1)}) as latest
    order by latest.created_at desc, latest.id desc limit ${filter.limit}`
  return sql`
    with configuration as (${isRare ? all : promising}),
    candidate as (
      select found.created_at, found.id from configuration cross join lateral (${ofConfiguration(filter.limit)}) as found
      union
      (select hosted.created_at, hosted.booking_id from openslot.hosted_bookings as hosted
        join openslot.bookings as booking on booking.id = hosted.booking_id
        where hosted.app_id = ${appId} and hosted.grant_id = ${grantId} and ${standsOn(grantId)} and ${asAsked({ appId }, filter)}
          ${older({ appId }, sql`hosted.created_at, hosted.booking_id`, filter)}
        order by hosted.created_at desc, hosted.booking_id desc limit ${filter.limit}))
    select id from candidate order by created_at desc, id desc limit ${filter.limit}`
}

type Scope = Pick<Transaction, 'appId'>

function configurations({ appId }: Scope, grantId: GrantId, { configurationId }: BookingFilter): Sql {
  const all = sql`select id from openslot.configurations where app_id = ${appId} and grant_id = ${grantId}`
  return configurationId === undefined ? all : sql`${all} and id = ${configurationId}`
}

function standsOn(grantId: GrantId): Sql {
  return sql`booking.body #> '{service,placements}' @> ${JSON.stringify([{ key: { grantId } }])}::jsonb`
}

function older({ appId }: Scope, place: Sql, { after }: BookingFilter): Sql {
  if (after === undefined) return sql``
  return sql`and (${place}) < (select created_at, id from openslot.bookings where app_id = ${appId} and id = ${after})`
}

/** What every booking of the list is, wherever it was found. */
function asAsked({ appId }: Scope, { status, configurationId, guestEmail, span }: BookingFilter): Sql {
  const conditions = [
    sql`booking.app_id = ${appId}`,
    status === undefined ? sql`booking.state in ('pending', 'booked', 'cancelled')` : sql`booking.state = ${status}`,
  ]
  if (configurationId !== undefined) conditions.push(sql`booking.configuration_id = ${configurationId}`)
  if (guestEmail !== undefined) conditions.push(sql`lower(booking.guest_email) = lower(${guestEmail})`)
  if (span !== undefined) conditions.push(sql`booking.during && ${toRange(span)}::tstzrange`)
  return join(conditions, 'and')
}
