// What guests said of themselves, taken out of bookings that are long over and of their events on our own calendars.
import type { Booking } from '../../core/booking/booking.ts'
import type { BookingId, EventId } from '../../core/ids.ts'
import type { Instant } from '../../core/time/instant.ts'
import { type BookingRow, columns, toBooking } from './bookings.ts'
import type { Transaction } from './database/database.ts'
import { partSize } from './database/maintenance.ts'
import { records, type Sql, sql } from './database/sql.ts'

/**
 * Blanks names, addresses, answers, reasons, and the texts that may be made of them, of at most 1,000 bookings that ended before
 * `endedBefore`; titles become the configuration's name. Who served, when and what became of it stays, so a booking counts where it
 * counted. One that was changed after `unchangedSince` waits: notifications and mails about it are still kept. A cancelled one whose
 * event a calendar has not let go yet does not wait for that. Answers how many.
 */
export async function blankGuestData(
  transaction: Transaction,
  { endedBefore, unchangedSince }: { readonly endedBefore: Instant; readonly unchangedSince: Instant },
): Promise<number> {
  const due = await transaction.query<{ id: BookingId }>(sql`
    select id from openslot.bookings
    where app_id = ${transaction.appId} and guest_blanked_at is null and ends_at < ${new Date(endedBefore)}
      and updated_at < ${new Date(unchangedSince)} and (change is null or state = 'cancelled')
    order by ends_at limit ${partSize} for update skip locked`)
  return blank(
    transaction,
    due.map(({ id }) => id),
    endedBefore,
  )
}

type Blanked = {
  readonly id: EventId
  readonly grant_id: string
  readonly calendar_id: string
  readonly hosts: readonly string[]
  readonly title: string
}

/**
 * The bookings of `ids`, and their events that ended before `endedBefore`. Ids and events are values, not joined selections: planned
 * without them, the latter became a reading of all events of the application.
 */
async function blank(transaction: Transaction, ids: readonly BookingId[], endedBefore: Instant): Promise<number> {
  if (ids.length === 0) return 0
  const { appId } = transaction
  // A new version, so that nobody who has read the booking before writes what it was back.
  const blanked = await transaction.query<{ events: readonly Blanked[] }>(sql`
    update openslot.bookings as booking set guest_email = '', guest_blanked_at = now(), version = booking.version + 1,
      change = (booking.change #- '{overtook,details}') || '{"reason": ""}',
      body = booking.body - 'invitedByCalendar' || jsonb_build_object('cancellationReason', '',
        'details', booking.body -> 'details' || jsonb_build_object(
          'title', coalesce(nullif(configuration.document ->> 'name', ''), 'removed'), 'description', '', 'location', '',
          'guest', jsonb_build_object('email', '', 'name', ''), 'additionalGuests', '[]'::jsonb, 'additionalFields', '{}'::jsonb))
    from openslot.configurations as configuration
    where booking.app_id = ${appId} and booking.id = any(${ids}::uuid[])
      and configuration.app_id = ${appId} and configuration.id = booking.configuration_id
    returning (
      select coalesce(jsonb_agg(jsonb_build_object('id', booking.event_id, 'grant_id', placement #>> '{key,grantId}',
        'calendar_id', placement #>> '{key,calendarId}', 'title', booking.body #>> '{details,title}',
        'hosts', (select jsonb_agg(lower(host ->> 'email')) from jsonb_array_elements(booking.body #> '{service,hosts}') as host))), '[]')
      from jsonb_array_elements(booking.body #> '{service,placements}') as placement) as events`)
  await transaction.query(sql`
    update openslot.events as event set updated_at = now(),
      body = event.body || jsonb_build_object('title', blanked.title, 'description', '', 'location', '',
        'participants', coalesce((
          select jsonb_agg(person) from jsonb_array_elements(event.body -> 'participants') as person
          where blanked.hosts ? lower(person ->> 'email')), '[]'::jsonb))
    from ${records(blanked.flatMap(({ events }) => events))}
      as blanked (id text, grant_id uuid, calendar_id text, title text, hosts jsonb)
    where event.app_id = ${appId} and event.grant_id = blanked.grant_id and event.calendar_id = blanked.calendar_id
      and event.id = blanked.id and upper(event.during) < ${new Date(endedBefore)}`)
  return blanked.length
}

