--! Previous: sha1:cef48db841865a0943e2b57265d5bc6e2dc9277e
--! Hash: sha1:7f83ddf4b2d54258218612196b6914bb90dc1610
--! Message: checks-of-what-is-ahead

--! split: 1-current.sql
-- Two checks read what is ahead and what is under way, instead of all that ever was.
set local role app_owner;

--! Included checks/appointments/stale_active_appointment.sql
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
--! EndIncluded checks/appointments/stale_active_appointment.sql
--! Included checks/generation/duplicate_slots.sql
-- Of two slots of one doctor at the very same time one has to go: the one that nobody sits in, that is
-- only kept, that follows no schedule, that came later. That one is named, so that each pair is told once.
-- Only slots that are not over are looked at, and each asks the index for others of its time.
create or replace view checks.duplicate_slots as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The doctor has this slot twice%s%s.',
    case when broken.is_elsewhere then ', at two places' else '' end,
    case when broken.booked_count > 0 then ', and patients sit in both' else '' end) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'starts_at', broken.starts_at,
    'booked_count', broken.booked_count, 'other_slot_ids', broken.other_ids) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.location_id, slot.starts_at, slot.booked_count,
    other.other_ids, other.is_elsewhere
  from app_public.slot
  cross join lateral (
    select array_agg(other.id order by other.id) as other_ids,
      bool_or(other.location_id <> slot.location_id) as is_elsewhere
    from app_public.slot as other
    where other.hospital_id = slot.hospital_id
      and other.doctor_id = slot.doctor_id
      and other.starts_at = slot.starts_at
      and other.ends_at = slot.ends_at
      and other.id <> slot.id
      and other.withdrawn_at is null
      and (
        (other.booked_count > 0, not other.is_retired, other.schedule_id is not null)
          > (slot.booked_count > 0, not slot.is_retired, slot.schedule_id is not null)
        or (other.booked_count > 0, not other.is_retired, other.schedule_id is not null)
            = (slot.booked_count > 0, not slot.is_retired, slot.schedule_id is not null)
          and (other.created_at, other.id) < (slot.created_at, slot.id))
    offset 0
  ) as other
  where slot.withdrawn_at is null
    and slot.ends_at > (select app_private.clock())
    and other.other_ids is not null
) as broken
join app_public.health_check as entry on entry.name = 'duplicate_slots';

comment on view checks.duplicate_slots is 'Slots at a time at which their doctor has a better one already.';
revoke all on checks.duplicate_slots from public;
grant select on checks.duplicate_slots to app_monitor;

select app_private.declare_check(
  name => 'duplicate_slots', domain => 'generation', severity => 'critical', entity_type => 'slot',
  title => 'A slot is there twice',
  meaning => 'The doctor has another slot at the very same time, at the same place or at another one. The finding names the one to give up: nobody sits in it, or it came later.',
  importance => 'Two patients can book the same time of one doctor.',
  resolution => $$The repair withdraws the empty twin; the hourly job does it by itself. Where patients sit in both, move those of one (select id, patient_id from app_public.appointment where slot_id = '<slot>' and holds_seat;), and run the repair again: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'duplicate_slots' and resolved_at is null; The constraint slots_of_a_doctor_never_overlap forbids twins: it must have been dropped. checks.missing_guard says so and how to put it back.$$,
  repair => 'repair_stray_slot');
--! EndIncluded checks/generation/duplicate_slots.sql
--! Included checks/all_findings.sql
-- Everything that is wrong now, of all checks.
select app_private.unite_checks();

comment on view checks.all_findings is 'Everything that is wrong now: the findings of all checks. Empty while all is well.';
revoke all on checks.all_findings from public;
grant select on checks.all_findings to app_monitor;

comment on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'What the event-driven checks say of these appointments, slots, doctors and patients of a hospital.';
revoke execute on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) from public;
--! EndIncluded checks/all_findings.sql
--! Included checks/summary.sql
-- The first thing to type: what is wrong now, worst first, then the checks that are silent.
create or replace view checks.summary as
select entry.severity, entry.name as check_name, entry.domain, hospital.slug as hospital,
  count(found.cache_key)::integer as findings, min(found.detail) as example, entry.title
from app_public.health_check as entry
left join checks.all_findings as found on found.check_name = entry.name
left join app_public.hospital on hospital.id = found.hospital_id
group by entry.name, hospital.slug
order by count(found.cache_key) = 0, entry.severity desc, count(found.cache_key) desc, entry.name, hospital.slug;

comment on view checks.summary is
  'How many findings each check has now, by hospital, worst first; checks of the whole system have no hospital.';
revoke all on checks.summary from public;
grant select on checks.summary to app_monitor;
--! EndIncluded checks/summary.sql

select app_private.declare_guards();

reset role;
