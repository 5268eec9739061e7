// How often something has happened within a span, for several processes that answer requests together.

export const rateCounts = `
-- Of no application: an address is counted whatever it asks for. Keys are hashed, for some are addresses. Nothing is lost with it
-- that is not over within the hour, so it is written to no log.
create unlogged table openslot.rate_counts (
  counter text not null, key_hash bytea not null, points int not null, ends_at timestamptz not null,
  primary key (counter, key_hash));
create index rate_counts_ends on openslot.rate_counts (ends_at);
`
