// The first schema. app_id leads every key; ids are made by the application; no foreign key leaves app_id;
// nothing newer than PostgreSQL 15.

export const firstSchema = `
create extension if not exists btree_gist;

create table openslot.applications (
  app_id uuid primary key,
  -- First 32 bits of configuration ids, and a part of keys and sessions, so that a request finds its application.
  code text not null unique check (code ~ '^[0-9a-f]{8}$'),
  name text not null,
  region text not null default 'eu',
  settings jsonb not null default '{}',
  created_at timestamptz not null default now());

create table openslot.api_keys (
  app_id uuid not null references openslot.applications, id uuid not null,
  name text not null, last_four text not null, secret_hash bytea not null,
  created_at timestamptz not null default now(), expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz,
  primary key (app_id, id), unique (app_id, secret_hash));

-- The key that seals an application's secrets, itself sealed by the master key.
create table openslot.data_keys (
  app_id uuid not null references openslot.applications, sealed bytea not null, kid text not null,
  primary key (app_id));

create table openslot.callback_uris (
  app_id uuid not null references openslot.applications, id uuid not null,
  url text not null, platform text not null default 'web', settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (app_id, id));

create table openslot.connectors (
  app_id uuid not null references openslot.applications, provider text not null,
  name text not null, settings jsonb not null default '{}', scope text[] not null default '{}', secret_sealed bytea,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (app_id, provider));

create table openslot.grants (
  app_id uuid not null references openslot.applications, id uuid not null,
  provider text not null, email text not null, name text, external_id text,
  status text not null default 'valid' check (status in ('valid', 'invalid')),
  scope text[] not null default '{}', settings jsonb not null default '{}', state text, secret_sealed bytea,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (app_id, id));
create unique index grants_email on openslot.grants (app_id, lower(email));
create unique index grants_external_id on openslot.grants (app_id, external_id) where external_id is not null;

create table openslot.access_tokens (
  app_id uuid not null, token_hash bytea not null, grant_id uuid not null,
  created_at timestamptz not null default now(), expires_at timestamptz not null,
  primary key (app_id, token_hash),
  foreign key (app_id, grant_id) references openslot.grants (app_id, id) on delete cascade);

create table openslot.calendars (
  app_id uuid not null, grant_id uuid not null, id text not null,
  name text not null, timezone text not null default 'UTC',
  is_primary boolean not null default false, read_only boolean not null default false,
  body jsonb not null default '{}',
  -- Counts changes of what is busy: what is kept in memory is compared with it on each request.
  version bigint not null default 1,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (app_id, grant_id, id),
  foreign key (app_id, grant_id) references openslot.grants (app_id, id) on delete cascade);
create unique index calendars_primary on openslot.calendars (app_id, grant_id) where is_primary;

-- Events of virtual calendars. A series is its master, with during from the first start to its end or infinity;
-- a changed or cancelled instance is a row with master_event_id and original_start.
create table openslot.events (
  app_id uuid not null, grant_id uuid not null, calendar_id text not null, id text not null,
  ical_uid text not null, master_event_id text, original_start timestamptz,
  status text not null default 'confirmed' check (status in ('confirmed', 'maybe', 'cancelled')),
  -- Whether it keeps the owner from being booked; what they said of it stands in the body.
  busy boolean not null default true, during tstzrange not null, recurring boolean not null default false,
  metadata jsonb not null default '{}', body jsonb not null,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (app_id, grant_id, calendar_id, id),
  foreign key (app_id, grant_id, calendar_id) references openslot.calendars (app_id, grant_id, id) on delete cascade);
create index events_window on openslot.events using gist (app_id, grant_id, calendar_id, during);
create index events_instances on openslot.events (app_id, grant_id, calendar_id, original_start) where master_event_id is not null;
create index events_key5 on openslot.events (app_id, grant_id, calendar_id, (metadata ->> 'key5')) where metadata ? 'key5';

create table openslot.configurations (
  app_id uuid not null references openslot.applications, id uuid not null, grant_id uuid not null,
  slug text, requires_session_auth boolean not null default false,
  document jsonb not null, version bigint not null default 1, deleted_at timestamptz,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (app_id, id));
create unique index configurations_slug on openslot.configurations (app_id, slug) where slug is not null and deleted_at is null;
create index configurations_grant on openslot.configurations (app_id, grant_id, id);

create table openslot.sessions (
  app_id uuid not null, token_hash bytea not null, configuration_id uuid not null,
  created_at timestamptz not null default now(), expires_at timestamptz not null,
  primary key (app_id, token_hash),
  foreign key (app_id, configuration_id) references openslot.configurations (app_id, id) on delete cascade);
create index sessions_configuration on openslot.sessions (app_id, configuration_id, expires_at);

create table openslot.bookings (
  app_id uuid not null, id uuid not null, configuration_id uuid not null,
  -- What opens a confirmation is in the organizer's link only; the guest's link carries another salt.
  organizer_salt bytea not null check (length(organizer_salt) >= 16), guest_salt bytea not null check (length(guest_salt) >= 16),
  state text not null check (state in ('held', 'pending', 'booked', 'cancelled', 'released')),
  cancelled_by text check (cancelled_by in ('guest', 'organizer', 'expiry', 'calendar')),
  -- Where recovery goes when a change was cut off: on, or back.
  direction text not null default 'commit' check (direction in ('commit', 'abort')),
  change jsonb,
  during tstzrange not null check (not isempty(during) and not lower_inf(during) and not upper_inf(during)),
  organizer_email text not null, assigned_at timestamptz not null default clock_timestamp(),
  guest_email text not null, event_id text not null, body jsonb not null, version bigint not null default 1,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (app_id, id),
  foreign key (app_id, configuration_id) references openslot.configurations (app_id, id));
create index bookings_unsettled on openslot.bookings (app_id, updated_at) where change is not null;
create index bookings_queue on openslot.bookings (app_id, configuration_id, organizer_email, assigned_at desc) where state in ('held', 'pending', 'booked');
create index bookings_configuration on openslot.bookings (app_id, configuration_id, created_at desc, id desc);
create index bookings_guest on openslot.bookings (app_id, lower(guest_email), created_at desc);
create index bookings_event on openslot.bookings (app_id, event_id);

-- One row per calendar whose time a booking takes. The hard rule: two claims of a calendar never overlap.
create table openslot.slot_claims (
  app_id uuid not null, id uuid not null, booking_id uuid not null, grant_id uuid not null, calendar_id text not null, during tstzrange not null,
  primary key (app_id, id),
  foreign key (app_id, booking_id) references openslot.bookings (app_id, id) on delete cascade,
  foreign key (app_id, grant_id, calendar_id) references openslot.calendars (app_id, grant_id, id) on delete cascade,
  constraint no_double_booking exclude using gist
    (app_id with =, grant_id with =, calendar_id with =, during with &&));
create index slot_claims_booking on openslot.slot_claims (app_id, booking_id);

-- The outbox: what happened, with a snapshot, written in the transaction in which it happened.
create table openslot.webhook_events (
  app_id uuid not null, id uuid not null, trigger text not null, object_id text not null, number bigint not null,
  body jsonb not null, created_at timestamptz not null default now(),
  primary key (app_id, id));
create unique index webhook_events_order on openslot.webhook_events (app_id, object_id, number);

-- One notification on its way to one endpoint or inbox.
create table openslot.deliveries (
  app_id uuid not null, id uuid not null, event_id uuid not null,
  kind text not null check (kind in ('webhook', 'mail')), endpoint_id uuid, recipient text, body jsonb,
  state text not null default 'ready' check (state in ('ready', 'done', 'dead', 'cancelled')), attempts int not null default 0,
  created_at timestamptz not null default now(), finished_at timestamptz, last_error text,
  primary key (app_id, id),
  foreign key (app_id, event_id) references openslot.webhook_events (app_id, id) on delete cascade);
create index deliveries_event on openslot.deliveries (app_id, event_id);

create table openslot.idempotency_keys (
  app_id uuid not null references openslot.applications, scope text not null, key_hash bytea not null, request_hash bytea not null,
  object_id uuid not null, status int, response jsonb,
  created_at timestamptz not null default now(), lease_until timestamptz not null, expires_at timestamptz not null,
  primary key (app_id, scope, key_hash));
create index idempotency_keys_expiry on openslot.idempotency_keys (app_id, expires_at);

create table openslot.audit_log (
  app_id uuid not null, id uuid not null, at timestamptz not null default now(),
  actor text not null, action text not null, target text, detail jsonb not null default '{}',
  primary key (app_id, id));
create index audit_log_at on openslot.audit_log (app_id, at);

-- The second lock: inside a transaction that names no application, or another one, these tables are empty.
do $$ declare name text; begin
  foreach name in array array['grants', 'connectors', 'data_keys', 'bookings'] loop
    execute format('alter table openslot.%I enable row level security', name);
    execute format('alter table openslot.%I force row level security', name);
    execute format('create policy one_application on openslot.%I using (app_id = nullif(current_setting(''app.id'', true), '''')::uuid)', name);
  end loop;
end $$;
`
