// Endpoints that asked for webhooks, what is on its way to them, and every attempt.

export const webhooksRows = `
update openslot.webhook_events set fanned_out_at = created_at;
`

export const webhooks = `
create table openslot.webhook_endpoints (
  app_id uuid not null references openslot.applications, id uuid not null,
  url text not null, description text not null default '', trigger_types text[] not null,
  notification_emails text[] not null default '{}', compressed boolean not null default false,
  status text not null default 'active' check (status in ('active', 'failing', 'failed', 'pause')),
  secret_sealed bytea not null, previous_secret_sealed bytea, previous_secret_until timestamptz,
  -- One process at a time sends to an endpoint; what it holds runs out if it dies.
  sender uuid, sender_until timestamptz,
  status_updated_at timestamptz not null default now(),
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (app_id, id));

alter table openslot.webhook_events add column grant_id uuid, add column fanned_out_at timestamptz;${webhooksRows}-- When it was written, not when its transaction began: the events feed is read in this order.
alter table openslot.webhook_events alter column created_at set default clock_timestamp();
create index webhook_events_waiting on openslot.webhook_events (app_id, created_at) where fanned_out_at is null;
create index webhook_events_feed on openslot.webhook_events (app_id, created_at, id);

alter table openslot.deliveries add column object_id text, add column number bigint, add column happened_at timestamptz,
  add column due_at timestamptz not null default now(),
  -- Attempts since the last replay: how long the next wait is.
  add column tries int not null default 0;
create unique index deliveries_endpoint on openslot.deliveries (app_id, event_id, endpoint_id) where kind = 'webhook';
-- The bound on due_at keeps the planner from this index where it looks for earlier deliveries of one object.
create index deliveries_due on openslot.deliveries (app_id, endpoint_id, due_at, happened_at, id)
  where kind = 'webhook' and state = 'ready' and due_at > '-infinity';
create index deliveries_object on openslot.deliveries (app_id, endpoint_id, object_id, number) where kind = 'webhook' and state = 'ready';
create index deliveries_of_object on openslot.deliveries (app_id, object_id, created_at) where kind = 'webhook';

create table openslot.delivery_attempts (
  app_id uuid not null, delivery_id uuid not null, number int not null, endpoint_id uuid not null,
  at timestamptz not null, duration_ms int not null, status int, error text,
  primary key (app_id, delivery_id, number),
  foreign key (app_id, delivery_id) references openslot.deliveries (app_id, id) on delete cascade);
create index delivery_attempts_endpoint on openslot.delivery_attempts (app_id, endpoint_id, at);

alter table openslot.webhook_endpoints enable row level security;
alter table openslot.webhook_endpoints force row level security;
create policy one_application on openslot.webhook_endpoints using (app_id = nullif(current_setting('app.id', true), '')::uuid);
`
