// Bookings as rows, and what is written with each change of one.

import type { CalendarKey } from '../../core/account/grant.ts'
import type { Booking, BookingDetails, BookingState, CancelledBy, Change, Service } from '../../core/booking/booking.ts'
import type { AppId, BookingId, ConfigurationId, EventId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import { keyRows } from './calendars.ts'
import type { Transaction } from './database/database.ts'
import { lowercased, records, type Sql, sql, toBytea, toRange, toTimestamp } from './database/sql.ts'
import { hostsOfChanged } from './hostedBookings.ts'

export type BookingRow = {
  id: BookingId
  configuration_id: ConfigurationId
  organizer_salt: Buffer
  guest_salt: Buffer
  state: BookingState
  cancelled_by: CancelledBy | null
  direction: 'commit' | 'abort'
  change: Change | null
  starts_at: Instant
  ends_at: Instant
  event_id: EventId
  body: {
    service: Service
    details: BookingDetails
    cancellationReason: string
    invitedByCalendar?: readonly string[]
    movedOff?: Booking['movedOff']
  }
  version: number
  created_at: Instant
  updated_at: Instant
}

export const columns = sql`id, configuration_id, organizer_salt, guest_salt, state, cancelled_by, direction, change,
  lower(during) as starts_at, upper(during) as ends_at, event_id, body, version, created_at, updated_at`

export function toBooking(appId: AppId, row: BookingRow): Booking {
  return {
    appId,
    id: row.id,
    configurationId: row.configuration_id,
    state: row.state,
    cancelledBy: row.cancelled_by ?? undefined,
    cancellationReason: row.body.cancellationReason,
    direction: row.direction,
    change: row.change ?? undefined,
    when: { start: row.starts_at, end: row.ends_at },
    service: row.body.service,
    details: row.body.details,
    eventId: row.event_id,
    invitedByCalendar: row.body.invitedByCalendar ?? [],
    ...(row.body.movedOff === undefined ? {} : { movedOff: row.body.movedOff }),
    organizerSalt: row.organizer_salt,
    guestSalt: row.guest_salt,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** Held and released bookings are found too: the caller decides who may see them. */
export async function findBooking(transaction: Transaction, id: BookingId): Promise<Booking | undefined> {
  const [row] = await transaction.query<BookingRow>(sql`
    select ${columns} from openslot.bookings where app_id = ${transaction.appId} and id = ${id}`)
  return row === undefined ? undefined : toBooking(transaction.appId, row)
}

/** The booking whose event bears this id, in whatever state. */
export async function findBookingOfEvent(transaction: Transaction, id: EventId): Promise<Booking | undefined> {
  const [row] = await transaction.query<BookingRow>(sql`
    select ${columns} from openslot.bookings where app_id = ${transaction.appId} and event_id = ${id} limit 1`)
  return row === undefined ? undefined : toBooking(transaction.appId, row)
}

/** For the id of the booking whose event bears the id `eventId`; null where the event is none of a booking here. */
export function bookingIdOfEvent(appId: AppId, eventId: Sql): Sql {
  return sql`(select booking.id from openslot.bookings as booking
    where booking.app_id = ${appId} and booking.event_id = ${eventId} limit 1)`
}

/** As `findBooking`; nobody else changes the booking until the transaction ends. */
export async function lockBooking(transaction: Transaction, id: BookingId): Promise<Booking | undefined> {
  const [row] = await transaction.query<BookingRow>(sql`
    select ${columns} from openslot.bookings where app_id = ${transaction.appId} and id = ${id} for no key update`)
  return row === undefined ? undefined : toBooking(transaction.appId, row)
}

/** For `together`: new bookings. */
export function bookingRows(appId: AppId, bookings: readonly Booking[]): Sql {
  const rows = bookings.map((booking) => ({
    id: booking.id,
    configuration_id: booking.configurationId,
    organizer_salt: toBytea(booking.organizerSalt),
    guest_salt: toBytea(booking.guestSalt),
    state: booking.state,
    direction: booking.direction,
    change: booking.change,
    during: toRange(booking.when),
    organizer_email: booking.service.organizer.email,
    guest_email: booking.details.guest.email,
    event_id: booking.eventId,
    body: bodyOf(booking),
    version: booking.version,
    created_at: toTimestamp(booking.createdAt),
    updated_at: toTimestamp(booking.updatedAt),
  }))
  return sql`
    insert into openslot.bookings (app_id, id, configuration_id, organizer_salt, guest_salt, state, direction, change, during,
      organizer_email, guest_email, event_id, body, version, created_at, updated_at)
    select ${appId}, booking.* from ${records(rows)} as booking (id uuid, configuration_id uuid, organizer_salt bytea, guest_salt bytea,
      state text, direction text, change jsonb, during tstzrange, organizer_email text, guest_email text, event_id text, body jsonb,
      version bigint, created_at timestamptz, updated_at timestamptz)
    returning id`
}

/** Compare and set: false, and nothing is written, where the booking no longer has the version `expected`. */
export async function updateBooking(transaction: Transaction, booking: Booking, expected: number): Promise<boolean> {
  const rows = await transaction.query(sql`
    with changed as (
      update openslot.bookings set state = ${booking.state}, cancelled_by = ${booking.cancelledBy ?? null}, direction = ${booking.direction},
        change = ${booking.change ?? null}, during = ${toRange(booking.when)}, guest_email = ${booking.details.guest.email},
        assigned_at = case when organizer_lower = lower(${booking.service.organizer.email}) then assigned_at else clock_timestamp() end,
        organizer_email = ${booking.service.organizer.email}, organizer_salt = ${toBytea(booking.organizerSalt)}, body = ${bodyOf(booking)},
        version = ${booking.version}, updated_at = now(), guest_blanked_at = null
      where app_id = ${transaction.appId} and id = ${booking.id} and version = ${expected}
      returning id, configuration_id, created_at),
    hosted as (${hostsOfChanged(transaction.appId, booking)})
    select id from changed`)
  return rows.length === 1
}

function bodyOf({ service, details, cancellationReason, invitedByCalendar, movedOff }: Booking): object {
  return {
    service,
    details,
    cancellationReason,
    ...(invitedByCalendar.length === 0 ? {} : { invitedByCalendar }),
    ...(movedOff === undefined ? {} : { movedOff }),
  }
}

/**
 * When each of `emails`, in whatever case, was last given a booking of this configuration that still stands; absent for who
 * never was.
 * Time of the assignment, not of the meeting; a booking that is being moved does not count (`ignoring`).
 * Inside a claim: after `lockConfiguration`.
 */
export async function lastAssigned(
  transaction: Transaction,
  configurationId: ConfigurationId,
  emails: readonly string[],
  ignoring?: BookingId,
): Promise<Map<string, Instant>> {
  const rows = await transaction.query<{ email: string; at: Instant }>(sql`
    select host.email, latest.at
    from unnest(${emails}::text[], ${lowercased(emails)}) as host (email, small)
    cross join lateral (
      select assigned_at as at from openslot.bookings
      where app_id = ${transaction.appId} and configuration_id = ${configurationId} and organizer_lower = host.small
        and state in ('held', 'pending', 'booked') and id is distinct from ${ignoring ?? null}::uuid
      order by assigned_at desc limit 1) as latest`)
  return new Map(rows.map(({ email, at }) => [email, at]))
}

/** How long whoever works on a change is left alone with it. */
const leaseSeconds = 30

/**
 * Makes sure that a change is finished even if this process, which works on it now, dies. `tries`: runs of the worker so far.
 * The lease begins now, and not with the transaction, which may have waited for locks.
 */
export async function scheduleRecovery(transaction: Transaction, id: BookingId, tries = 0): Promise<void> {
  const { appId } = transaction
  const seconds = Math.max(leaseSeconds, waitAfter(tries))
  await transaction.query(sql`
    select graphile_worker.add_job('settleBooking', json_build_object('appId', ${appId}::text, 'bookingId', ${id}::text,
        'tries', ${tries}::int, 'leasedUntil', clock_timestamp() + ${leaseSeconds} * interval '1 second'),
      run_at => clock_timestamp() + ${seconds} * interval '1 second', max_attempts => 100, job_key => ${settling(id)})`)
}

/**
 * Whether someone works on the change: inside the transaction that has locked the booking. `since`: the lease, as the database wrote
 * it, that whoever asks has waited for; absent: whoever has one at this moment is left alone.
 */
export async function isLeased(transaction: Transaction, id: BookingId, since: string | undefined): Promise<boolean> {
  const rows = await transaction.query(sql`
    select id from graphile_worker._private_jobs where key = ${settling(id)}
      and (payload ->> 'leasedUntil')::timestamptz > coalesce(${since ?? null}::timestamptz, clock_timestamp())`)
  return rows.length > 0
}

/**
 * After a run that did not end the change; `tries` counts it, as for `scheduleRecovery` at its beginning. Whoever has
 * scheduled another since is working on the booking, or knows more: that stays.
 */
export async function scheduleNextRecovery(transaction: Transaction, id: BookingId, tries: number): Promise<void> {
  await transaction.query(sql`
    select graphile_worker.add_job('settleBooking', (payload::jsonb - 'leasedUntil')::json,
      run_at => now() + ${waitAfter(tries)} * interval '1 second', max_attempts => 100, job_key => key)
    from graphile_worker._private_jobs where key = ${settling(id)} and (payload ->> 'tries')::int = ${tries}::int`)
}

/**
 * A calendar answers again: changes that wait for it are carried on with at once, however long their next wait would have been;
 * those that someone is working on when their lease is over, so that no two write to the calendar.
 */
export async function hurryRecoveries(transaction: Transaction, { grantId, calendarId }: CalendarKey): Promise<void> {
  await transaction.query(sql`
    select graphile_worker.add_job('settleBooking', (waiting.payload::jsonb || '{"tries": 0}')::json,
      run_at => greatest(now(), (waiting.payload ->> 'leasedUntil')::timestamptz), max_attempts => 100, job_key => waiting.key)
    from (
      select job.key, job.payload from openslot.bookings as booking
      join graphile_worker._private_jobs as job on job.key = 'settle:' || booking.id
      where booking.app_id = ${transaction.appId} and booking.change is not null and job.locked_at is null and job.run_at > now()
        and exists (select from openslot.slot_claims as claim where claim.app_id = booking.app_id and claim.booking_id = booking.id
          and claim.grant_id = ${grantId} and claim.calendar_id = ${calendarId})
      limit 1000) as waiting`)
}

/** Seconds: 10 after the first run, twice as long after each later one, up to an hour. */
function waitAfter(tries: number): number {
  return Math.min(3_600, 5 * 2 ** Math.min(tries, 10))
}

function settling(id: BookingId): string {
  return `settle:${id}`
}

export async function cancelRecovery(transaction: Transaction, id: BookingId): Promise<void> {
  await transaction.query(sql`select graphile_worker.remove_job(${settling(id)})`)
}

/**
 * The calendars are about to be deleted, and locked: a job for each booking that takes time on them and has not ended at
 * `now`. Thousands are one statement and wait behind everything else.
 */
export async function scheduleLosses(
  transaction: Transaction,
  keys: readonly CalendarKey[],
  now: Instant,
): Promise<void> {
  const { appId } = transaction
  await transaction.query(sql`
    select graphile_worker.add_jobs(array(
      select ('loseCalendar', json_build_object('appId', ${appId}::text, 'bookingId', lost.booking_id), null, now(), 100,
        'lose:' || lost.booking_id, 10, null)::graphile_worker.job_spec
      from (
        select distinct claim.booking_id from ${keyRows(keys)} as key (grant_id, calendar_id)
        join openslot.slot_claims as claim
          on claim.app_id = ${appId} and claim.grant_id = key.grant_id and claim.calendar_id = key.calendar_id
        where claim.during && ${toRange({ start: now, end: undefined })}::tstzrange) as lost))`)
}

/** Of a configuration, by id: those that are booked and have not begun, which nobody else changes until the transaction ends. */
export async function listToCome(
  transaction: Transaction,
  configurationId: ConfigurationId,
  { now, after, limit }: { readonly now: Instant; readonly after: BookingId | undefined; readonly limit: number },
): Promise<Booking[]> {
  const rows = await transaction.query<BookingRow>(sql`
    select ${columns} from openslot.bookings
    where app_id = ${transaction.appId} and configuration_id = ${configurationId} and state = 'booked'
      and lower(during) > ${new Date(now)} and (${after ?? null}::uuid is null or id > ${after ?? null}::uuid)
    order by id limit ${limit} for no key update`)
  return rows.map((row) => toBooking(transaction.appId, row))
}
