-- The doctors that a search is about, and the guards that both searches share. Each reference is looked
-- up in the hospital of the request, so that one of another hospital is as unknown as none.
create or replace function app_private.wished_doctors(
  hospital_id uuid, doctor_id uuid, specialty text, location_id uuid, service_id uuid,
  first_day date, last_day date, earliest_time time, latest_time time, weekdays integer[])
returns uuid[]
language plpgsql stable
as $$
begin
  if last_day < first_day or not isfinite(first_day) or not isfinite(last_day) then
    perform app_private.refuse('invalid_range', jsonb_build_object('first_day', first_day, 'last_day', last_day));
  end if;
  if latest_time < earliest_time then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('earliest_time', earliest_time, 'latest_time', latest_time));
  end if;
  if weekdays <> '{}' and not weekdays <@ array[1, 2, 3, 4, 5, 6, 7] then
    perform app_private.refuse('invalid_input', jsonb_build_object('weekdays', 'are numbers from 1 (Monday) to 7 (Sunday)'));
  end if;
  if doctor_id is not null and not exists (
    select from app_public.doctor
    where doctor.hospital_id = wished_doctors.hospital_id and doctor.id = wished_doctors.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  if location_id is not null and not exists (
    select from app_public.location
    where location.hospital_id = wished_doctors.hospital_id and location.id = wished_doctors.location_id)
  then
    perform app_private.refuse('location_not_found', jsonb_build_object('location_id', location_id));
  end if;
  if service_id is not null and not exists (
    select from app_public.service
    where service.hospital_id = wished_doctors.hospital_id and service.id = wished_doctors.service_id
      and service.is_active)
  then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', service_id));
  end if;

  if doctor_id is not null then
    return array(
      select doctor.id
      from app_public.doctor
      where doctor.hospital_id = wished_doctors.hospital_id
        and doctor.id = wished_doctors.doctor_id
        and (wished_doctors.specialty is null or doctor.specialty = wished_doctors.specialty));
  elsif specialty is not null then
    return array(
      select doctor.id
      from app_public.doctor
      where doctor.hospital_id = wished_doctors.hospital_id and doctor.specialty = wished_doctors.specialty);
  end if;
  return array(
    select doctor.id
    from app_public.doctor
    where doctor.hospital_id = wished_doctors.hospital_id);
end
$$;

comment on function app_private.wished_doctors(uuid, uuid, text, uuid, uuid, date, date, time, time, integer[]) is
  'Doctors of a search; refuses wishes that contradict themselves or name what is not there.';

revoke execute on function
  app_private.wished_doctors(uuid, uuid, text, uuid, uuid, date, date, time, time, integer[]) from public;
grant execute on function
  app_private.wished_doctors(uuid, uuid, text, uuid, uuid, date, date, time, time, integer[])
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
