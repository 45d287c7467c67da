-- The further seats of a long visit follow the appointment: they are taken when it has got its first
-- seat, in the slots that seat_appointment has locked and judged.
create or replace function app_private.keep_further_seats() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
  select slot.hospital_id, new.id, slot.id, slot.doctor_id, slot.location_id
  from app_public.slot
  where slot.hospital_id = new.hospital_id
    and slot.id = any (app_private.needed_slots(new.hospital_id, new.slot_id, new.service_id, new.during))
  order by slot.id;
  return null;
end
$$;

comment on function app_private.keep_further_seats() is 'Trigger: takes the further seats of a visit that needs more than one slot.';

revoke execute on function app_private.keep_further_seats() from public;

create or replace trigger new_appointment_takes_its_further_seats
  after insert on app_public.appointment
  for each row when (new.service_id is not null and new.holds_seat)
  execute function app_private.keep_further_seats();

create or replace trigger appointment_takes_its_further_seats
  after update of status, slot_id on app_public.appointment
  for each row when (
    new.service_id is not null and new.holds_seat
    and (not old.holds_seat or new.slot_id is distinct from old.slot_id))
  execute function app_private.keep_further_seats();
