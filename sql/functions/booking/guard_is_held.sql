-- Confirming a hold is for holds: a request becomes an appointment only when somebody accepts it.
create or replace function app_private.guard_is_held(appointment_id uuid) returns void
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  present app_public.appointment_status;
begin
  select appointment.status into present
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = appointment_id;
  if present <> 'held' then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', present, 'to', 'scheduled'));
  end if;
end
$$;

comment on function app_private.guard_is_held(uuid) is 'Refuses unless the appointment is held.';

revoke execute on function app_private.guard_is_held(uuid) from public;
grant execute on function app_private.guard_is_held(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
