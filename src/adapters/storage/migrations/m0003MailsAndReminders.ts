// Mails with a time at which they are due and their attempts, and reminders as rows.

export const mailsAndRemindersRows = `
-- What was written before holds too little to be a mail.
update openslot.deliveries set state = 'cancelled', last_error = 'written before this server could send mail', finished_at = now() where kind = 'mail';
`

export const mailsAndReminders = `
-- A reminder by mail belongs to a booking and to no notification.
alter table openslot.deliveries alter column event_id drop not null;
alter table openslot.deliveries add column booking_id uuid;
-- When to try (again); while one process is at it, when another may. Null: nothing will be tried, the mail is kept.
alter table openslot.deliveries add column mail_due_at timestamptz;
create index deliveries_mails on openslot.deliveries (app_id, id) where kind = 'mail';
create index deliveries_mail_recipients on openslot.deliveries (app_id, lower(recipient), created_at) where kind = 'mail';
create index deliveries_mails_due on openslot.deliveries (app_id, mail_due_at) where kind = 'mail' and state = 'ready' and mail_due_at is not null;${mailsAndRemindersRows}
create table openslot.mail_attempts (
  app_id uuid not null, id uuid not null, delivery_id uuid not null,
  at timestamptz not null default now(), duration_ms int not null,
  outcome text not null check (outcome in ('sent', 'refused', 'deferred', 'kept')), answer text not null,
  primary key (app_id, id),
  foreign key (app_id, delivery_id) references openslot.deliveries (app_id, id) on delete cascade);
create index mail_attempts_delivery on openslot.mail_attempts (app_id, delivery_id, id);

-- One row for each reminder of a booking; number is its place in the configuration when the booking was made or moved.
create table openslot.reminders (
  app_id uuid not null, booking_id uuid not null, number int not null, body jsonb not null, due_at timestamptz not null,
  state text not null check (state in ('waiting', 'done', 'skipped', 'late', 'cancelled')), finished_at timestamptz,
  primary key (app_id, booking_id, number),
  foreign key (app_id, booking_id) references openslot.bookings (app_id, id) on delete cascade);
create index reminders_waiting on openslot.reminders (app_id, due_at) where state = 'waiting';
create index reminders_late on openslot.reminders (app_id, finished_at) where state = 'late';
`
