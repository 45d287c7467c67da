-- One plain insert under the caller's own rights; see admit_addendum.
create or replace function app_public.add_addendum(consultation_id uuid, text text)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.guard_input(jsonb_build_object('text', case
    when length(btrim(coalesce(add_addendum.text, ''))) = 0 then 'is required'
    when length(add_addendum.text) > 10000 then 'at most 10000 characters' end));
  insert into app_public.consultation_addendum (hospital_id, consultation_id, text)
  values (hospital, add_addendum.consultation_id, btrim(add_addendum.text));
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.add_addendum(uuid, text) is
  'Adds to a completed consultation, which itself never changes. For doctors who took part.';

revoke execute on function app_public.add_addendum(uuid, text) from public;
grant execute on function app_public.add_addendum(uuid, text) to app_doctor;
