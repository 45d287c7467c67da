-- The weekly hours that hold on some day from the first on, as they stand in the schedules now. What is
-- planned from them can be planned as well from hours that stand nowhere yet.
create or replace function app_private.working_hours_from(hospital_id uuid, doctor_id uuid, first_day date)
returns app_private.working_hours[]
language sql stable
as $$
  select coalesce(array_agg(row(
    schedule.id, schedule.doctor_id, schedule.location_id, schedule.weekday,
    schedule.start_time, schedule.end_time, schedule.break_start, schedule.break_end,
    schedule.slot_capacity, schedule.effective_from, schedule.effective_until)::app_private.working_hours), '{}')
  from app_public.schedule
  where schedule.hospital_id = working_hours_from.hospital_id
    and schedule.is_active
    and (working_hours_from.doctor_id is null or schedule.doctor_id = working_hours_from.doctor_id)
    and (schedule.effective_until is null or schedule.effective_until >= working_hours_from.first_day);
$$;

comment on function app_private.working_hours_from(uuid, uuid, date) is
  'Active weekly hours of a doctor (or of all) that hold on or after a day.';

revoke execute on function app_private.working_hours_from(uuid, uuid, date) from public;
grant execute on function app_private.working_hours_from(uuid, uuid, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
