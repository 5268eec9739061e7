// Which bookings of other grants' configurations stand, or once stood, on the calendars of a grant: where its list looks for them.
import type { Booking } from '../../core/booking/booking.ts'
import type { AppId, GrantId } from '../../core/ids.ts'
import { records, type Sql, sql, toTimestamp } from './database/sql.ts'

/** A new booking, and the grant of its configuration, whose list finds it by that. */
export type NewHosting = { readonly booking: Booking; readonly owner: GrantId }

/** For `together`: nothing where all stand on calendars of their configurations' own grants. */
export function hostedRows(appId: AppId, hostings: readonly NewHosting[]): Sql[] {
  const rows = hostings.flatMap(({ booking, owner }) =>
    grantsOf(booking)
      .filter((grantId) => grantId !== owner)
      .map((grantId) => ({ grant_id: grantId, created_at: toTimestamp(booking.createdAt), booking_id: booking.id })),
  )
  if (rows.length === 0) return []
  return [
    sql`
      insert into openslot.hosted_bookings (app_id, grant_id, created_at, booking_id)
      select ${appId}, hosting.* from ${records(rows)} as hosting (grant_id uuid, created_at timestamptz, booking_id uuid)
      on conflict do nothing returning booking_id`,
  ]
}

/** For a statement whose `changed` answers id, configuration and creation of `booking` as it is now. What it left stays: the list asks the booking itself. */
export function hostsOfChanged(appId: AppId, booking: Booking): Sql {
  return sql`
    insert into openslot.hosted_bookings (app_id, grant_id, created_at, booking_id)
    select ${appId}, host.grant_id, changed.created_at, changed.id from changed
    join openslot.configurations as configuration
      on configuration.app_id = ${appId} and configuration.id = changed.configuration_id
    cross join unnest(${grantsOf(booking)}::uuid[]) as host (grant_id)
    where host.grant_id <> configuration.grant_id
    on conflict do nothing`
}

function grantsOf({ service }: Booking): GrantId[] {
  return [...new Set(service.placements.map(({ key }) => key.grantId))]
}
