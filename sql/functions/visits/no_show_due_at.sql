-- A visit counts as missed by itself when the time of one of the doctor's slots has gone by since its start.
create or replace function app_private.no_show_due_at(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz)
returns timestamptz
language plpgsql stable
as $$
begin
  return (
    select no_show_due_at.starts_at + doctor.slot_duration
    from app_public.doctor
    where doctor.hospital_id = no_show_due_at.hospital_id and doctor.id = no_show_due_at.doctor_id);
end
$$;

comment on function app_private.no_show_due_at(uuid, uuid, timestamptz) is
  'From when a visit with this doctor counts as missed if the patient has not arrived.';

revoke execute on function app_private.no_show_due_at(uuid, uuid, timestamptz) from public;
