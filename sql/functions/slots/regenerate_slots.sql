-- Brings the slots ahead in line with the schedules, absences and holidays as they stand. The locks come
-- first: the calendar, then the slots by id; what is decided after them nobody can change any more. It
-- writes no day and no seat, so a booking that holds a slot and waits for a day is never waited for in a
-- circle. Runs as the owner, because nobody else may delete a slot; repeating it changes nothing, so it
-- may be called by whoever may change the schedules it follows.
create or replace function app_private.regenerate_slots(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date, with_alternatives boolean default false)
returns app_public.calendar_change
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  zone text;
  plan app_private.planned_slot[];
  change app_public.calendar_change;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  if actor = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;

  perform app_private.lock_calendar(hospital_id, doctor_id);
  perform app_private.lock_slots_ahead(hospital_id, doctor_id);
  select hospital.time_zone into zone from app_public.hospital where hospital.id = regenerate_slots.hospital_id;

  plan := array(
    select planned
    from app_private.plan_slots(
      hospital_id, doctor_id, first_day, last_day,
      app_private.working_hours_from(hospital_id, doctor_id, first_day), zone) as planned);
  change := app_private.summarise_plan(hospital_id, plan, with_alternatives);
  perform app_private.carry_out_plan(hospital_id, doctor_id, plan, change, 'schedule_changed');
  return change;
end
$$;

comment on function app_private.regenerate_slots(uuid, uuid, date, date, boolean) is
  'Brings the slots of a doctor (null: of all) that start from now on, between two local days (the last one null: no end), in line with the schedules; tells what changed.';

revoke execute on function app_private.regenerate_slots(uuid, uuid, date, date, boolean) from public;
grant execute on function app_private.regenerate_slots(uuid, uuid, date, date, boolean)
  to app_worker, app_doctor, app_receptionist, app_admin;
