-- The seat becomes free in the same transaction; see change_appointment_status.
create or replace function app_public.cancel_appointment(appointment_id uuid, reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'cancelled', reason);
end
$$;

comment on function app_public.cancel_appointment(uuid, text) is
  'Cancels an appointment and frees its seat at once.';

revoke execute on function app_public.cancel_appointment(uuid, text) from public;
grant execute on function app_public.cancel_appointment(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
