-- Whether a doctor is away for a part of this time. It runs as the owner, because why and how long a
-- doctor is away is not every patient's to read; that nobody can be booked then is.
create or replace function app_private.is_absent(hospital_id uuid, doctor_id uuid, during tstzrange) returns boolean
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return exists (
    select from app_public.absence
    where absence.hospital_id = is_absent.hospital_id
      and absence.doctor_id = is_absent.doctor_id
      and absence.during && is_absent.during
      and absence.status = 'active');
end
$$;

comment on function app_private.is_absent(uuid, uuid, tstzrange) is 'Whether a doctor has an active absence that touches this time.';

revoke execute on function app_private.is_absent(uuid, uuid, tstzrange) from public;
grant execute on function app_private.is_absent(uuid, uuid, tstzrange)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
