-- Volatile, because it leaves a trace: to GraphQL it is a mutation.
create or replace function app_public.open_consultation(
  consultation_id uuid, purpose text default 'taking part in the consultation')
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('purpose', case
    when length(btrim(coalesce(purpose, ''))) = 0 then 'is required'
    when length(purpose) > 500 then 'at most 500 characters' end));
  return app_private.read_consultation(hospital, consultation_id, purpose);
end
$$;

comment on function app_public.open_consultation(uuid, text) is
  'Reads a consultation in which you take part. The patient and the hospital''s admins see that you did.';

revoke execute on function app_public.open_consultation(uuid, text) from public;
grant execute on function app_public.open_consultation(uuid, text) to app_doctor;
