-- Ids and digests of a batch in their order: neither can be changed, left out, added or swapped without
-- changing it.
create or replace function app_private.entries_hash(entry_ids bigint[], digests bytea[]) returns text
language sql immutable parallel safe
return (
  select encode(sha256(string_agg(int8send(entry.id) || entry.digest, ''::bytea order by entry.position)), 'hex')
  from unnest(entry_ids, digests) with ordinality as entry (id, digest, position));

comment on function app_private.entries_hash(bigint[], bytea[]) is 'SHA-256 of a batch of entries of the audit log.';

revoke execute on function app_private.entries_hash(bigint[], bytea[]) from public;
grant execute on function app_private.entries_hash(bigint[], bytea[]) to app_monitor;
