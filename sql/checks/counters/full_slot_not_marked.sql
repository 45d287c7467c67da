-- What a slot says of itself follows from its own columns, as a generated column: they disagree only if the
-- column was made an ordinary one, its expression changed, or a page was restored. One look a row.
create or replace view checks.full_slot_not_marked as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The slot says that it is %s, but it is %s: %s of %s seats are taken.', broken.status, broken.right_status,
    broken.booked_count, broken.capacity) as detail,
  jsonb_build_object(
    'slot_id', broken.id,
    'doctor_id', broken.doctor_id,
    'starts_at', broken.starts_at,
    'status', broken.status,
    'right_status', broken.right_status,
    'capacity', broken.capacity,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.status, slot.capacity, slot.booked_count,
    stated.status as right_status
  from app_public.slot
  cross join lateral (
    select case
      when slot.withdrawn_at is not null or slot.is_retired then 'withdrawn'
      when slot.blocked_at is not null or slot.absence_id is not null or slot.holiday_id is not null then 'blocked'
      when slot.booked_count >= slot.capacity then 'booked'
      else 'available' end::app_public.slot_status as status
  ) as stated
  where slot.status is distinct from stated.status
) as broken
join app_public.health_check as entry on entry.name = 'full_slot_not_marked';

comment on view checks.full_slot_not_marked is 'Slots whose status is not what their own columns say, above all full ones that are not marked as booked.';
revoke all on checks.full_slot_not_marked from public;
grant select on checks.full_slot_not_marked to app_monitor;

select app_private.declare_check(
  name => 'full_slot_not_marked', domain => 'counters', severity => 'critical', entity_type => 'slot',
  title => 'A full slot is not marked as booked',
  meaning => 'The status of the slot does not follow from its count, its room and its blocks. It is a generated column, so somebody has changed the column itself, or a row was restored from somewhere else.',
  importance => 'Lists of free slots are made from the status: a full slot is offered, or a free one is never found.',
  resolution => 'The row is written anew by itself (repair_slot_status), which computes the status. If that does not help, the column is not generated any more: compare \d app_public.slot with migrations/committed/000007-slots.sql and those after it, and restore the expression.',
  repair => 'repair_slot_status',
  is_event_driven => true);
