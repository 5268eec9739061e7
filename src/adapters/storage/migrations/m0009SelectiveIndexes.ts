// Indexes that begin with what is looked for, not with app_id. Before the first statistics of a table PostgreSQL holds every
// index on (app_id, …) for as good as the primary key where a row is asked for by (app_id, id), prefers the one made last,
// and keeps that plan: each foreign key check of a claim then read all bookings of the application.

export const selectiveIndexes = `
drop index openslot.bookings_configuration;
create index bookings_configuration on openslot.bookings (configuration_id, app_id, created_at desc, id desc);
drop index openslot.bookings_guest;
create index bookings_guest on openslot.bookings (lower(guest_email), app_id, created_at desc);
drop index openslot.bookings_event;
create index bookings_event on openslot.bookings (event_id, app_id);
drop index openslot.deliveries_event;
create index deliveries_event on openslot.deliveries (event_id, app_id);
drop index openslot.delivery_attempts_endpoint;
create index delivery_attempts_endpoint on openslot.delivery_attempts (endpoint_id, app_id, at);
drop index openslot.sessions_configuration;
create index sessions_configuration on openslot.sessions (configuration_id, app_id, expires_at);
drop index openslot.idempotency_keys_expiry;
create index idempotency_keys_expiry on openslot.idempotency_keys (expires_at, app_id);
`
