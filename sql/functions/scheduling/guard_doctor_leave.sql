-- A doctor who stops has nobody waiting, whoever says so. All slots ahead are locked by id first: a
-- booking that has one of them is finished, and counted; one that comes later reads the doctor after it
-- has the slot (take_seat) and finds out. New slots could come in beside that, so the calendar is taken
-- as well, but never waited for: this trigger holds the doctor's row, for which others wait while they
-- hold the calendar.
create or replace function app_private.guard_doctor_leave() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  upcoming integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if not app_private.try_lock_calendar(old.hospital_id, old.id) then
    perform app_private.refuse('try_again');
  end if;
  perform from app_public.slot
  where slot.hospital_id = old.hospital_id
    and slot.doctor_id = old.id
    and slot.starts_at > instant
    and slot.withdrawn_at is null
  order by slot.id
  for no key update;

  upcoming := cardinality(app_private.upcoming_of_doctor(
    old.hospital_id, old.id, is_leaving => old.is_active and not new.is_active, with_alternatives => false));
  if upcoming > 0 then
    perform app_private.refuse('doctor_has_appointments',
      jsonb_build_object('doctor_id', old.id, 'appointment_count', upcoming));
  end if;
  return new;
end
$$;

comment on function app_private.guard_doctor_leave() is
  'Trigger: refuses to let a doctor become unavailable or leave while appointments are ahead.';

revoke execute on function app_private.guard_doctor_leave() from public;

create or replace trigger doctor_leaves_nobody_waiting
  before update of is_available, is_active on app_public.doctor
  for each row when (old.is_available and not new.is_available or old.is_active and not new.is_active)
  execute function app_private.guard_doctor_leave();
