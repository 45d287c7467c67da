-- A day counts each appointment that holds a seat once, however many slots it takes, on the local day on which
-- its first slot begins. Counts and appointments are added up side by side, so that days without a row and rows
-- without an appointment are found alike.
create or replace view checks.doctor_day_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.doctor_id as entity_id,
  format('The doctor''s day %s counts %s appointments, but there are %s.', broken.day, broken.booked_count, broken.seated) as detail,
  jsonb_build_object(
    'day', broken.day,
    'booked_count', broken.booked_count,
    'seated', broken.seated,
    'max_patients', broken.max_patients) as metadata,
  concat_ws(':', entry.name, broken.doctor_id, broken.day) as cache_key
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
  having sum(counted.booked_count) <> sum(counted.seated)
) as broken
join app_public.health_check as entry on entry.name = 'doctor_day_mismatch';

comment on view checks.doctor_day_mismatch is 'Days of doctors that do not count as many appointments as there are.';
revoke all on checks.doctor_day_mismatch from public;
grant select on checks.doctor_day_mismatch to app_monitor;

select app_private.declare_check(
  name => 'doctor_day_mismatch', domain => 'counters', severity => 'critical', entity_type => 'doctor',
  title => 'A doctor''s day counts wrongly',
  meaning => 'doctor_day says another number of appointments than there are on this day of the doctor, in the hospital''s time zone.',
  importance => 'The daily limit is kept by this count: too low, and the doctor gets more patients than agreed; too high, and free seats cannot be booked.',
  resolution => 'The day is counted anew by itself (repair_doctor_day). If there are more appointments than the day may hold, it is closed at its limit and left to people: move somebody, or raise the doctor''s daily limit (update_doctor), and it is counted anew.',
  repair => 'repair_doctor_day',
  is_event_driven => true);
