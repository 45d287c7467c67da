-- The limit of a day is what it was when the day filled: a lower limit that is set later leaves a fuller day what
-- it has, by raising the day's own number. So that number is compared, and the doctor's only for a day without
-- a row.
create or replace view checks.daily_limit_exceeded as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.doctor_id as entity_id,
  format('The doctor''s day %s may hold %s patients, but has %s, and counts %s.', broken.day, broken.max_patients, broken.seated,
    broken.booked_count) as detail,
  jsonb_build_object(
    'day', broken.day,
    'max_patients', broken.max_patients,
    'booked_count', broken.booked_count,
    'seated', broken.seated) as metadata,
  concat_ws(':', entry.name, broken.doctor_id, broken.day) as cache_key
from (
  select summed.hospital_id, summed.doctor_id, summed.day, summed.booked_count, summed.seated,
    coalesce(summed.max_patients, doctor.max_patients_per_day) as max_patients
  from (
    select counted.hospital_id, counted.doctor_id, counted.day,
      sum(counted.booked_count)::integer as booked_count, sum(counted.seated)::integer as seated,
      max(counted.max_patients) as max_patients
    from (
      select day.hospital_id, day.doctor_id, day.day, day.booked_count, day.max_patients, 0 as seated
      from app_public.doctor_day as day
      union all
      select appointment.hospital_id, appointment.doctor_id,
        (coalesce(slot.starts_at, appointment.starts_at) at time zone hospital.time_zone)::date, 0, null, 1
      from app_public.appointment
      join app_public.hospital on hospital.id = appointment.hospital_id
      left join app_public.slot on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
      where appointment.holds_seat
    ) as counted
    group by counted.hospital_id, counted.doctor_id, counted.day
  ) as summed
  join app_public.doctor on doctor.hospital_id = summed.hospital_id and doctor.id = summed.doctor_id
  where greatest(summed.booked_count, summed.seated) > coalesce(summed.max_patients, doctor.max_patients_per_day)
) as broken
join app_public.health_check as entry on entry.name = 'daily_limit_exceeded';

comment on view checks.daily_limit_exceeded is 'Days of doctors with more patients, or a higher count, than their limit.';
revoke all on checks.daily_limit_exceeded from public;
grant select on checks.daily_limit_exceeded to app_monitor;

select app_private.declare_check(
  name => 'daily_limit_exceeded', domain => 'counters', severity => 'critical', entity_type => 'doctor',
  title => 'A doctor has more patients than the daily limit',
  meaning => 'On this day of the doctor there are more appointments than the day''s limit, or the count says so. A limit that was lowered later is no reason: such a day keeps what it has.',
  importance => 'The limit protects doctor and patients; beyond it visits are late or are not seen at all.',
  resolution => 'If only the count is wrong, it is counted anew by itself (repair_doctor_day). Else move patients with reschedule_appointment, or raise the limit of the doctor (update_doctor) if the doctor agrees. Then look why a_day_never_holds_more_than_its_limit did not refuse it (missing_guard).',
  repair => 'repair_doctor_day',
  is_event_driven => false);
