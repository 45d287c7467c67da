-- Reads one consultation for those who take part in it, and leaves a trace in the same transaction. Definer,
-- because no member of the staff may read the table.
create or replace function app_private.read_consultation(hospital_id uuid, consultation_id uuid, purpose text)
returns app_public.consultation_record
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  shown app_public.consultation_record;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  shown := app_private.show_consultation(hospital_id, consultation_id);
  if shown.consultation_id is null then
    perform app_private.refuse('consultation_not_found', jsonb_build_object('consultation_id', consultation_id));
  end if;
  if not app_private.takes_part(hospital_id, consultation_id) then
    perform app_private.refuse('record_access_denied', jsonb_build_object('consultation_id', consultation_id));
  end if;
  perform app_private.leave_trace(hospital_id, shown.patient_id, 'consultation', purpose, shown.consultation_id);
  return shown;
end
$$;

comment on function app_private.read_consultation(uuid, uuid, text) is
  'A consultation, for those who take part in it; leaves a trace.';

revoke execute on function app_private.read_consultation(uuid, uuid, text) from public;
grant execute on function app_private.read_consultation(uuid, uuid, text) to app_doctor;
