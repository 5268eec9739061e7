// When what guests said was taken out of a booking, and which bookings are next.

export const guestData = `
alter table openslot.bookings add column guest_blanked_at timestamptz;
create index bookings_to_blank on openslot.bookings (app_id, upper(during)) where guest_blanked_at is null;
`
