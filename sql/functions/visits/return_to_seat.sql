-- A visit that was not missed after all gets its seats back. The rules of booking do not judge it (its
-- time may have passed, the slot may be closed by now, the patient may be blocked because of it); what
-- cannot be is still refused: a seat that somebody else has taken, a full day, a patient who is elsewhere
-- by now. Locks as in every booking: patient, slots, days; the day is that of the slot, which counted it.
create or replace function app_private.return_to_seat(visit app_public.appointment) returns void
language plpgsql
as $$
declare
  slot_ids uuid[] := array[visit.slot_id];
  other_id uuid;
begin
  perform from app_public.patient
  where patient.hospital_id = visit.hospital_id and patient.id = visit.patient_id
  for no key update;
  if visit.service_id is not null then
    slot_ids := slot_ids || coalesce(
      app_private.needed_slots(visit.hospital_id, visit.slot_id, visit.service_id, visit.during), '{}');
  end if;
  perform app_private.expire_lapsed_holds(visit.hospital_id, visit.slot_id, visit.patient_id, slot_ids);
  perform app_private.lock_seats(visit.hospital_id, slot_ids);

  select appointment.id into other_id
  from app_public.appointment
  where appointment.hospital_id = visit.hospital_id
    and appointment.patient_id = visit.patient_id
    and appointment.during && visit.during
    and appointment.holds_seat
  limit 1;
  if other_id is not null then
    perform app_private.refuse('patient_double_booked', jsonb_build_object('appointment_id', other_id));
  end if;
  if exists (
    select from app_public.slot
    where slot.hospital_id = visit.hospital_id and slot.id = any (slot_ids) and slot.withdrawn_at is not null)
  then
    perform app_private.refuse('slot_withdrawn', jsonb_build_object('slot_id', visit.slot_id));
  elsif exists (
    select from app_public.slot
    where slot.hospital_id = visit.hospital_id and slot.id = any (slot_ids) and slot.booked_count >= slot.capacity)
  then
    perform app_private.refuse('seat_no_longer_free', jsonb_build_object('slot_id', visit.slot_id));
  end if;

  update app_public.slot
  set booked_count = booked_count + 1
  where slot.hospital_id = visit.hospital_id and slot.id = visit.slot_id;
  update app_public.doctor_day
  set booked_count = doctor_day.booked_count + 1
  from app_public.hospital
  join app_public.slot on slot.hospital_id = visit.hospital_id and slot.id = visit.slot_id
  where hospital.id = visit.hospital_id
    and doctor_day.hospital_id = visit.hospital_id
    and doctor_day.doctor_id = visit.doctor_id
    and doctor_day.day = (slot.starts_at at time zone hospital.time_zone)::date
    and doctor_day.booked_count < doctor_day.max_patients;
  if not found then
    perform app_private.refuse('daily_limit_reached');
  end if;
end
$$;

comment on function app_private.return_to_seat(app_public.appointment) is
  'Takes the seats of a visit again that had been given back because the patient seemed not to come.';

revoke execute on function app_private.return_to_seat(app_public.appointment) from public;
