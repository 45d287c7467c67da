-- A patient is blocked while one row of patient_block is open, and never else. Read from the patients who are
-- blocked and from the blocks that are open; both are few.
create or replace view checks.patient_block_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.patient_id as entity_id,
  case when broken.block_id is null then 'The patient is blocked, but no block is written down.'
    else format('A block of the patient is open, but the patient is %s.', broken.status) end as detail,
  jsonb_build_object(
    'block_id', broken.block_id,
    'status', broken.status,
    'blocked_at', broken.blocked_at) as metadata,
  concat_ws(':', entry.name, broken.patient_id, broken.block_id) as cache_key
from (
  select patient.hospital_id, patient.id as patient_id, patient.status, patient.blocked_at, null::uuid as block_id
  from app_public.patient
  left join app_public.patient_block as block
    on block.hospital_id = patient.hospital_id and block.patient_id = patient.id and block.unblocked_at is null
  where patient.status = 'blocked' and block.id is null
  union all
  select block.hospital_id, block.patient_id, patient.status, block.blocked_at, block.id
  from app_public.patient_block as block
  join app_public.patient
    on patient.hospital_id = block.hospital_id and patient.id = block.patient_id
  where block.unblocked_at is null and patient.status <> 'blocked'
) as broken
join app_public.health_check as entry on entry.name = 'patient_block_mismatch';

comment on view checks.patient_block_mismatch is 'Patients who are blocked without an open block, and open blocks of patients who are not blocked.';
revoke all on checks.patient_block_mismatch from public;
grant select on checks.patient_block_mismatch to app_monitor;

select app_private.declare_check(
  name => 'patient_block_mismatch', domain => 'counters', severity => 'critical', entity_type => 'patient',
  title => 'A patient''s block and its record disagree',
  meaning => 'patient.status and patient_block are written in one transaction: one of them was written past the triggers.',
  importance => 'A patient is refused and nobody can say since when, by whom and why; or a patient whom somebody blocked books as before.',
  resolution => 'A block that is not written down is added by itself (repair_patient_block), with the time and the reason that the patient has. An open block of a patient who is active is for people: block the patient again (block_patient), or let an operator end the block with a reason.',
  repair => 'repair_patient_block',
  is_event_driven => true);
