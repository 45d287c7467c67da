<<<<<<< HEAD
-- The time of an absence is what its local days and hours are in the hospital's zone, and nothing else:
-- it moves with the zone (follow_time_zone) and by no other hand.
=======
-- When an absence is follows from its days and from the zone: only the statement of another trigger, the
-- one that carries absences into a new zone, may move it. The condition stands in WHEN, as for counters.
>>>>>>> main
create or replace function app_private.keep_absence_time() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
<<<<<<< HEAD
  if not exists (
    select from app_public.hospital
    where hospital.id = new.hospital_id
      and new.during = app_private.absence_range(
        hospital.time_zone, new.first_day, new.last_day, new.start_time, new.end_time))
  then
    perform app_private.refuse('immutable_column', jsonb_build_object('table', tg_argv[0], 'column', 'during'));
  end if;
  return new;
end
$$;

comment on function app_private.keep_absence_time() is
  'Trigger: refuses a time of an absence that is not what its local days and hours make it.';
=======
  perform app_private.refuse('immutable_column', jsonb_build_object('table', tg_argv[0], 'column', 'during'));
  return null;
end
$$;

comment on function app_private.keep_absence_time() is 'Trigger: refuses a time of an absence that does not come from its days.';
>>>>>>> main

revoke execute on function app_private.keep_absence_time() from public;

create or replace trigger absence_time_follows_its_days
  before update of during on app_public.absence
<<<<<<< HEAD
  for each row when (new.during is distinct from old.during)
=======
  for each row when (pg_trigger_depth() = 0 and new.during <> old.during)
>>>>>>> main
  execute function app_private.keep_absence_time('absence');
