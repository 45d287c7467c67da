-- The door of the absence table, for every client: the calendar is locked before anything is looked at,
-- so that two absences, or an absence and the generation of slots, come in turn. Its time follows from
-- its days and is never taken from a client. It runs before row-level security looks at the row, so it
-- repeats the walls that matter for what a refusal may tell.
create or replace function app_private.admit_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'doctor' and new.doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.lock_calendar(new.hospital_id, new.doctor_id);

  new.during := app_private.judge_absence(
    new.hospital_id, new.doctor_id, new.first_day, new.last_day, new.start_time, new.end_time);
  new.status := 'active';
  new.created_by := app_private.claim_account_id();
  new.created_at := app_private.clock();
  new.cancelled_by := null;
  new.cancelled_at := null;
  return new;
end
$$;

comment on function app_private.admit_absence() is 'Trigger: admits a new absence with its time, or refuses it with its scenario.';

revoke execute on function app_private.admit_absence() from public;

create or replace trigger absence_is_admitted
  before insert on app_public.absence
  for each row execute function app_private.admit_absence();