const isGuest = (email: string) => sql`lower(guest_email) = lower(${email})`
const isAmong = (people: Sql, email: string) => sql`exists (
  select from jsonb_array_elements(${people}) as guest where lower(guest ->> 'email') = lower(${email}))`
const isAdditionalGuest = (email: string) => isAmong(sql`body #> '{details,additionalGuests}'`, email)
/** Of a move that is not settled, or that was overtaken when all of it was kept. */
const isToJoin = (email: string) => sql`(lower(change #>> '{details,guest,email}') = lower(${email})
  or ${isAmong(sql`change #> '{details,additionalGuests}'`, email)}
  or lower(change #>> '{overtook,details,guest,email}') = lower(${email})
  or ${isAmong(sql`change #> '{overtook,details,additionalGuests}'`, email)})`

/**
 * Bookings in which an address has a part as a guest or as one of those a guest asked, in whatever state, oldest first. Reads all
 * bookings of the application, so it may take its time.
 */
export async function listBookingsOfGuest(transaction: Transaction, email: string): Promise<Booking[]> {
  const { appId } = transaction
  await takeTime(transaction)
  const rows = await transaction.query<BookingRow>(sql`
    select ${columns} from openslot.bookings
    where app_id = ${appId} and (${isGuest(email)} or ${isAdditionalGuest(email)}) order by created_at, id`)
  return rows.map((row) => toBooking(appId, row))
}

export type Erased = {
  /** Bookings of theirs that were blanked. */
  readonly blanked: number
  /** Bookings of others that they were taken out of. */
  readonly takenOut: number
  /** Notifications and mails that were deleted. */
  readonly deleted: number
  /** Bookings that still stand or are being changed; nothing of them was touched. Oldest first. */
  readonly standing: readonly BookingId[]
}

type ErasedFrom = { readonly id: BookingId; readonly event_id: string; readonly stands: boolean }

/**
 * Takes an address out of every booking that is over at `now` or was cancelled, with what is still kept of notifications, mails and
 * repeated answers about them; a booking of theirs is blanked as by its age. What they were told of a booking in which others have
 * taken their place goes as well, and what was told of them then.
 */
export async function eraseGuest(transaction: Transaction, email: string, now: Instant): Promise<Erased> {
  const { appId } = transaction
  await takeTime(transaction)
  const isPart = sql`(${isGuest(email)} or ${isAdditionalGuest(email)} or coalesce(${isToJoin(email)}, false))`
  const stands = sql`((change is not null and state <> 'cancelled')
    or (state in ('held', 'pending', 'booked') and upper(during) > ${new Date(now)}))`
  const found = await transaction.query<ErasedFrom & { isTheirs: boolean }>(sql`
    select id, event_id, ${isGuest(email)} as "isTheirs", ${stands} as stands
    from openslot.bookings where app_id = ${appId} and ${isPart} order by created_at, id for update`)
  const former = await transaction.query<ErasedFrom>(sql`
    select id, event_id, ${stands} as stands from openslot.bookings
    where app_id = ${appId} and not ${isPart} and id in (
      select booking_id from openslot.deliveries
      where app_id = ${appId} and kind = 'mail' and lower(recipient) = lower(${email}) and body ->> 'role' in ('guest', 'additionalGuest'))`)
  const over = found.filter(({ stands }) => !stands)
  const theirs = over.filter(({ isTheirs }) => isTheirs).map(({ id }) => id)
  const others = over.filter(({ isTheirs }) => !isTheirs).map(({ id }) => id)
  const blanked = await blank(transaction, theirs, now)
  await takeOut(transaction, others, email)
  const standing = found.filter(({ stands }) => stands).map(({ id }) => id)
  const ended = [...over, ...former.filter((booking) => !booking.stands)]
  const goesOn = former.filter((booking) => booking.stands)
  const deleted = (await deleteWords(transaction, ended)) + (await deleteMentions(transaction, goesOn, email))
  return { blanked, takenOut: others.length, deleted, standing }
}

async function takeOut(transaction: Transaction, ids: readonly BookingId[], email: string): Promise<void> {
  const { appId } = transaction
  const without = (people: Sql) => sql`coalesce((
    select jsonb_agg(person) from jsonb_array_elements(${people}) as person where lower(person ->> 'email') <> lower(${email})), '[]'::jsonb)`
  // Someone who is also a host stays on the event as that.
  await transaction.query(sql`
    with changed as (
      update openslot.bookings set version = version + 1, change = change #- '{overtook,details}',
        body = (case when body ? 'invitedByCalendar'
          then body || jsonb_build_object('invitedByCalendar', (body -> 'invitedByCalendar') - lower(${email}::text)) else body end)
          || jsonb_build_object('details', body -> 'details' || jsonb_build_object(
            'additionalGuests', ${without(sql`body #> '{details,additionalGuests}'`)}))
      where app_id = ${appId} and id = any(${ids}::uuid[])
      returning event_id, body)
    update openslot.events as event set updated_at = now(),
      body = event.body || jsonb_build_object('participants', ${without(sql`event.body -> 'participants'`)})
    from changed, jsonb_array_elements(changed.body #> '{service,placements}') as placement
    where event.app_id = ${appId} and event.grant_id = (placement #>> '{key,grantId}')::uuid
      and event.calendar_id = placement #>> '{key,calendarId}' and event.id = changed.event_id
      and not exists (
        select from jsonb_array_elements(changed.body #> '{service,hosts}') as host where lower(host ->> 'email') = lower(${email}))`)
}

/** What was, or was to be, told of bookings that are over; answers how many notifications and mails. */
async function deleteWords(transaction: Transaction, bookings: readonly ErasedFrom[]): Promise<number> {
  const { appId } = transaction
  const ids = bookings.map(({ id }) => id)
  const objects = [...ids, ...bookings.map(({ event_id }) => event_id)]
  const mails = await transaction.query(sql`
    delete from openslot.deliveries where app_id = ${appId} and kind = 'mail' and booking_id = any(${ids}::uuid[]) returning id`)
  const notifications = await transaction.query(sql`
    delete from openslot.webhook_events where app_id = ${appId} and object_id = any(${objects}::text[]) returning id`)
  await transaction.query(sql`
    delete from openslot.idempotency_keys where app_id = ${appId} and object_id = any(${ids}::uuid[])`)
  return mails.length + notifications.length
}

/** Of bookings that go on with others in their place: the mails and notifications that name them. */
async function deleteMentions(
  transaction: Transaction,
  bookings: readonly ErasedFrom[],
  email: string,
): Promise<number> {
  const { appId } = transaction
  const ids = bookings.map(({ id }) => id)
  const objects = [...ids, ...bookings.map(({ event_id }) => event_id)]
  const names = sql`position(lower(${email}) in lower(body::text)) > 0`
  const mails = await transaction.query(sql`
    delete from openslot.deliveries
    where app_id = ${appId} and kind = 'mail' and booking_id = any(${ids}::uuid[]) and ${names} returning id`)
  const notifications = await transaction.query(sql`
    delete from openslot.webhook_events where app_id = ${appId} and object_id = any(${objects}::text[]) and ${names} returning id`)
  return mails.length + notifications.length
}

/** Ten minutes for a statement instead of five seconds, in this transaction. */
async function takeTime(transaction: Transaction): Promise<void> {
  await transaction.query(sql`select set_config('statement_timeout', '600000', true)`)
}
