-- The state that the last entry up to an instant left. Entries of one appointment are in the order in which
-- its lock was passed on, which is that of their ids; the instant of an entry is that at which its
-- transaction began, as everywhere. What an erased person said is not told: no words are, only states,
-- times and who acted. It runs as the owner, because not all staff read the log, and asks the log itself
-- whether the caller may: staff of the hospital. What is not theirs and what is not there look alike.
-- An entry of a counter that was repaired tells no state and is passed over.
create or replace function app_private.read_past_appointment(
  hospital_id uuid, appointment_id uuid, instant timestamptz)
returns app_public.past_appointment
language plpgsql stable security definer
set search_path = ''
as $$
declare
  told app_public.audit_entry;
  later integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  if not exists (
    select from app_public.audit_entry as entry
    where entry.hospital_id = read_past_appointment.hospital_id
      and entry.record_id = read_past_appointment.appointment_id
      and entry.table_name = 'appointment')
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;

  select entry.* into told
  from app_public.audit_entry as entry
  where entry.hospital_id = read_past_appointment.hospital_id
    and entry.record_id = read_past_appointment.appointment_id
    and entry.table_name = 'appointment'
    and entry.recorded_at <= read_past_appointment.instant
    and (entry.new_state ? 'status' or entry.operation = 'delete')
  order by entry.id desc
  limit 1;
  if told.id is null or told.operation = 'delete' then
    return null;
  end if;
  select count(*) into later
  from app_public.audit_entry as entry
  where entry.hospital_id = read_past_appointment.hospital_id
    and entry.record_id = read_past_appointment.appointment_id
    and entry.table_name = 'appointment'
    and entry.id > told.id;

  return row(
    read_past_appointment.appointment_id,
    told.new_state ->> 'status',
    told.new_state ->> 'slot_id',
    told.new_state ->> 'doctor_id',
    told.new_state ->> 'patient_id',
    told.new_state ->> 'location_id',
    told.new_state ->> 'service_id',
    told.new_state ->> 'starts_at',
    told.new_state ->> 'ends_at',
    told.new_state ->> 'held_until',
    told.recorded_at,
    told.actor_role,
    told.actor_account_id,
    told.id,
    later)::app_public.past_appointment;
end
$$;

comment on function app_private.read_past_appointment(uuid, uuid, timestamptz) is
  'An appointment as it was at an instant, from the audit log; null before it was made and after it was removed.';

revoke execute on function app_private.read_past_appointment(uuid, uuid, timestamptz) from public;
grant execute on function app_private.read_past_appointment(uuid, uuid, timestamptz)
  to app_doctor, app_nurse, app_receptionist, app_admin;
