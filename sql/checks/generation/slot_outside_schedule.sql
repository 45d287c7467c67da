-- A slot is held against the schedule that it names; one that names none is another check's.
create or replace view checks.slot_outside_schedule as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format(case broken.fault
      when 'weekday' then 'The slot of %s is on another weekday than its schedule.'
      when 'dates' then 'The slot of %s is on a day on which its schedule does not hold.'
      when 'break' then 'The slot of %s lies in the break of its schedule.'
      else 'The slot of %s reaches beyond the hours of its schedule.'
    end, to_char(broken.opening, 'YYYY-MM-DD HH24:MI')) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'schedule_id', broken.schedule_id,
    'fault', broken.fault, 'starts_at', broken.starts_at, 'ends_at', broken.ends_at, 'local_start', broken.opening,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from checks.slot_hours as broken
join app_public.health_check as entry on entry.name = 'slot_outside_schedule'
where broken.fault in ('weekday', 'dates', 'hours', 'break');

comment on view checks.slot_outside_schedule is
  'Offered slots ahead outside the hours of their schedule: on another weekday or date, too early, too late or in the break.';
revoke all on checks.slot_outside_schedule from public;
grant select on checks.slot_outside_schedule to app_monitor;

select app_private.declare_check(
  name => 'slot_outside_schedule', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot outside the working hours',
  meaning => 'The slot is offered, but its schedule has no hours then: another weekday, a day before or after its dates, earlier or later than the hours, or in the break. Slots that were only kept for those who already sat in them are right.',
  importance => 'It is shown as free and every booking of it is refused; a visit already in it finds no doctor.',
  resolution => $$The repair withdraws the slot when nobody sits in it; the hourly job does it by itself. With somebody in it, decide: extend the hours, or bring all slots of the doctor in line, which keeps the visits and tells their patients: select app_private.follow_schedule('<hospital>', '<doctor>'); Many findings of one doctor mean that this job did not run after a change: look at job_health.$$,
  repair => 'repair_stray_slot');
