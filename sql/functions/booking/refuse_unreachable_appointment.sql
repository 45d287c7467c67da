-- Why an update reached no appointment: it can be seen but not changed by this caller, or it cannot
-- even be seen, which looks the same as not being there.
create or replace function app_private.refuse_unreachable_appointment(hospital_id uuid, appointment_id uuid)
returns void
language plpgsql stable
as $$
begin
  perform app_private.refuse(
    case when exists (
      select from app_public.appointment
      where appointment.hospital_id = refuse_unreachable_appointment.hospital_id
        and appointment.id = refuse_unreachable_appointment.appointment_id)
    then 'forbidden' else 'appointment_not_found' end,
    jsonb_build_object('appointment_id', appointment_id));
end
$$;

comment on function app_private.refuse_unreachable_appointment(uuid, uuid) is
  'Refuses with forbidden or appointment_not_found; never returns.';

revoke execute on function app_private.refuse_unreachable_appointment(uuid, uuid) from public;
grant execute on function app_private.refuse_unreachable_appointment(uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
