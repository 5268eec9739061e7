// Turns of a host go on however their address is spelled. Row security keeps an index on lower(…) from being used, because
// lower() might tell something of rows that it should not see; a column is compared without telling anything.

export const turnsInAnyCase = `
alter table openslot.bookings add column organizer_lower text generated always as (lower(organizer_email)) stored;
drop index openslot.bookings_queue;
create index bookings_queue on openslot.bookings (app_id, configuration_id, organizer_lower, assigned_at desc)
  where state in ('held', 'pending', 'booked');
`
