-- Tells the patient or the doctor of an appointment what happened to it: one row of their inbox, in
-- the words of the event's template, with the names and the local time of that moment. An event
-- without a template for this audience tells nobody. It runs inside every booking, so it looks up by
-- key, one by one, only what this audience is told (nobody needs their own name): a join of it all
-- takes longer to set up than that.
-- Only triggers and flows that run as the owner call it; a role that could would write into the inbox
-- of others, so no role is granted it, nor the insert.
-- facts: reason, held_until, holiday, message, where the event has them.
create or replace function app_private.notify_of_appointment(
  event text, audience text, appointment app_public.appointment, facts jsonb default null)
returns void
language plpgsql
as $$
declare
  template app_public.notification_template;
  patient_name text;
  doctor_name text;
  location_name text;
  local_start text;
begin
  select * into template
  from app_public.notification_template
  where notification_template.event = notify_of_appointment.event
    and notification_template.audience = notify_of_appointment.audience;
  if not found then
    return;
  end if;

  if audience = 'doctor' then
    select patient.name into patient_name
    from app_public.patient
    where patient.hospital_id = appointment.hospital_id and patient.id = appointment.patient_id;
  else
    select doctor.display_name into doctor_name
    from app_public.doctor
    where doctor.hospital_id = appointment.hospital_id and doctor.id = appointment.doctor_id;
    select location.name into location_name
    from app_public.location
    where location.hospital_id = appointment.hospital_id and location.id = appointment.location_id;
  end if;
  select app_private.local_time(lower(appointment.during), hospital.time_zone) into local_start
  from app_public.hospital
  where hospital.id = appointment.hospital_id;

  insert into app_public.notification (
    hospital_id, patient_id, doctor_id, event, priority, channels, title, body, appointment_id, created_at)
  values (
    appointment.hospital_id,
    case audience when 'patient' then appointment.patient_id end,
    case audience when 'doctor' then appointment.doctor_id end,
    template.event,
    template.priority,
    template.channels,
    app_private.fill_template(template.title, patient_name, doctor_name, location_name, local_start, facts),
    app_private.fill_template(template.body, patient_name, doctor_name, location_name, local_start, facts),
    appointment.id,
    app_private.clock());
end
$$;

comment on function app_private.notify_of_appointment(text, text, app_public.appointment, jsonb) is
  'Leaves a notification about an appointment for its patient or its doctor.';

revoke execute on function app_private.notify_of_appointment(text, text, app_public.appointment, jsonb) from public;
