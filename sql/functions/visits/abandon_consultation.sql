-- See change_consultation; the patient waits again in the same transaction.
create or replace function app_public.abandon_consultation(consultation_id uuid, reason text)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('reason', case
    when length(btrim(coalesce(reason, ''))) = 0 then 'is required'
    when length(reason) > 2000 then 'at most 2000 characters' end));
  perform app_private.change_consultation(hospital, consultation_id,
    jsonb_build_object('status', 'abandoned', 'abandon_reason', btrim(reason)));
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.abandon_consultation(uuid, text) is
  'Ends a consultation without a result: the patient waits again, and another consultation may be started. For the doctor of the consultation.';

revoke execute on function app_public.abandon_consultation(uuid, text) from public;
grant execute on function app_public.abandon_consultation(uuid, text) to app_doctor;
