-- The sweeper ends lapsed holds every minute, and whoever needs the seat before: ten minutes later nobody
-- has. A hold always has an end, and never one after the visit has begun.
create or replace view checks.lapsed_hold as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case when broken.held_until is null then 'The seat is held without an end.'
    else format('The seat is still held, though its hold ended at %s.',
      to_char(least(broken.held_until, broken.starts_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')) end as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'patient_id', broken.patient_id,
    'held_until', broken.held_until,
    'starts_at', broken.starts_at) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.patient_id,
    appointment.held_until, appointment.starts_at
  from app_public.appointment
  where appointment.status = 'held'
    and (appointment.held_until is null
      or appointment.held_until < (select app_private.clock()) - interval '10 minutes'
      or appointment.starts_at < (select app_private.clock()) - interval '10 minutes')
) as broken
join app_public.health_check as entry on entry.name = 'lapsed_hold';

comment on view checks.lapsed_hold is 'Holds that ended more than ten minutes ago, or never end.';
revoke all on checks.lapsed_hold from public;
grant select on checks.lapsed_hold to app_monitor;

select app_private.declare_check(
  name => 'lapsed_hold', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'A hold that does not end',
  meaning => 'A seat is held for a patient who has not confirmed in time, and no sweep has given it back.',
  importance => 'The seat looks taken in every list of free slots. A booking that asks for it takes it all the same, but nobody asks for what looks taken.',
  resolution => 'It expires by itself (repair_lapsed_hold), with its offer of the waitlist. If there are many, look at cron_health: sweep_lapsed_holds must have run in the last minutes.',
  repair => 'repair_lapsed_hold',
  is_event_driven => false);
