-- The day of an instant on the hospital's own calendar.
create or replace function app_private.local_day(hospital_id uuid, instant timestamptz) returns date
language plpgsql stable
as $$
begin
  return (
    select (local_day.instant at time zone hospital.time_zone)::date
    from app_public.hospital
    where hospital.id = local_day.hospital_id);
end
$$;

comment on function app_private.local_day(uuid, timestamptz) is 'Local date of an instant in a hospital.';

revoke execute on function app_private.local_day(uuid, timestamptz) from public;
grant execute on function app_private.local_day(uuid, timestamptz)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
