-- A slot knows the holiday that closes it; a slot ahead on a holiday that it does not name is open. The
-- days of the hospital's own zone count. Where a day has a holiday is asked only of hospitals that have any.
create or replace view checks.slot_on_holiday as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The slot is open on %s, a holiday of the hospital.', to_char(broken.day, 'YYYY-MM-DD')) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'holiday_id', broken.holiday_id, 'day', broken.day, 'starts_at', broken.starts_at,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.holiday_id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count, local.day, holiday.id as holiday_id
  from app_public.slot
  join app_public.hospital on hospital.id = slot.hospital_id
  cross join lateral (
    select (slot.starts_at at time zone hospital.time_zone)::date as day
    offset 0
  ) as local
  join app_public.holiday
    on holiday.hospital_id = slot.hospital_id
    and holiday.month_day = (extract(month from local.day) * 100 + extract(day from local.day))::integer
    and (holiday.is_recurring or holiday.date = local.day)
    and holiday.is_active
  where slot.withdrawn_at is null
    and not slot.is_retired
    and slot.holiday_id is null
    and slot.starts_at > (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'slot_on_holiday';

comment on view checks.slot_on_holiday is 'Slots ahead that are not closed though their local day is a holiday of the hospital.';
revoke all on checks.slot_on_holiday from public;
grant select on checks.slot_on_holiday to app_monitor;

select app_private.declare_check(
  name => 'slot_on_holiday', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot is open on a holiday',
  meaning => 'The local day of the slot is a holiday of the hospital, but the slot is not closed by it.',
  importance => 'Patients can book a day on which nobody is there.',
  resolution => $$The repair closes the slot and tells the patients who sit in it, as entering the holiday does; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'slot_on_holiday' and resolved_at is null; If the hospital is open on that day, cancel the holiday instead.$$,
  repair => 'repair_slot_closure',
  is_event_driven => true);
