-- Every slot that is offered follows a schedule that holds: of its own doctor, at its own place, of a
-- doctor who works and a place that is open. A doctor whose hours are just changing waits for the job
-- that brings the slots in line.
create or replace view checks.slot_without_schedule as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case broken.fault
    when 'none' then 'The slot follows no schedule.'
    when 'gone' then 'The schedule of the slot does not exist.'
    when 'inactive' then 'The schedule of the slot is not active any more.'
    when 'doctor' then 'The schedule of the slot is another doctor''s.'
    when 'location' then 'The schedule of the slot is for another place.'
    when 'doctor_inactive' then 'The doctor of the slot does not work here any more.'
    else 'The place of the slot is closed.'
  end as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'schedule_id', broken.schedule_id,
    'fault', broken.fault, 'starts_at', broken.starts_at, 'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.location_id, slot.schedule_id, slot.starts_at, slot.booked_count,
    case
      when schedule.doctor_id = slot.doctor_id and schedule.location_id = slot.location_id
        and schedule.is_active and doctor.is_active and location.is_active
        then null
      when exists (
        select from app_private.outbox
        where outbox.hospital_id = slot.hospital_id and outbox.topic = 'schedule' and outbox.key = slot.doctor_id::text)
        then null
      when slot.schedule_id is null then 'none'
      when schedule.id is null then 'gone'
      when schedule.doctor_id <> slot.doctor_id then 'doctor'
      when schedule.location_id <> slot.location_id then 'location'
      when not schedule.is_active then 'inactive'
      when not doctor.is_active then 'doctor_inactive'
      when not location.is_active then 'location_inactive'
    end as fault
  from app_public.slot
  left join app_public.schedule on schedule.hospital_id = slot.hospital_id and schedule.id = slot.schedule_id
  left join app_public.doctor on doctor.hospital_id = slot.hospital_id and doctor.id = slot.doctor_id
  left join app_public.location on location.hospital_id = slot.hospital_id and location.id = slot.location_id
  where slot.withdrawn_at is null
    and not slot.is_retired
    and slot.starts_at > (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'slot_without_schedule'
where broken.fault is not null;

comment on view checks.slot_without_schedule is
  'Offered slots ahead whose schedule is missing, ended, another doctor''s or another place''s, or whose doctor or place is not active.';
revoke all on checks.slot_without_schedule from public;
grant select on checks.slot_without_schedule to app_monitor;

select app_private.declare_check(
  name => 'slot_without_schedule', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot without a schedule',
  meaning => 'The slot is offered, but the working hours that it came from do not exist, have ended, or are those of another doctor or place; or its doctor has left, or its place is closed.',
  importance => 'No change of the schedule reaches this slot any more, and bookings of it are refused or find a closed door.',
  resolution => $$The repair lets the slot follow the schedule that has this very time, if there is one; otherwise it withdraws the slot when nobody sits in it. The hourly job does it by itself. With somebody in it, decide: give the doctor hours for it, or bring all slots of the doctor in line, which keeps the visits and tells their patients: select app_private.follow_schedule('<hospital>', '<doctor>');$$,
  repair => 'repair_stray_slot');
