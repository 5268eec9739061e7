// Indexes that row security lets nobody use, and those that say twice what another says. lower(…) and upper(…) might tell
// something of rows that should not be seen, so conditions on them are asked of every row of an application; a column is not.

export const indexesInUse = `
-- Hosts are found by their address at every look at free times.
alter table openslot.grants add column email_lower text generated always as (lower(email)) stored;
drop index openslot.grants_email;
create unique index grants_email on openslot.grants (app_id, email_lower);

-- Every sweep looks for what ended long ago.
alter table openslot.bookings add column ends_at timestamptz generated always as (upper(during)) stored;
drop index openslot.bookings_to_blank;
create index bookings_to_blank on openslot.bookings (app_id, ends_at) where guest_blanked_at is null;

-- Read by nothing: bookings of a guest are looked for among all of the application, and late reminders by nobody.
drop index openslot.bookings_guest;
drop index openslot.reminders_late;

-- No claim and no attempt is asked for by its own id.
alter table openslot.slot_claims drop constraint slot_claims_pkey;
alter table openslot.slot_claims add primary key (app_id, booking_id, id);
drop index openslot.slot_claims_booking;
alter table openslot.mail_attempts drop constraint mail_attempts_pkey;
alter table openslot.mail_attempts add primary key (app_id, delivery_id, id);
drop index openslot.mail_attempts_delivery;
`
