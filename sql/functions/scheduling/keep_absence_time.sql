-- When an absence is follows from its days and from the zone: only the statement of another trigger, the
-- one that carries absences into a new zone, may move it. The condition stands in WHEN, as for counters.
create or replace function app_private.keep_absence_time() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('immutable_column', jsonb_build_object('table', tg_argv[0], 'column', 'during'));
  return null;
end
$$;

comment on function app_private.keep_absence_time() is 'Trigger: refuses a time of an absence that does not come from its days.';

revoke execute on function app_private.keep_absence_time() from public;

create or replace trigger absence_time_follows_its_days
  before update of during on app_public.absence
  for each row when (pg_trigger_depth() = 0 and new.during <> old.during)
  execute function app_private.keep_absence_time('absence');
