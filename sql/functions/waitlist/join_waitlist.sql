-- Who may wait for what is the table's own work; see admit_waitlist_entry.
create or replace function app_public.join_waitlist(
  patient_id uuid,
  first_day date,
  last_day date,
  doctor_id uuid default null,
  specialty text default null,
  service_id uuid default null,
  location_id uuid default null,
  earliest_time time default null,
  latest_time time default null,
  reason text default null)
returns app_public.waitlist_entry
language plpgsql volatile
as $$
declare
  joined app_public.waitlist_entry;
begin
  insert into app_public.waitlist_entry (
    hospital_id, patient_id, doctor_id, specialty, service_id, location_id,
    first_day, last_day, earliest_time, latest_time, reason)
  values (
    app_private.request_hospital_id(), patient_id, doctor_id, specialty, service_id, location_id,
    first_day, last_day, earliest_time, latest_time, reason)
  returning * into joined;
  return joined;
end
$$;

comment on function app_public.join_waitlist(uuid, date, date, uuid, text, uuid, uuid, time, time, text) is
  'Puts a patient on the waitlist of a doctor or of a specialty. When a seat that suits becomes free, it is held for whoever came first and the patient is told: confirmHold accepts the offer, cancelAppointment declines it.';

revoke execute on function app_public.join_waitlist(uuid, date, date, uuid, text, uuid, uuid, time, time, text) from public;
grant execute on function app_public.join_waitlist(uuid, date, date, uuid, text, uuid, uuid, time, time, text)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
