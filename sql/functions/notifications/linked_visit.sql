-- What a page shows to somebody with a signed link, who has no account: the visit that the link was made
-- for, if it still begins when the link says and has not begun. Whose it is stays with the server, which
-- acts for them. Definer, because nobody is logged in.
create or replace function app_private.linked_visit(hospital_id uuid, appointment_id uuid, start_micros bigint)
returns table (
  patient_id uuid, status app_public.appointment_status, starts_at timestamptz, local_start text,
  doctor_name text, location_name text, hospital_name text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select appointment.patient_id, appointment.status, appointment.starts_at,
      app_private.local_time(appointment.starts_at, hospital.time_zone),
      doctor.display_name, location.name, hospital.name
    from app_public.appointment
    join app_public.doctor
      on doctor.hospital_id = linked_visit.hospital_id and doctor.id = appointment.doctor_id
    left join app_public.location
      on location.hospital_id = linked_visit.hospital_id and location.id = appointment.location_id
    join app_public.hospital on hospital.id = linked_visit.hospital_id
    where appointment.hospital_id = linked_visit.hospital_id
      and appointment.id = linked_visit.appointment_id
      and (extract(epoch from appointment.starts_at) * 1000000)::bigint = start_micros
      and appointment.starts_at > app_private.clock();
end
$$;

comment on function app_private.linked_visit(uuid, uuid, bigint) is
  'The visit of a link that was signed for it; no row when it was moved or has begun.';

revoke execute on function app_private.linked_visit(uuid, uuid, bigint) from public;
grant execute on function app_private.linked_visit(uuid, uuid, bigint) to app_login;
