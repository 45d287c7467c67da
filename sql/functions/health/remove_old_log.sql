-- A batch, the oldest first by the index of times, so that a night costs what is due and no statement holds
-- much; as an array, so that no plan joins with the whole log. The machinery keeps its log as long as hospitals do that chose nothing. Definer, because no role
-- may remove entries.
create or replace function app_private.remove_old_log(hospital_id uuid, most integer default 5000)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  kept_days integer := 90;
  too_old timestamptz;
  removed integer;
begin
  select hospital.log_kept_days into kept_days
  from app_public.hospital
  where hospital.id = remove_old_log.hospital_id;
  too_old := app_private.clock() - make_interval(days => coalesce(kept_days, 90));
  delete from app_public.log_entry
  where log_entry.hospital_id = remove_old_log.hospital_id
    and log_entry.id = any (array(
      select old.id
      from app_public.log_entry as old
      where old.hospital_id = remove_old_log.hospital_id and old.logged_at < too_old
      order by old.logged_at
      limit most));
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_old_log(uuid, integer) is
  'Removes entries of a hospital''s log, or of the machinery''s, that are older than it keeps them, at most so many; returns how many.';

revoke execute on function app_private.remove_old_log(uuid, integer) from public;
grant execute on function app_private.remove_old_log(uuid, integer) to app_worker;
