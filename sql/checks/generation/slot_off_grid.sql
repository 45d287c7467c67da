-- Hours are cut from their beginning and from the end of the break, in steps of the doctor's slot length.
-- Only slots within the hours are judged here; those outside are another check's.
create or replace view checks.slot_off_grid as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case broken.fault
    when 'length' then format('The slot of %s lasts %s minutes, but the slots of its doctor last %s.',
      to_char(broken.opening, 'YYYY-MM-DD HH24:MI'),
      round(extract(epoch from broken.ends_at - broken.starts_at) / 60),
      round(extract(epoch from broken.slot_duration) / 60))
    else format('The slot of %s does not begin where the schedule is cut.', to_char(broken.opening, 'YYYY-MM-DD HH24:MI'))
  end as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'schedule_id', broken.schedule_id,
    'fault', broken.fault, 'starts_at', broken.starts_at, 'ends_at', broken.ends_at, 'local_start', broken.opening,
    'slot_duration', broken.slot_duration, 'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from checks.slot_hours as broken
join app_public.health_check as entry on entry.name = 'slot_off_grid'
where broken.fault in ('grid', 'length');

comment on view checks.slot_off_grid is
  'Offered slots ahead within the hours of their schedule that begin between its steps or last longer or shorter than one.';
revoke all on checks.slot_off_grid from public;
grant select on checks.slot_off_grid to app_monitor;

select app_private.declare_check(
  name => 'slot_off_grid', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot off the grid of its schedule',
  meaning => 'The slot lies within the working hours, but does not begin where they are cut into slots, or has another length than the slots of its doctor.',
  importance => 'It keeps the right slot from being generated. Many at once are the sign of a fault with time zones or with a day on which the clocks change: patients would be told a wrong hour.',
  resolution => $$The repair withdraws the slot when nobody sits in it, and the missing one is generated afterwards; the hourly job does both by itself. Are there many? Compare local_start in metadata with the schedule: a constant shift means that somebody wrote local time as UTC, or changed the zone of the hospital by hand (select time_zone from app_public.hospital;). To bring a doctor in line, keeping the visits and telling their patients: select app_private.follow_schedule('<hospital>', '<doctor>');$$,
  repair => 'repair_stray_slot');
