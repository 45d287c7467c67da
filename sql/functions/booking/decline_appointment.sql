-- The patient reads the reason, so there has to be one.
-- No grant to app_nurse and app_patient: they do not answer requests; a patient withdraws by cancelling.
create or replace function app_public.decline_appointment(appointment_id uuid, reason text)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  if length(btrim(coalesce(reason, ''))) = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is empty'));
  end if;
  return app_private.answer_request(appointment_id, 'cancelled', cancellation_reason => reason);
end
$$;

comment on function app_public.decline_appointment(uuid, text) is
  'Declines a request; the patient is told why. For the doctor, reception and admins.';

revoke execute on function app_public.decline_appointment(uuid, text) from public;
grant execute on function app_public.decline_appointment(uuid, text) to app_doctor, app_receptionist, app_admin;
