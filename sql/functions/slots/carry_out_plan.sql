-- Carries out a plan for slots, statement by statement for all of them, and tells each affected patient
-- once. Only for callers that hold the calendar and have locked the slots before they planned.
-- What is removed goes first, so that nothing new overlaps it.
create or replace function app_private.carry_out_plan(
  hospital_id uuid, doctor_id uuid, plan app_private.planned_slot[], change app_public.calendar_change, event text)
returns void
language plpgsql
as $$
declare
  instant timestamptz := app_private.clock();
  affected app_public.appointment;
begin
  if cardinality(plan) = 0 then
    return;
  end if;

  delete from app_public.slot
  using unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id and planned.fate = 'delete';

  update app_public.slot
  set withdrawn_at = instant
  from unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id and planned.fate = 'withdraw';

  update app_public.slot
  set is_retired = true
  from unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id and planned.fate = 'retire';

  update app_public.slot
  set schedule_id = planned.schedule_id,
      capacity = planned.capacity,
      absence_id = planned.absence_id,
      holiday_id = planned.holiday_id,
      is_retired = false
  from unnest(plan) as planned
  where slot.hospital_id = carry_out_plan.hospital_id and slot.id = planned.slot_id
    and planned.fate in ('follow', 'restore');

  insert into app_public.slot (
    hospital_id, doctor_id, location_id, schedule_id, during, capacity, absence_id, blocked_at, blocked_reason)
  select carry_out_plan.hospital_id, planned.doctor_id, planned.location_id, planned.schedule_id, planned.during,
    planned.capacity, planned.absence_id, planned.blocked_at, planned.blocked_reason
  from unnest(plan) as planned
  where planned.fate = 'generate'
  order by planned.doctor_id, planned.during
  on conflict do nothing;

  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (hospital_id, 'slots', coalesce(doctor_id, hospital_id)::text, jsonb_build_object('doctor_id', doctor_id));

  for affected in
    select appointment.*
    from unnest(change.affected_appointments) as told
    join app_public.appointment
      on appointment.hospital_id = carry_out_plan.hospital_id and appointment.id = told.appointment_id
    order by appointment.starts_at, appointment.id
  loop
    perform app_private.notify_of_appointment(event, 'patient', affected);
  end loop;
end
$$;

comment on function app_private.carry_out_plan(uuid, uuid, app_private.planned_slot[], app_public.calendar_change, text) is
  'Deletes, withdraws, retires, changes and generates slots as planned, and notifies the affected patients.';

revoke execute on function app_private.carry_out_plan(uuid, uuid, app_private.planned_slot[], app_public.calendar_change, text) from public;
