// Mails that belong to no notification, among them those about a receiver that stopped answering: found by their age.

export const notices = `
create index deliveries_mails_alone on openslot.deliveries (app_id, created_at) where kind = 'mail' and event_id is null;
`
