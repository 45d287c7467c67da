-- A request is expired by the sweep of every minute; a visit that nobody came to is marked by the sweep of every
-- five minutes, but only in the hospital's own hours: it counts as stale an hour after the first such hour that
-- began when it fell due. A patient who is checked in, or with the doctor, is so within a day.
-- Holds have a check of their own. Of what is over nearly nothing is active: each kind is found by its own
-- partial index.
create or replace view checks.stale_active_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The appointment is still %s, though its time was %s.', broken.status,
    to_char(broken.starts_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) as detail,
  jsonb_build_object(
    'status', broken.status,
    'starts_at', broken.starts_at,
    'ends_at', broken.ends_at,
    'stale_since', broken.stale_at,
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'patient_id', broken.patient_id) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.status, appointment.starts_at, appointment.ends_at,
    appointment.doctor_id, appointment.patient_id, appointment.slot_id, due.stale_at
  from (
    select * from app_public.appointment as request
    where request.status = 'requested' and request.starts_at < (select app_private.clock()) - interval '1 hour'
    union all
    select * from app_public.appointment as awaited
    where awaited.status in ('scheduled', 'confirmed') and awaited.starts_at < (select app_private.clock()) - interval '1 hour'
    union all
    select * from app_public.appointment as present
    where present.holds_seat and present.status in ('checked_in', 'in_progress') and present.starts_at < (select app_private.clock()) - interval '1 hour'
  ) as appointment
  join app_public.hospital on hospital.id = appointment.hospital_id
  left join app_public.doctor
    on doctor.hospital_id = appointment.hospital_id and doctor.id = appointment.doctor_id
  cross join lateral (
    select (appointment.starts_at + coalesce(doctor.slot_duration, interval '0')) at time zone hospital.time_zone as local_time
  ) as missed
  cross join lateral (
    select greatest(missed.local_time::time, hospital.no_show_window_start)::interval as first_look
  ) as sweep
  cross join lateral (
    select case
      when appointment.status = 'requested' then appointment.starts_at + interval '1 hour'
      when appointment.status in ('checked_in', 'in_progress')
        then greatest(appointment.ends_at, appointment.checked_in_at) + interval '1 day'
      when sweep.first_look + interval '1 hour' <= hospital.no_show_window_end::interval
        then (missed.local_time::date + sweep.first_look + interval '1 hour') at time zone hospital.time_zone
      else (missed.local_time::date + 1 + hospital.no_show_window_start + interval '1 hour') at time zone hospital.time_zone
    end as stale_at
  ) as due
  where due.stale_at < (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'stale_active_appointment';

comment on view checks.stale_active_appointment is 'Appointments of the past that are still active, though the sweeps have had their time.';
revoke all on checks.stale_active_appointment from public;
grant select on checks.stale_active_appointment to app_monitor;

select app_private.declare_check(
  name => 'stale_active_appointment', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'Still active long after its time',
  meaning => 'The time of the appointment is over, and no sweep has ended it: it still says requested, scheduled or confirmed, or the patient has been checked in for more than a day.',
  importance => 'It holds a seat and a place of the day in the statistics, keeps the patient from being seen as missing or seen, and tells that a sweep does not run or fails.',
  resolution => 'Requests expire and visits of the last two days are marked as missed by themselves, within the hospital''s no-show window. What is older, and who is checked in, is for people: complete it (complete_appointment), mark it as missed (mark_no_show), or cancel it. If there are many, look at cron_health: sweep_no_shows and sweep_lapsed_requests must have run.',
  repair => 'repair_stale_appointment',
  is_event_driven => false);
