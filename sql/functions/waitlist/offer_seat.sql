-- One offer: a seat held for the patient's answer, by the same door as every booking; the offer, whose
-- triggers mark the entry; and the news. A hold for which a job brings an end waits as long as an offer
-- does; see held_until. Whatever has changed since the plan was made refuses it here, in a subtransaction
-- of its own, and the others go on.
create or replace function app_private.offer_seat(hospital_id uuid, entry_id uuid, slot_id uuid)
returns boolean
language plpgsql
as $$
declare
  held app_public.appointment;
begin
  insert into app_public.appointment (
    hospital_id, slot_id, patient_id, service_id, reason, status, source, held_until)
  select entry.hospital_id, slot.id, entry.patient_id, entry.service_id, entry.reason, 'held', 'patient', slot.starts_at
  from app_public.waitlist_entry as entry
  join app_public.slot on slot.hospital_id = offer_seat.hospital_id and slot.id = offer_seat.slot_id
  where entry.hospital_id = offer_seat.hospital_id and entry.id = offer_seat.entry_id and entry.status = 'waiting'
  returning * into held;
  if not found then
    return false;
  end if;
  insert into app_public.waitlist_offer (
    hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at)
  values (
    held.hospital_id, offer_seat.entry_id, held.patient_id, held.doctor_id, held.slot_id, held.id, held.created_at);
  perform app_private.notify_of_appointment('seat_offered', 'patient', held, app_private.deadline_of_hold(held));
  return true;
exception
  when sqlstate 'SK404' or sqlstate 'SK409' or sqlstate 'SK422' or exclusion_violation or unique_violation then
    return false;
end
$$;

comment on function app_private.offer_seat(uuid, uuid, uuid) is
  'Offers a seat of a slot to a place on the waitlist; says whether that was still possible.';

revoke execute on function app_private.offer_seat(uuid, uuid, uuid) from public;
