-- The state machine decides; see change_appointment_status.
create or replace function app_public.confirm_hold(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  perform app_private.guard_is_held(appointment_id);
  return app_private.transit_appointment(appointment_id, 'scheduled');
end
$$;

comment on function app_public.confirm_hold(uuid) is
  'Turns a held seat into an appointment, before heldUntil has passed.';

revoke execute on function app_public.confirm_hold(uuid) from public;
grant execute on function app_public.confirm_hold(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
