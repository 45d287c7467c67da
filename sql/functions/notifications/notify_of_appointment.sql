-- Tells the patient or the doctor of an appointment what happened to it: one row of their inbox, in
-- the words of the event's template, with the names and the local time of that moment. An event
-- without a template for this audience tells nobody.
-- facts: further names of the template with their texts.
create or replace function app_private.notify_of_appointment(
  event text, audience text, appointment app_public.appointment, facts jsonb default null)
returns void
language plpgsql
as $$
begin
  insert into app_public.notification (
    hospital_id, patient_id, doctor_id, event, priority, channels, title, body, appointment_id, created_at)
  select appointment.hospital_id,
    case when notify_of_appointment.audience = 'patient' then appointment.patient_id end,
    case when notify_of_appointment.audience = 'doctor' then appointment.doctor_id end,
    template.event, template.priority, template.channels,
    template.title,
    app_private.fill_template(
      replace(replace(replace(replace(template.body,
        '{patient}', patient.name),
        '{doctor}', doctor.display_name),
        '{location}', coalesce(location.name, '')),
        '{starts_at}', to_char(lower(appointment.during) at time zone hospital.time_zone, 'FMDay, DD FMMonth YYYY, HH24:MI')),
      facts),
    appointment.id,
    app_private.clock()
  from app_public.notification_template as template
  join app_public.hospital on hospital.id = appointment.hospital_id
  join app_public.patient
    on patient.hospital_id = appointment.hospital_id and patient.id = appointment.patient_id
  join app_public.doctor
    on doctor.hospital_id = appointment.hospital_id and doctor.id = appointment.doctor_id
  left join app_public.location
    on location.hospital_id = appointment.hospital_id and location.id = appointment.location_id
  where template.event = notify_of_appointment.event and template.audience = notify_of_appointment.audience;
end
$$;

comment on function app_private.notify_of_appointment(text, text, app_public.appointment, jsonb) is
  'Leaves a notification about an appointment for its patient or its doctor.';

revoke execute on function app_private.notify_of_appointment(text, text, app_public.appointment, jsonb) from public;
