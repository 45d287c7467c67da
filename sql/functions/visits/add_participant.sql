-- One plain insert under the caller's own rights; see admit_participant.
create or replace function app_public.add_participant(
  consultation_id uuid, doctor_id uuid, role app_public.participant_role)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  insert into app_public.consultation_participant (hospital_id, consultation_id, doctor_id, role)
  values (hospital, add_participant.consultation_id, add_participant.doctor_id, add_participant.role);
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.add_participant(uuid, uuid, app_public.participant_role) is
  'Adds a doctor to an open consultation, who is told at once and may read it. For the doctor of the consultation.';

revoke execute on function app_public.add_participant(uuid, uuid, app_public.participant_role) from public;
grant execute on function app_public.add_participant(uuid, uuid, app_public.participant_role) to app_doctor;
