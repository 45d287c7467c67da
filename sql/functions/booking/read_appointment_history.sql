-- The events of one appointment, told by the audit log, which outlives the row itself: an archived
-- appointment keeps its history. It runs as the owner, because request roles do not read the log, and it
-- asks the log itself whether the caller may see the appointment: staff those of their hospital, a
-- patient their own. What is not theirs and what is not there look alike. A patient learns which role
-- acted, never who. An entry that changed neither state nor time nor doctor is no event.
create or replace function app_private.read_appointment_history(hospital_id uuid, appointment_id uuid)
returns setof app_public.appointment_event
language plpgsql stable security definer rows 10
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  for_staff boolean := actor in ('doctor', 'nurse', 'receptionist', 'admin', 'worker', 'operator');
  patient_of_it uuid;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  select (coalesce(entry.new_state, entry.old_state) ->> 'patient_id')::uuid into patient_of_it
  from app_public.audit_entry as entry
  where entry.hospital_id = read_appointment_history.hospital_id
    and entry.record_id = read_appointment_history.appointment_id
    and entry.table_name = 'appointment'
  order by entry.id
  limit 1;
  if patient_of_it is null
    or not for_staff and not (actor = 'patient' and patient_of_it is not distinct from app_private.claim_patient_id())
  then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', appointment_id));
  end if;

  return query
  select
    entry.recorded_at,
    app_private.appointment_event_kind(entry.operation, change.from_status, change.to_status, entry.new_state ->> 'cancellation_cause'),
    change.from_status,
    change.to_status,
    (entry.old_state ->> 'starts_at')::timestamptz,
    (entry.new_state ->> 'starts_at')::timestamptz,
    (entry.old_state ->> 'doctor_id')::uuid,
    (entry.new_state ->> 'doctor_id')::uuid,
    case
      when entry.operation = 'insert' then entry.new_state ->> 'reason'
      when change.to_status = 'cancelled' then entry.new_state ->> 'cancellation_reason'
      when change.from_status = change.to_status then (
        select move.reason
        from app_public.appointment_move as move
        where move.hospital_id = read_appointment_history.hospital_id
          and move.appointment_id = read_appointment_history.appointment_id
          and move.moved_at = entry.recorded_at
          and move.to_slot_id = (entry.new_state ->> 'slot_id')::uuid
        limit 1)
    end,
    entry.actor_role,
    case when for_staff then entry.actor_account_id end,
    case when for_staff then account.display_name end
  from app_public.audit_entry as entry
  cross join lateral (
    select (entry.old_state ->> 'status')::app_public.appointment_status as from_status,
      (entry.new_state ->> 'status')::app_public.appointment_status as to_status
  ) as change
  left join app_public.account
    on account.hospital_id = read_appointment_history.hospital_id and account.id = entry.actor_account_id
  where entry.hospital_id = read_appointment_history.hospital_id
    and entry.record_id = read_appointment_history.appointment_id
    and entry.table_name = 'appointment'
    and (change.from_status is distinct from change.to_status
      or entry.changed_columns ?| array['slot_id', 'doctor_id', 'starts_at'])
  order by entry.id;
end
$$;

comment on function app_private.read_appointment_history(uuid, uuid) is
  'What happened to an appointment, from the audit log, oldest first; refuses an appointment that the caller may not see.';

revoke execute on function app_private.read_appointment_history(uuid, uuid) from public;
grant execute on function app_private.read_appointment_history(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
