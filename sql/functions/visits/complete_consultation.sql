-- See change_consultation; the appointment follows in the same transaction.
create or replace function app_public.complete_consultation(consultation_id uuid)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.change_consultation(hospital, consultation_id, '{"status": "completed"}');
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.complete_consultation(uuid) is
  'Completes a consultation and its appointment. It needs a chief complaint and at least one diagnosis; details.missing names all that is missing. For the doctor of the consultation.';

revoke execute on function app_public.complete_consultation(uuid) from public;
grant execute on function app_public.complete_consultation(uuid) to app_doctor;
