-- The appointment is locked first, then the slot, as in every booking; so an appointment that gets its seat back
-- at this moment is finished, and seen. The row goes without counting back, because nobody knows whether it was
-- ever counted: the slot is counted anew.
-- Definer, because nobody may write these rows.
create or replace function app_private.repair_further_seat(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  further_slot_id uuid := (finding.metadata ->> 'slot_id')::uuid;
  recount app_public.finding := finding;
begin
  perform from app_public.appointment
  where appointment.hospital_id = finding.hospital_id and appointment.id = finding.entity_id
  for no key update;
  perform app_private.lock_seats(finding.hospital_id, array[further_slot_id]);
  delete from app_public.appointment_seat
  where appointment_seat.hospital_id = finding.hospital_id
    and appointment_seat.appointment_id = finding.entity_id
    and appointment_seat.slot_id = further_slot_id
    and not exists (
      select from app_public.appointment
      where appointment.hospital_id = finding.hospital_id
        and appointment.id = finding.entity_id
        and appointment.holds_seat);
  if not found then
    return 'Nothing to do: the appointment holds no such seat, or holds it rightly.';
  end if;
  perform app_private.record_repair(finding.hospital_id, 'appointment_seat', finding.entity_id,
    jsonb_build_object('slot_id', further_slot_id), jsonb_build_object('slot_id', null));
  recount.entity_type := 'slot';
  recount.entity_id := further_slot_id;
  return concat_ws(' ', 'The seat is given back.', app_private.repair_slot_count(recount));
end
$$;

comment on function app_private.repair_further_seat(app_public.finding) is
  'Gives back a further seat of an appointment that holds none, and counts its slot anew.';

revoke execute on function app_private.repair_further_seat(app_public.finding) from public;
