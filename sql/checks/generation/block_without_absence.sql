-- The other way round: a slot ahead is closed by an absence that was cancelled, is another doctor's or
-- touches it not, or by a holiday that was cancelled or falls on another day. Only closed slots are read,
-- by the two partial indexes. What somebody blocked by hand has its own reason and is none of this.
create or replace view checks.block_without_absence as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case broken.closure
    when 'absence' then 'The slot is closed by an absence that does not hold then.'
    else 'The slot is closed by a holiday that does not hold then.'
  end as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'closure', broken.closure, 'closure_id', broken.closure_id,
    'starts_at', broken.starts_at, 'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.closure) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count,
    'absence' as closure, slot.absence_id as closure_id
  from app_public.slot
  left join app_public.absence
    on absence.hospital_id = slot.hospital_id
    and absence.id = slot.absence_id
    and absence.doctor_id = slot.doctor_id
    and absence.status = 'active'
    and absence.during && slot.during
  where slot.absence_id is not null
    and slot.withdrawn_at is null
    and not slot.is_retired
    and slot.starts_at > (select app_private.clock())
    and absence.id is null
  union all
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count, 'holiday', slot.holiday_id
  from app_public.slot
  join app_public.hospital on hospital.id = slot.hospital_id
  cross join lateral (
    select (slot.starts_at at time zone hospital.time_zone)::date as day
    offset 0
  ) as local
  left join app_public.holiday
    on holiday.hospital_id = slot.hospital_id
    and holiday.id = slot.holiday_id
    and holiday.is_active
    and holiday.month_day = (extract(month from local.day) * 100 + extract(day from local.day))::integer
    and (holiday.is_recurring or holiday.date = local.day)
  where slot.holiday_id is not null
    and slot.withdrawn_at is null
    and not slot.is_retired
    and slot.starts_at > (select app_private.clock())
    and holiday.id is null
) as broken
join app_public.health_check as entry on entry.name = 'block_without_absence';

comment on view checks.block_without_absence is 'Slots ahead that are closed by an absence or a holiday that does not hold then.';
revoke all on checks.block_without_absence from public;
grant select on checks.block_without_absence to app_monitor;

select app_private.declare_check(
  name => 'block_without_absence', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot is closed without a reason',
  meaning => 'The slot is closed by an absence or a holiday that was cancelled, is at another time, or is another doctor''s. Slots blocked by hand are right.',
  importance => 'The doctor is there and the time is offered to nobody.',
  resolution => $$The repair opens the slot, or hands it to the absence or holiday that does hold then; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'block_without_absence' and resolved_at is null;$$,
  repair => 'repair_slot_closure');
