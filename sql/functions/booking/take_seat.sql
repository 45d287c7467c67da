-- Takes one seat of a slot and one place of the doctor's day, each by one guarded update that waits
-- for whoever holds the row and then looks again. The second statement reads the doctor afresh,
-- after the slot is locked: a doctor who became unavailable meanwhile is seen, without a lock on
-- the doctor's row. Of the day's limit and the doctor's the smaller holds, because a day that was
-- being created while the doctor's limit sank has not heard of it. No slot means: refuse now; the
-- seat is given back before, so that the refusal does not count it.
create or replace function app_private.take_seat(hospital_id uuid, slot_id uuid)
returns app_public.slot
language plpgsql
as $$
declare
  seat app_public.slot;
begin
  update app_public.slot
  set booked_count = booked_count + 1
  where slot.hospital_id = take_seat.hospital_id
    and slot.id = take_seat.slot_id
    and slot.withdrawn_at is null
    and not slot.is_retired
    and slot.blocked_at is null
    and slot.absence_id is null
    and slot.holiday_id is null
    and slot.booked_count < slot.capacity
  returning slot.* into seat;
  if not found then
    return null;
  end if;

  insert into app_public.doctor_day as today (hospital_id, doctor_id, day, booked_count, max_patients)
  select doctor.hospital_id, doctor.id, (seat.starts_at at time zone hospital.time_zone)::date,
    1, doctor.max_patients_per_day
  from app_public.doctor
  join app_public.hospital on hospital.id = take_seat.hospital_id
  where doctor.hospital_id = take_seat.hospital_id
    and doctor.id = seat.doctor_id
    and doctor.is_active and doctor.is_available
  on conflict on constraint doctor_day_pkey do update
    set booked_count = today.booked_count + 1
    where today.booked_count < least(today.max_patients, excluded.max_patients);
  if not found then
    perform app_private.release_seat(hospital_id, slot_id, counts_day => false);
    return null;
  end if;
  return seat;
end
$$;

comment on function app_private.take_seat(uuid, uuid) is
  'Takes a seat of a slot and a place of the doctor''s day; returns the slot, or null when there is none.';

revoke execute on function app_private.take_seat(uuid, uuid) from public;
