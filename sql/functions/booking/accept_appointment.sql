-- The request keeps its own time; all rules are judged by the trigger, as for a booking.
-- No grant to app_nurse and app_patient: they do not answer requests.
create or replace function app_public.accept_appointment(appointment_id uuid, slot_id uuid default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return app_private.answer_request(
    appointment_id, 'scheduled', coalesce(slot_id, app_private.slot_of_request(hospital, appointment_id)));
end
$$;

comment on function app_public.accept_appointment(uuid, uuid) is
  'Accepts a request into a slot, at the time that was asked for: the time must lie in the slot. Without slotId, into the doctor''s slot at that time. All booking rules are judged. For the doctor, reception and admins.';

revoke execute on function app_public.accept_appointment(uuid, uuid) from public;
grant execute on function app_public.accept_appointment(uuid, uuid) to app_doctor, app_receptionist, app_admin;
