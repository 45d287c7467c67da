-- A requested visit lasts as long as its service, and where that says nothing, as long as the doctor's
-- slots. Of an unknown doctor it lasts a moment, until the rules have refused it.
create or replace function app_private.request_time(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, service_id uuid)
returns tstzrange
language plpgsql stable
as $$
declare
  length interval;
begin
  select coalesce(service.duration, doctor.slot_duration) into length
  from app_public.doctor
  left join app_public.service
    on service.hospital_id = request_time.hospital_id and service.id = request_time.service_id
  where doctor.hospital_id = request_time.hospital_id and doctor.id = request_time.doctor_id;
  return tstzrange(starts_at, starts_at + coalesce(length, interval '1 minute'));
end
$$;

comment on function app_private.request_time(uuid, uuid, timestamptz, uuid) is
  'The time of a visit with this doctor that begins then.';

revoke execute on function app_private.request_time(uuid, uuid, timestamptz, uuid) from public;
grant execute on function app_private.request_time(uuid, uuid, timestamptz, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
