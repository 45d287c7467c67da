-- Where entries wait to be sealed, or what is sealed can be settled: one look at the end of each
-- hospital's log, however long it is. Definer, because nobody reads the marks.
create or replace function app_private.hospitals_to_seal() returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  running pg_snapshot := pg_current_snapshot();
begin
  return query
  select hospital.id
  from app_public.hospital
  left join app_private.audit_seal_mark as mark on mark.hospital_id = hospital.id
  cross join lateral (
    select entry.id
    from app_public.audit_entry as entry
    where entry.hospital_id = hospital.id
    order by entry.id desc
    limit 1
  ) as newest
  where newest.id > coalesce(mark.last_entry_id, 0)
    or newest.id > mark.settled_id and (
      mark.reached_transaction is null
      or mark.reached_transaction <= pg_snapshot_xmin(running)
      or mark.reached_transaction >= pg_snapshot_xmax(running));
end
$$;

comment on function app_private.hospitals_to_seal() is 'Hospitals whose audit log has entries to seal.';

revoke execute on function app_private.hospitals_to_seal() from public;
grant execute on function app_private.hospitals_to_seal() to app_worker;
