// Which key made a session or a token, so that neither outlives it; and whence came who is named in the audit log.

export const keysAndAddresses = `
-- Null: made before this was kept; such a one has ended within the hour.
alter table openslot.sessions add column key_id uuid;
alter table openslot.sessions add foreign key (app_id, key_id) references openslot.api_keys (app_id, id);
alter table openslot.access_tokens add column key_id uuid;
alter table openslot.access_tokens add foreign key (app_id, key_id) references openslot.api_keys (app_id, id);

alter table openslot.audit_log add column address text;
-- Up to when the log has no addresses any more.
alter table openslot.applications add column audit_blanked_until timestamptz;

-- The server's role may not change the log. This is the one thing that may become of it, and never of what is younger than the
-- least that GUEST_DATA_DAYS can be. Answers how many rows.
create function openslot.blank_audit_addresses(application uuid, since timestamptz, before timestamptz, part int) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with blanked as (
    update openslot.audit_log set address = null
    where app_id = application and id in (
      select id from openslot.audit_log
      where app_id = application and at >= since and at < least(before, now() - interval '30 days') and address is not null
      order by at limit part)
    returning id)
  select count(*) from blanked
$$;
revoke execute on function openslot.blank_audit_addresses from public;
`
