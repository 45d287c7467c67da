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
