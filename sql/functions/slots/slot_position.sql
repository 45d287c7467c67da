-- A start and a doctor, which no two free slots share, as one text of fixed length: whole
-- microseconds since 1970, and the doctor's id. It orders as time does and says nothing else, so it
-- stays true whatever is booked or freed around it.
create or replace function app_private.slot_position(starts_at timestamptz, doctor_id uuid) returns text
language sql stable parallel safe
return lpad(to_hex((extract(epoch from starts_at) * 1000000)::bigint), 16, '0') || replace(doctor_id::text, '-', '');

comment on function app_private.slot_position(timestamptz, uuid) is 'Where a free slot stands among all: by time, then by doctor.';

revoke execute on function app_private.slot_position(timestamptz, uuid) from public;
grant execute on function app_private.slot_position(timestamptz, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
