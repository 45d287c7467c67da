-- Definer, because nobody reads the marks. It tells a number and a hash.
create or replace function app_private.newest_seal(hospital_id uuid, out number integer, out hash text)
returns setof record
language plpgsql stable security definer rows 1
set search_path = ''
as $$
begin
  return query
  select mark.last_number, mark.last_hash
  from app_private.audit_seal_mark as mark
  where mark.hospital_id = newest_seal.hospital_id and mark.last_number > 0;
end
$$;

comment on function app_private.newest_seal(uuid) is 'Number and hash of the newest seal of a hospital''s audit log.';

revoke execute on function app_private.newest_seal(uuid) from public;
grant execute on function app_private.newest_seal(uuid) to app_worker, app_monitor;
