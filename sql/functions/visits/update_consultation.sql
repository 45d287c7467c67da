-- Texts are trimmed here, so that what the table keeps is what was said; see change_consultation.
create or replace function app_public.update_consultation(
  consultation_id uuid, chief_complaint text default null, diagnosis text[] default null, notes text default null)
returns app_public.consultation_record
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  findings text[];
begin
  findings := array(
    select btrim(finding.words)
    from unnest(update_consultation.diagnosis) with ordinality as finding (words, number)
    order by finding.number);
  perform app_private.guard_input(jsonb_build_object(
    'chief_complaint', case when length(chief_complaint) > 2000 then 'at most 2000 characters' end,
    'diagnosis', case
      when array_position(findings, null) is not null or array_position(findings, '') is not null then 'none may be empty'
      when cardinality(findings) > 50 then 'at most 50' end,
    'notes', case when length(notes) > 20000 then 'at most 20000 characters' end));

  perform app_private.change_consultation(hospital, consultation_id, '{}'
    || case when chief_complaint is null then '{}' else jsonb_build_object('chief_complaint', nullif(btrim(chief_complaint), '')) end
    || case when diagnosis is null then '{}' else jsonb_build_object('diagnosis', findings) end
    || case when notes is null then '{}' else jsonb_build_object('notes', nullif(btrim(notes), '')) end);
  return app_private.own_consultation(hospital, consultation_id);
end
$$;

comment on function app_public.update_consultation(uuid, text, text[], text) is
  'Writes in an open consultation. A null leaves a value as it is; an empty text or list clears it. For the doctor of the consultation.';

revoke execute on function app_public.update_consultation(uuid, text, text[], text) from public;
grant execute on function app_public.update_consultation(uuid, text, text[], text) to app_doctor;
