-- Whoever books or frees several slots in one transaction locks all of them before the first one changes:
-- the patient, the slots by id (lapsed holds of the patient and of these doctors with theirs, because
-- booking lets them expire on the way; what the appointments that leave hold with theirs), then the days
-- by key. Two series, or a series and a move, can then wait for each other, but never in a circle.
-- Runs as the owner, because request roles lock no slots; it changes nothing but missing days, which
-- are created empty, and a patient locks for nobody else.
create or replace function app_private.lock_for_booking(
  hospital_id uuid, patient_id uuid, slot_ids uuid[], leaving_appointment_ids uuid[] default null)
returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  concerned uuid[];
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if app_private.actor_role() = 'patient' and patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;

  perform from app_public.patient
  where patient.hospital_id = lock_for_booking.hospital_id and patient.id = lock_for_booking.patient_id
  for no key update;

  select array_agg(distinct seat.slot_id) into concerned
  from (
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = lock_for_booking.hospital_id
      and appointment.id = any (leaving_appointment_ids)
    union all
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = lock_for_booking.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and (appointment.patient_id = lock_for_booking.patient_id
        or appointment.doctor_id in (
          select slot.doctor_id from app_public.slot
          where slot.hospital_id = lock_for_booking.hospital_id and slot.id = any (lock_for_booking.slot_ids)))
  ) as holder
  cross join lateral (
    select holder.slot_id
    union all
    select appointment_seat.slot_id
    from app_public.appointment_seat
    where appointment_seat.hospital_id = lock_for_booking.hospital_id
      and appointment_seat.appointment_id = holder.id
  ) as seat;
  perform app_private.lock_seats(hospital_id, array_remove(slot_ids || concerned, null));
end
$$;

comment on function app_private.lock_for_booking(uuid, uuid, uuid[], uuid[]) is
  'Locks a patient, then the slots that are going to be booked or left, in the order that every booking keeps.';

revoke execute on function app_private.lock_for_booking(uuid, uuid, uuid[], uuid[]) from public;
grant execute on function app_private.lock_for_booking(uuid, uuid, uuid[], uuid[])
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
