// What is known of calendars elsewhere: busy time as it was at a time, and how each calendar stands.

export const calendarMirrors = `
create table openslot.mirrors (
  app_id uuid not null, grant_id uuid not null, calendar_id text not null,
  -- What the provider's next answer goes on from.
  token text,
  -- The span whose busy time is known; null before the first whole reading. And when all of it was read.
  covered tstzrange, read_at timestamptz,
  -- What stands here was true then, or later.
  true_at timestamptz,
  -- Counts what was written, so that an answer asked for before does not undo it.
  generation bigint not null default 0,
  -- The generation that was compared with the bookings on the calendar.
  reconciled bigint not null default -1,
  health text not null default 'ok' check (health in ('ok', 'failing', 'reconnect')),
  reason text, since timestamptz not null default now(),
  -- When to ask again; while one process is at it, when another may.
  due_at timestamptz not null default now(),
  primary key (app_id, grant_id, calendar_id),
  foreign key (app_id, grant_id, calendar_id) references openslot.calendars (app_id, grant_id, id) on delete cascade);
create index mirrors_due on openslot.mirrors (due_at);

-- One event with all its occurrences, as the provider keeps it.
create table openslot.mirror_items (
  app_id uuid not null, grant_id uuid not null, calendar_id text not null, id text not null,
  version text, busy tstzmultirange not null,
  -- Set where it bears the marker of a booking, and when it takes place; null: it was there, and is gone or cancelled.
  booking_id uuid, own_during tstzrange,
  primary key (app_id, grant_id, calendar_id, id),
  foreign key (app_id, grant_id, calendar_id) references openslot.mirrors (app_id, grant_id, calendar_id) on delete cascade);
create index mirror_items_busy on openslot.mirror_items using gist (app_id, grant_id, calendar_id, busy);
create index mirror_items_bookings on openslot.mirror_items (app_id, booking_id) where booking_id is not null;

-- What was found between calendars and bookings, and what was done about it.
create table openslot.reconciliations (
  app_id uuid not null, id uuid not null, at timestamptz not null default now(),
  grant_id uuid not null, calendar_id text not null, booking_id uuid not null,
  found text not null check (found in ('deleted', 'moved', 'stray', 'missing')),
  outcome text not null,
  primary key (app_id, id));
create index reconciliations_booking on openslot.reconciliations (app_id, booking_id, at);
`
