-- See remove_from_consultation and guard_participant_leave.
create or replace function app_public.remove_participant(consultation_id uuid, doctor_id uuid)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.remove_from_consultation(hospital, consultation_id, doctor_id);
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.remove_participant(uuid, uuid) is
  'Removes a doctor from an open consultation. For the doctor of the consultation.';

revoke execute on function app_public.remove_participant(uuid, uuid) from public;
grant execute on function app_public.remove_participant(uuid, uuid) to app_doctor;
