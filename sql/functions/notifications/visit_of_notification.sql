-- What a message about a visit is accompanied by outside the inbox: the visit as it is at this moment,
-- for its calendar file and its links. Of messages to patients only; nothing of the message's words and
-- nothing about the patient. Definer, because the worker may not read inboxes.
create or replace function app_private.visit_of_notification(hospital_id uuid, notification_id uuid)
returns table (
  event text, appointment_id uuid, status app_public.appointment_status, starts_at timestamptz,
  ends_at timestamptz, start_micros bigint, is_ahead boolean, changed_at timestamptz, move_count integer,
  doctor_name text, location_name text, hospital_name text, hospital_slug text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select notification.event, appointment.id, appointment.status, appointment.starts_at, appointment.ends_at,
      (extract(epoch from appointment.starts_at) * 1000000)::bigint,
      appointment.starts_at > app_private.clock(), appointment.updated_at,
      (select count(*)::integer
       from app_public.appointment_move as move
       where move.hospital_id = visit_of_notification.hospital_id and move.appointment_id = appointment.id),
      doctor.display_name, location.name, hospital.name, hospital.slug
    from app_public.notification
    join app_public.appointment
      on appointment.hospital_id = visit_of_notification.hospital_id
      and appointment.id = notification.appointment_id and appointment.patient_id = notification.patient_id
    join app_public.doctor
      on doctor.hospital_id = visit_of_notification.hospital_id and doctor.id = appointment.doctor_id
    left join app_public.location
      on location.hospital_id = visit_of_notification.hospital_id and location.id = appointment.location_id
    join app_public.hospital on hospital.id = visit_of_notification.hospital_id
    where notification.hospital_id = visit_of_notification.hospital_id and notification.id = notification_id;
end
$$;

comment on function app_private.visit_of_notification(uuid, uuid) is
  'The visit that a message to a patient is about, as it is now; no row where there is none.';

revoke execute on function app_private.visit_of_notification(uuid, uuid) from public;
grant execute on function app_private.visit_of_notification(uuid, uuid) to app_worker;
