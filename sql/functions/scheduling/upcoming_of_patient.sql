-- What stands in the way of a patient who leaves: appointments and open requests still ahead, and a visit
-- that is under way (of the last day). One short range of the patient's index.
create or replace function app_private.upcoming_of_patient(hospital_id uuid, patient_id uuid)
returns app_public.affected_appointment[]
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select row(appointment.id, appointment.patient_id, appointment.doctor_id, appointment.starts_at,
      appointment.ends_at, appointment.status, '{}')::app_public.affected_appointment
    from app_public.appointment
    where appointment.hospital_id = upcoming_of_patient.hospital_id
      and appointment.patient_id = upcoming_of_patient.patient_id
      and appointment.starts_at > instant - interval '1 day'
      and (appointment.holds_seat or appointment.status = 'requested')
      and (appointment.status <> 'held' or appointment.held_until > instant)
      and (appointment.status in ('checked_in', 'in_progress') or appointment.starts_at > instant)
    order by appointment.starts_at, appointment.id);
end
$$;

comment on function app_private.upcoming_of_patient(uuid, uuid) is
  'Appointments and open requests of a patient that are still to come or under way.';

revoke execute on function app_private.upcoming_of_patient(uuid, uuid) from public;
grant execute on function app_private.upcoming_of_patient(uuid, uuid) to app_receptionist, app_admin;
