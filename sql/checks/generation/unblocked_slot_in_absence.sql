-- A slot knows the absence that closes it; a slot ahead that an active absence of its doctor touches and
-- that names none is open. Absences are few and lead to their slots by the doctor and the time; no slot
-- is longer than a day.
create or replace view checks.unblocked_slot_in_absence as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  'The slot is open though its doctor is away.' as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'absence_id', broken.absence_id, 'starts_at', broken.starts_at,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.absence_id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count, absence.id as absence_id
  from app_public.slot
  join app_public.absence
    on absence.hospital_id = slot.hospital_id
    and absence.doctor_id = slot.doctor_id
    and absence.status = 'active'
    and absence.during && slot.during
    and slot.starts_at > lower(absence.during) - interval '1 day'
    and slot.starts_at < upper(absence.during)
  where slot.withdrawn_at is null
    and not slot.is_retired
    and slot.absence_id is null
    and slot.starts_at > (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'unblocked_slot_in_absence';

comment on view checks.unblocked_slot_in_absence is 'Slots ahead that are not closed though an active absence of their doctor touches them.';
revoke all on checks.unblocked_slot_in_absence from public;
grant select on checks.unblocked_slot_in_absence to app_monitor;

select app_private.declare_check(
  name => 'unblocked_slot_in_absence', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot is open while its doctor is away',
  meaning => 'An active absence of the doctor touches the slot, but the slot is not closed by it.',
  importance => 'Patients can book a doctor who will not be there.',
  resolution => $$The repair closes the slot and tells the patients who sit in it, as entering the absence does; the hourly job does it by itself. Somebody in an emergency absence is left to people, because such visits are cancelled: cancel the appointment, then run select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'unblocked_slot_in_absence' and resolved_at is null; If the doctor is here after all, cancel the absence instead.$$,
  repair => 'repair_slot_closure',
  is_event_driven => true);
