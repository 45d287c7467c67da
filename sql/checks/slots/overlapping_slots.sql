-- One place has many doctors at a time, and one doctor may work at many places: only slots of one doctor
-- can get in each other's way, wherever they are. Each slot asks the index for the next ones, because no
-- equality finds overlaps; slots of the very same time are another check's, and what is over harms nobody.
create or replace view checks.overlapping_slots as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The slot overlaps %s of the same doctor%s.',
    case broken.other_count when 1 then 'another slot' else format('%s slots', broken.other_count) end,
    case when broken.is_elsewhere then ' at another place' else '' end) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'starts_at', broken.starts_at,
    'ends_at', broken.ends_at, 'booked_count', broken.booked_count, 'other_slot_ids', broken.other_ids) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.location_id, slot.starts_at, slot.ends_at, slot.booked_count,
    other.other_count, other.other_ids, other.is_elsewhere
  from app_public.slot
  cross join lateral (
    select count(*) as other_count, array_agg(other.id order by other.starts_at, other.id) as other_ids,
      bool_or(other.location_id <> slot.location_id) as is_elsewhere
    from app_public.slot as other
    where other.hospital_id = slot.hospital_id
      and other.doctor_id = slot.doctor_id
      and other.starts_at >= slot.starts_at
      and other.starts_at < slot.ends_at
      and other.during <> slot.during
      and (other.starts_at > slot.starts_at or other.ends_at > slot.ends_at)
      and other.withdrawn_at is null
    offset 0
  ) as other
  where slot.withdrawn_at is null
    and slot.ends_at > (select app_private.clock())
    and other.other_count > 0
) as broken
join app_public.health_check as entry on entry.name = 'overlapping_slots';

comment on view checks.overlapping_slots is 'Slots during which another slot of the same doctor begins.';
revoke all on checks.overlapping_slots from public;
grant select on checks.overlapping_slots to app_monitor;

select app_private.declare_check(
  name => 'overlapping_slots', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'Slots of a doctor overlap',
  meaning => 'While this slot lasts, another slot of the same doctor begins, at the same place or at another one. Doctors who work at one place at the same time are right, and withdrawn slots do not count.',
  importance => 'Two patients can book the same minutes of one doctor, at two places even.',
  resolution => $$Decide which of the slots is right; metadata names them. Move the visits of the other one (select id, patient_id, status from app_public.appointment where slot_id = '<slot>' and holds_seat;), then withdraw it: update app_public.slot set withdrawn_at = now() where hospital_id = '<hospital>' and id = '<slot>' and booked_count = 0; The constraint slots_of_a_doctor_never_overlap forbids this: it must have been dropped. checks.missing_guard says so and how to put it back.$$,
  remedy => 'review');
