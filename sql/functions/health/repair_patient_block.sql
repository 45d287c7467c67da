-- A block that stands is written down, as decided by somebody, so that no count lifts it by itself. An open block
-- of a patient who is not blocked is for people: one of the two was wanted, and nobody knows which.
-- Definer, because nobody may write into the log of blocks.
create or replace function app_private.repair_patient_block(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  blocked app_public.patient;
begin
  select * into blocked
  from app_public.patient
  where patient.hospital_id = finding.hospital_id and patient.id = finding.entity_id
  for no key update;
  if not exists (
    select from checks.patient_block_mismatch as found
    where found.hospital_id = finding.hospital_id
      and found.entity_id = finding.entity_id
      and found.cache_key = finding.cache_key)
  then
    return 'Nothing to do: the patient and the record of blocks agree.';
  elsif blocked.status <> 'blocked' then
    return null;
  end if;
  perform set_config('slotkeeper.housekeeping', 'on', true);
  insert into app_public.patient_block (hospital_id, patient_id, reason, is_automatic, blocked_at)
  values (
    blocked.hospital_id, blocked.id, coalesce(blocked.blocked_reason, 'Not written down'), false,
    coalesce(blocked.blocked_at, app_private.clock()));
  perform set_config('slotkeeper.housekeeping', '', true);
  perform app_private.record_repair(blocked.hospital_id, 'patient_block', blocked.id, '{}',
    jsonb_build_object('blocked_at', blocked.blocked_at));
  return 'The block of the patient is written down.';
end
$$;

comment on function app_private.repair_patient_block(app_public.finding) is
  'Writes down the block of a patient who is blocked; null where people have to decide.';

revoke execute on function app_private.repair_patient_block(app_public.finding) from public;
