// What guests said of themselves, taken out of bookings that are long over and of their events on our own calendars.
import type { Instant } from '../../core/time/instant.ts'
import type { Transaction } from './database.ts'
import { partSize } from './maintenance.ts'
import { sql } from './sql.ts'

/**
 * Blanks names, addresses, answers, reasons, and the texts that may be made of them, of at most 1,000 bookings that ended before
 * `endedBefore`; titles become the configuration's name. Who served, when and what became of it stays, so a booking counts where it
 * counted. One that was changed after `unchangedSince` waits: notifications and mails about it are still kept. Answers how many.
 */
export async function blankGuestData(
  transaction: Transaction,
  { endedBefore, unchangedSince }: { readonly endedBefore: Instant; readonly unchangedSince: Instant },
): Promise<number> {
  const { appId } = transaction
  // A new version, so that nobody who has read the booking before writes what it was back.
  const [row] = await transaction.query<{ count: number }>(sql`
    with due as (
      select id from openslot.bookings
      where app_id = ${appId} and guest_blanked_at is null and upper(during) < ${new Date(endedBefore)}
        and updated_at < ${new Date(unchangedSince)} and change is null
      order by upper(during) limit ${partSize} for update skip locked),
    blanked as (
      update openslot.bookings as booking set guest_email = '', guest_blanked_at = now(), version = booking.version + 1,
        body = booking.body - 'invitedByCalendar' || jsonb_build_object('cancellationReason', '',
          'details', booking.body -> 'details' || jsonb_build_object('title', coalesce(nullif(configuration.document ->> 'name', ''), 'removed'),
            'description', '', 'location', '', 'guest', jsonb_build_object('email', '', 'name', ''),
            'additionalGuests', '[]'::jsonb, 'additionalFields', '{}'::jsonb))
      from due, openslot.configurations as configuration
      where booking.app_id = ${appId} and booking.id = due.id
        and configuration.app_id = ${appId} and configuration.id = booking.configuration_id
      returning booking.event_id, booking.body),
    events as (
      update openslot.events as event set updated_at = now(),
        body = event.body || jsonb_build_object('title', blanked.body #> '{details,title}', 'description', '', 'location', '',
          'participants', coalesce((
            select jsonb_agg(person) from jsonb_array_elements(event.body -> 'participants') as person
            where lower(person ->> 'email') in (
              select lower(host ->> 'email') from jsonb_array_elements(blanked.body #> '{service,hosts}') as host)), '[]'::jsonb))
      from blanked, jsonb_array_elements(blanked.body #> '{service,placements}') as placement
      where event.app_id = ${appId} and event.grant_id = (placement #>> '{key,grantId}')::uuid
        and event.calendar_id = placement #>> '{key,calendarId}' and event.id = blanked.event_id
        and upper(event.during) < ${new Date(endedBefore)}
      returning event.id)
    select count(*) as count from blanked`)
  return row?.count ?? 0
}
