-- The further slots that a visit needs besides the one it begins in: all slots of the doctor that
-- its time with the buffers of its service touches. The visit itself has to lie in slots without a
-- gap, at one location; a buffer may reach into a break or past the end of work, where nobody can be
-- booked anyway. Without a service a visit stays within its slot.
create or replace function app_private.needed_slots(
  hospital_id uuid, slot_id uuid, service_id uuid, wanted tstzrange default null)
returns uuid[]
language plpgsql stable
as $$
declare
  needed record;
begin
  if service_id is null then
    return '{}'::uuid[];
  end if;
  select
    array_agg(further.id order by further.starts_at) filter (where further.id <> first.id) as slot_ids,
    range_agg(further.during) filter (where further.location_id = first.location_id) @> visit.during
      and first.during @> lower(visit.during) as fits
  into needed
  from app_public.slot as first
  left join app_public.service
    on service.hospital_id = needed_slots.hospital_id and service.id = needed_slots.service_id
  cross join lateral (
    select coalesce(needed_slots.wanted,
      tstzrange(first.starts_at, first.starts_at + coalesce(service.duration, first.ends_at - first.starts_at))) as during
  ) as visit
  cross join lateral (
    -- The bounds twice: no slot is longer than 8 hours, so the index by start finds the few that can
    -- overlap, where a planner without a number would read all slots of the doctor.
    select slot.id, slot.location_id, slot.during, slot.starts_at
    from app_public.slot
    where slot.hospital_id = needed_slots.hospital_id
      and slot.doctor_id = first.doctor_id
      and slot.during && tstzrange(
        lower(visit.during) - coalesce(service.buffer_before, interval '0'),
        upper(visit.during) + coalesce(service.buffer_after, interval '0'))
      and slot.starts_at > lower(visit.during) - coalesce(service.buffer_before, interval '0') - interval '8 hours'
      and slot.starts_at < upper(visit.during) + coalesce(service.buffer_after, interval '0')
      and slot.withdrawn_at is null
    offset 0
  ) as further
  where first.hospital_id = needed_slots.hospital_id and first.id = needed_slots.slot_id
  group by first.id, first.during, visit.during;
  return case when needed.fits then coalesce(needed.slot_ids, '{}') end;
end
$$;

comment on function app_private.needed_slots(uuid, uuid, uuid, tstzrange) is
  'The further slots that a visit beginning in this slot needs, soonest first; empty when the slot is enough, null when the visit does not fit.';

revoke execute on function app_private.needed_slots(uuid, uuid, uuid, tstzrange) from public;
grant execute on function app_private.needed_slots(uuid, uuid, uuid, tstzrange)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
