-- Every slot that making these offers can touch: those that are offered, the further ones of long visits,
-- and those of lapsed holds that the bookings would let expire on their way.
create or replace function app_private.slots_of_offers(
  hospital_id uuid, doctor_id uuid, slot_ids uuid[], service_ids uuid[], patient_ids uuid[])
returns uuid[]
language plpgsql stable
as $$
begin
  return array(
    select unnest(slots_of_offers.slot_ids)
    union
    select unnest(app_private.needed_slots(slots_of_offers.hospital_id, wish.slot_id, wish.service_id))
    from unnest(slots_of_offers.slot_ids, slots_of_offers.service_ids) as wish (slot_id, service_id)
    where wish.service_id is not null
    union
    select unnest(appointment.slot_id || app_private.further_slots(slots_of_offers.hospital_id, appointment.id))
    from app_public.appointment
    where appointment.hospital_id = slots_of_offers.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and (appointment.doctor_id = slots_of_offers.doctor_id
        or appointment.patient_id = any (slots_of_offers.patient_ids)));
end
$$;

comment on function app_private.slots_of_offers(uuid, uuid, uuid[], uuid[], uuid[]) is
  'The slots to lock before a doctor''s seats are offered.';

revoke execute on function app_private.slots_of_offers(uuid, uuid, uuid[], uuid[], uuid[]) from public;
