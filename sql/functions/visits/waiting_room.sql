-- Those who have arrived on a local day of the hospital and are not done, whoever waits too long first.
-- Read under the caller's own rights by the keys that waiting_stages found; a doctor sees their own.
create or replace function app_public.waiting_room(
  doctor_id uuid default null, location_id uuid default null, day date default null)
returns setof app_public.waiting_patient
language plpgsql stable rows 20
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  sees_own_only boolean := app_private.actor_role() = 'doctor';
  own_doctor uuid := app_private.claim_doctor_id();
  instant timestamptz := app_private.clock();
  midnight timestamptz;
  next_midnight timestamptz;
begin
  select local.day::timestamp at time zone house.time_zone, (local.day + 1)::timestamp at time zone house.time_zone
  into midnight, next_midnight
  from app_public.hospital as house
  cross join lateral (
    select coalesce(waiting_room.day, (instant at time zone house.time_zone)::date)
  ) as local (day)
  where house.id = hospital;

  return query
  select visit.id, visit.patient_id, patient.name, visit.doctor_id, doctor.display_name, visit.location_id,
    visit.starts_at, visit.checked_in_at,
    floor(extract(epoch from
      case waiting.stage when 'with_doctor' then waiting.waiting_since else instant end - visit.checked_in_at) / 60)::integer,
    waiting.stage, waiting.waiting_since, waiting.due_at, waiting.consultation_id,
    coalesce((
      select array_agg(alert order by alert.due_at)
      from app_public.stage_alert as alert
      where alert.hospital_id = hospital and alert.appointment_id = visit.id and alert.status <> 'resolved'), '{}')
  from app_private.waiting_stages(hospital, midnight, next_midnight) as waiting
  join app_public.appointment as visit on visit.hospital_id = hospital and visit.id = waiting.appointment_id
  join app_public.patient on patient.hospital_id = hospital and patient.id = visit.patient_id
  join app_public.doctor on doctor.hospital_id = hospital and doctor.id = visit.doctor_id
  where (waiting_room.doctor_id is null or visit.doctor_id = waiting_room.doctor_id)
    and (not sees_own_only or visit.doctor_id = own_doctor)
    and (waiting_room.location_id is null or visit.location_id = waiting_room.location_id)
  order by waiting.due_at nulls last, visit.starts_at, visit.id;
end
$$;

comment on function app_public.waiting_room(uuid, uuid, date) is
  'Patients who have arrived and are not done, whoever waits too long first, those with the doctor last. Doctors see their own, the others of the staff all of the hospital. Today unless a day is given.';

revoke execute on function app_public.waiting_room(uuid, uuid, date) from public;
grant execute on function app_public.waiting_room(uuid, uuid, date)
  to app_doctor, app_nurse, app_receptionist, app_admin;
