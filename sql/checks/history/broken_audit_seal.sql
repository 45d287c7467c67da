-- What the nightly audit verifies of the seals: the chain of the last eight days (each seal fits its hash and
-- names the one before, and the mark knows the last one), and every entry that was sealed since the
-- last night but one. That costs what a day costs, whatever is stored, and a change of yesterday, when
-- there is most to hide, is told the next morning. Verifying everything reads everything: verifyAudit, the job
-- verify_audit and app_private.audit_problems do, when somebody wants to know.
-- One row a seal and kind of problem; a seal that is gone is told by the one after it.
create or replace view checks.broken_audit_seal as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  broken.detail,
  jsonb_build_object('number', broken.number, 'sealed_at', broken.sealed_at) || broken.facts as metadata,
  concat_ws(':', entry.name, broken.id, broken.problem) as cache_key
from (
  select seal.hospital_id, seal.id, seal.number, seal.sealed_at, judged.problem, judged.detail, '{}'::jsonb as facts
  from app_public.audit_seal as seal
  left join app_public.audit_seal as before
    on before.hospital_id = seal.hospital_id and before.number = seal.number - 1
  left join app_private.audit_seal_mark as mark on mark.hospital_id = seal.hospital_id
  left join app_public.audit_seal as after
    on after.hospital_id = seal.hospital_id and after.number = seal.number + 1
  cross join lateral (
    select 'altered', format('Seal %s of the audit log was changed: it does not fit its hash.', seal.number)
    where seal.hash <> app_private.seal_hash(seal)
    union all
    select 'missing', format('Seal %s of the audit log is gone.', seal.number - 1)
    where seal.number > 1 and before.id is null
    union all
    select 'chain', format('Seal %s of the audit log does not follow the seal before it.', seal.number)
    where before.hash <> seal.previous_hash
    union all
    select 'last', format('After seal %s of the audit log others are gone, or it is not the last that was made.', seal.number)
    where after.id is null
      and (seal.number, seal.hash) is distinct from (mark.last_number, mark.last_hash)
  ) as judged (problem, detail)
  where seal.sealed_at > (select app_private.clock()) - interval '8 days'
  union all
  select seal.hospital_id, seal.id, seal.number, seal.sealed_at, 'entries',
    case when found.altered_ids is null
      then format('What seal %s of the audit log closes was changed.', seal.number)
      else format('%s entries of the audit log are not what seal %s closed.', cardinality(found.altered_ids), seal.number) end,
    jsonb_build_object('audit_entry_ids', found.altered_ids[1:20])
  from app_public.audit_seal as seal
  left join app_private.audit_seal_content as content
    on content.hospital_id = seal.hospital_id and content.seal_id = seal.id
  left join lateral (
    select redaction.entries_hash
    from app_public.audit_seal as redaction
    where redaction.hospital_id = seal.hospital_id
      and redaction.last_entry_id = seal.last_entry_id
      and redaction.batch_number = seal.number
    order by redaction.number desc
    limit 1
  ) as newest on true
  cross join lateral (
    select array_agg(sealed.id order by sealed.id) as altered_ids
    from unnest(content.entry_ids, content.salts, content.digests) as sealed (id, salt, digest)
    left join app_public.audit_entry as log on log.hospital_id = seal.hospital_id and log.id = sealed.id
    where log.id is null or app_private.audit_entry_digest(sealed.salt, log) <> sealed.digest
  ) as found
  where seal.kind = 'entries'
    and seal.sealed_at > (select app_private.clock()) - interval '2 days'
    and (found.altered_ids is not null
      or content.seal_id is null
      or app_private.entries_hash(content.entry_ids, content.digests) is distinct from newest.entries_hash)
) as broken
join app_public.health_check as entry on entry.name = 'broken_audit_seal';

comment on view checks.broken_audit_seal is
  'Seals of the audit log of the last days that do not fit what they close, or each other.';
revoke all on checks.broken_audit_seal from public;
grant select on checks.broken_audit_seal to app_monitor;

select app_private.declare_check(
  name => 'broken_audit_seal', domain => 'history', severity => 'critical', entity_type => 'audit_seal',
  title => 'The sealed audit log was changed',
  meaning => 'Entries of the audit log differ from what was sealed, or a seal was changed or removed.',
  importance => 'Somebody with rights on the database has rewritten history: what the log says can no longer be relied on, and what it was to hide is not known.',
  resolution => 'Keep a copy of the database as it is now. Verify the whole log (verifyAudit, or app_private.audit_problems in psql) to learn which entries, compare them with a backup from before, and find out who had access.',
  remedy => 'operator');
