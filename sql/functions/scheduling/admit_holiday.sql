-- The door of the holiday table, for every client: the calendar of the whole hospital is locked before
-- anything is looked at. It runs before row-level security looks at the row, so it repeats the wall
-- between hospitals.
create or replace function app_private.admit_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  perform app_private.lock_calendar(new.hospital_id);
  perform app_private.judge_holiday(new.hospital_id, new.name, new.date, new.is_recurring);
  new.is_active := true;
  new.created_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_holiday() is 'Trigger: admits a new holiday, or refuses it with its scenario.';

revoke execute on function app_private.admit_holiday() from public;

create or replace trigger holiday_is_admitted
  before insert on app_public.holiday
  for each row execute function app_private.admit_holiday();
