-- The patient is locked by whoever changes the log, until its end: who has the patient sees all of the log. It
-- counts and decides nothing: whether the patient is blocked stays as it is.
-- Definer, because nobody may write these counts.
create or replace function app_private.repair_no_show_counts(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  logged record;
begin
  perform from app_public.patient
  where patient.hospital_id = finding.hospital_id and patient.id = finding.entity_id
  for no key update;
  select count(*)::integer as missed, (count(*) filter (where no_show_log.is_forgiven))::integer as forgiven into logged
  from app_public.no_show_log
  where no_show_log.hospital_id = finding.hospital_id
    and no_show_log.patient_id = finding.entity_id
    and no_show_log.undone_at is null;
  update app_public.patient
  set no_show_count = logged.missed, no_shows_forgiven = logged.forgiven
  where patient.hospital_id = finding.hospital_id
    and patient.id = finding.entity_id
    and (patient.no_show_count <> logged.missed or patient.no_shows_forgiven <> logged.forgiven);
  if not found then
    return 'Nothing to do: the patient''s missed visits are counted rightly.';
  end if;
  return format('The patient counts %s missed visits now, %s of them forgiven.', logged.missed, logged.forgiven);
end
$$;

comment on function app_private.repair_no_show_counts(app_public.finding) is
  'Counts the missed visits of a patient anew, from the log.';

revoke execute on function app_private.repair_no_show_counts(app_public.finding) from public;
