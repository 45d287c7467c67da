-- Locks the seats of several slots before any of them changes: slots in the order of their ids,
-- then the days of their doctors in the order of their keys. Two operations on overlapping sets can
-- wait for each other, but never in a circle. Missing days are created first, so that they too are
-- locked in order.
create or replace function app_private.lock_seats(hospital_id uuid, slot_ids uuid[])
returns void
language plpgsql
as $$
begin
  perform from app_public.slot
  where slot.hospital_id = lock_seats.hospital_id and slot.id = any (lock_seats.slot_ids)
  order by slot.id
  for no key update;

  insert into app_public.doctor_day (hospital_id, doctor_id, day, max_patients)
  select distinct slot.hospital_id, slot.doctor_id,
    (slot.starts_at at time zone hospital.time_zone)::date as day, doctor.max_patients_per_day
  from app_public.slot
  join app_public.hospital on hospital.id = lock_seats.hospital_id
  join app_public.doctor on doctor.hospital_id = lock_seats.hospital_id and doctor.id = slot.doctor_id
  where slot.hospital_id = lock_seats.hospital_id and slot.id = any (lock_seats.slot_ids)
  order by slot.doctor_id, day
  on conflict do nothing;

  perform from app_public.doctor_day
  where doctor_day.hospital_id = lock_seats.hospital_id
    and (doctor_day.doctor_id, doctor_day.day) in (
      select slot.doctor_id, (slot.starts_at at time zone hospital.time_zone)::date
      from app_public.slot
      join app_public.hospital on hospital.id = lock_seats.hospital_id
      where slot.hospital_id = lock_seats.hospital_id and slot.id = any (lock_seats.slot_ids))
  order by doctor_day.doctor_id, doctor_day.day
  for no key update;
end
$$;

comment on function app_private.lock_seats(uuid, uuid[]) is
  'Locks slots by id, then their doctors'' days by key: the order that every booking keeps.';

revoke execute on function app_private.lock_seats(uuid, uuid[]) from public;
