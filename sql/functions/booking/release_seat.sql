-- Gives a seat and its place of the day back. Slot before day, as everywhere. A slot that the schedule
-- no longer has was only kept for those who sat in it: it is withdrawn with the last of them.
create or replace function app_private.release_seat(hospital_id uuid, slot_id uuid, counts_day boolean default true)
returns void
language plpgsql
as $$
declare
  seat record;
begin
  update app_public.slot
  set booked_count = booked_count - 1
  where slot.hospital_id = release_seat.hospital_id and slot.id = release_seat.slot_id
  returning slot.doctor_id, slot.starts_at, slot.is_retired, slot.booked_count into seat;

  if seat.is_retired and seat.booked_count = 0 then
    update app_public.slot
    set withdrawn_at = app_private.clock()
    where slot.hospital_id = release_seat.hospital_id and slot.id = release_seat.slot_id;
  end if;
  if counts_day then
    update app_public.doctor_day
    set booked_count = doctor_day.booked_count - 1
    from app_public.hospital
    where hospital.id = release_seat.hospital_id
      and doctor_day.hospital_id = release_seat.hospital_id
      and doctor_day.doctor_id = seat.doctor_id
      and doctor_day.day = (seat.starts_at at time zone hospital.time_zone)::date;
  end if;
end
$$;

comment on function app_private.release_seat(uuid, uuid, boolean) is
  'Gives back a seat of a slot and, unless told otherwise, its place of the doctor''s day.';

revoke execute on function app_private.release_seat(uuid, uuid, boolean) from public;
