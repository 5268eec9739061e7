// What lists read when an application has a million bookings: the rows that they show, not all that there are.

/** Row security shows a login that is no superuser one application's bookings at a time. */
export const boundedReadsRows = `
do $$ declare application uuid; begin
  for application in select app_id from openslot.applications loop
    perform set_config('app.id', application::text, true);
    insert into openslot.hosted_bookings (app_id, grant_id, created_at, booking_id)
      select distinct booking.app_id, (placement #>> '{key,grantId}')::uuid, booking.created_at, booking.id
      from openslot.bookings as booking
      join openslot.configurations as configuration on configuration.app_id = booking.app_id and configuration.id = booking.configuration_id
      cross join jsonb_array_elements(booking.body #> '{service,placements}') as placement
      where booking.app_id = application and (placement #>> '{key,grantId}')::uuid <> configuration.grant_id
      on conflict do nothing;
  end loop;
end $$;
`

export const boundedReads = `
-- In the order in which a booking of a process that still serves takes them, calendars first: what is under way ends, and what
-- comes waits before it holds anything. No booking is written after the look below and before its row would be.
lock table openslot.calendars, openslot.bookings in exclusive mode;
lock table openslot.events, openslot.deliveries in access exclusive mode;
lock table openslot.audit_log in share mode;

-- Bookings that stand, or once stood, on a calendar of a grant that is not the one of their configuration; the others cost nothing.
create table openslot.hosted_bookings (
  app_id uuid not null, grant_id uuid not null, created_at timestamptz not null, booking_id uuid not null,
  primary key (app_id, grant_id, created_at, booking_id));
${boundedReadsRows}
-- Mails without a notification: asked for by their booking. By age they are found by their ids.
drop index openslot.deliveries_mails_alone;
create index deliveries_mails_alone on openslot.deliveries (booking_id, app_id) where kind = 'mail' and event_id is null;

-- One index for both: the deliveries of a notification, and that an endpoint gets it once. Mails have no endpoint.
drop index openslot.deliveries_event;
drop index openslot.deliveries_endpoint;
create unique index deliveries_event on openslot.deliveries (event_id, app_id, endpoint_id);

-- Those of whom somebody asks what went wrong, among a million that went well.
create index deliveries_mails_lost on openslot.deliveries (app_id, id) where kind = 'mail' and state in ('dead', 'cancelled');
create index deliveries_lost on openslot.deliveries (app_id, endpoint_id, id) where kind = 'webhook' and state = 'dead';

-- What was done to anything but bookings. What was done to one lies between its making and its last change.
create index audit_log_seldom on openslot.audit_log (app_id, id) where action not like 'booking.%';

-- For who asks for a window alone, hence the hash in place of the key: it looked as good as the primary key for one event by its id, and all of
-- the calendar were read.
drop index openslot.events_window;
create index events_window on openslot.events using gist (app_id, (uuid_hash_extended(grant_id, hashtextextended(calendar_id, 0))), during);
`
