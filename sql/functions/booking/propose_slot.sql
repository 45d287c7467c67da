-- The seat is held while the patient thinks it over; confirm_hold takes it, cancel_appointment does not.
-- The message is for the notification alone (tell_of_appointment): it is handed over as a setting of the
-- transaction, and taken back at once, so that it is stored in one place.
-- No grant to app_nurse and app_patient: they do not answer requests.
create or replace function app_public.propose_slot(appointment_id uuid, slot_id uuid, message text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  proposed app_public.appointment;
begin
  if length(message) > 2000 then
    perform app_private.refuse('invalid_input', jsonb_build_object('message', 'has more than 2000 characters'));
  end if;
  perform set_config('slotkeeper.message', coalesce(btrim(message), ''), true);
  proposed := app_private.answer_request(appointment_id, 'held', slot_id);
  perform set_config('slotkeeper.message', '', true);
  return proposed;
end
$$;

comment on function app_public.propose_slot(uuid, uuid, text) is
  'Answers a request with another slot: its seat is held for the patient until heldUntil, to be confirmed with confirmHold or declined with cancelAppointment. All booking rules are judged. For the doctor, reception and admins.';

revoke execute on function app_public.propose_slot(uuid, uuid, text) from public;
grant execute on function app_public.propose_slot(uuid, uuid, text) to app_doctor, app_receptionist, app_admin;
