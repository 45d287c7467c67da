-- What is wrong with the sealed log of a hospital, between two seals. Set-based: each entry and each seal
-- is read once, so the whole log can be asked for in psql.
-- 1. The chain: numbers without a gap up to the one the mark knows, each hash right and each seal naming
--    the hash of the one before.
-- 2. What a seal closes is what its last seal (the first one or a redaction) hashed; every redaction
--    replaced what was there and is about somebody who is erased.
-- 3. The entries: each as it was sealed, none gone.
-- 4. No entry where all is sealed that no seal knows, from the end of the batch before. An id can be closed by a seal outside the range,
--    when transactions overlapped; so all seals that reach into the ids asked for are looked at.
-- Definer, because only the owner reads what seals close. For check_audit, and operators in psql.
create or replace function app_private.audit_problems(
  hospital_id uuid, from_number integer default 1, to_number integer default 2147483647)
returns setof app_public.audit_problem
language plpgsql stable security definer rows 10
set search_path = ''
as $$
declare
  mark app_private.audit_seal_mark;
  span record;
begin
  select * into mark from app_private.audit_seal_mark where audit_seal_mark.hospital_id = audit_problems.hospital_id;
  select
    coalesce((
      select former.last_entry_id + 1
      from app_public.audit_seal as former
      where former.hospital_id = audit_problems.hospital_id and former.number < from_number and former.kind = 'entries'
      order by former.number desc
      limit 1), 0) as first_id,
    case when to_number < coalesce(mark.last_number, 0)
      then least(max(seal.last_entry_id) filter (where seal.kind = 'entries'), mark.settled_id)
      else mark.settled_id end as last_id
  into span
  from app_public.audit_seal as seal
  where seal.hospital_id = audit_problems.hospital_id and seal.number between from_number and to_number;

  return query
  select 'seal_missing'::app_public.audit_problem_kind, missing.number, null::bigint,
    format('Seal %s is not there any more.', missing.number)
  from generate_series(greatest(from_number, 1), least(to_number, mark.last_number)) as missing (number)
  where not exists (
    select from app_public.audit_seal as seal
    where seal.hospital_id = audit_problems.hospital_id and seal.number = missing.number);

  return query
  select judged.kind, seal.number, null::bigint, judged.detail
  from app_public.audit_seal as seal
  left join app_public.audit_seal as before
    on before.hospital_id = audit_problems.hospital_id and before.number = seal.number - 1
  left join app_private.audit_seal_content as content
    on content.hospital_id = audit_problems.hospital_id and content.seal_id = seal.id
  left join lateral (
    select redaction.entries_hash
    from app_public.audit_seal as redaction
    where redaction.hospital_id = audit_problems.hospital_id and redaction.batch_number = seal.number
      and redaction.kind = 'redaction' and redaction.number > seal.number
      and redaction.first_entry_id = seal.first_entry_id and redaction.last_entry_id = seal.last_entry_id
    order by redaction.number desc
    limit 1
  ) as redacted on true
  left join lateral (
    select former.entries_hash
    from app_public.audit_seal as former
    where former.hospital_id = audit_problems.hospital_id and former.batch_number = seal.batch_number
      and former.number < seal.number and former.last_entry_id = seal.last_entry_id
    order by former.number desc
    limit 1
  ) as replaced on true
  cross join lateral (
    select 'seal_altered'::app_public.audit_problem_kind, format('Seal %s was changed: it does not fit its hash.', seal.number)
    where seal.hash <> app_private.seal_hash(seal)
    union all
    select 'chain_broken'::app_public.audit_problem_kind, format('Seal %s does not follow seal %s.', seal.number, seal.number - 1)
    where seal.number > 1 and before.hash <> seal.previous_hash
      or seal.number = mark.last_number and seal.hash <> mark.last_hash
      or seal.number > coalesce(mark.last_number, 0)
    union all
    select 'content_altered'::app_public.audit_problem_kind,
      format('What seal %s closes was changed: it does not fit its hash.', seal.number)
    where seal.kind = 'entries'
      and (content.seal_id is null
        or cardinality(content.entry_ids) <> seal.entry_count
        or app_private.entries_hash(content.entry_ids, content.digests)
          is distinct from coalesce(redacted.entries_hash, seal.entries_hash))
    union all
    select 'redaction_unfounded'::app_public.audit_problem_kind,
      format('Seal %s tells of a redaction that nothing explains.', seal.number)
    where seal.kind = 'redaction'
      and (replaced.entries_hash is distinct from seal.replaced_hash
        or not exists (
          select from app_public.patient
          where patient.hospital_id = audit_problems.hospital_id and patient.id = seal.patient_id
            and patient.erased_at is not null))
  ) as judged (kind, detail)
  where seal.hospital_id = audit_problems.hospital_id and seal.number between from_number and to_number
  order by seal.number;

  return query
  select case when entry.id is null then 'entry_missing' else 'entry_altered' end::app_public.audit_problem_kind,
    seal.number, sealed.id,
    case when entry.id is null
      then format('Entry %s, which seal %s closes, is not there any more.', sealed.id, seal.number)
      else format('Entry %s is not what seal %s closed.', sealed.id, seal.number) end
  from app_public.audit_seal as seal
  join app_private.audit_seal_content as content
    on content.hospital_id = audit_problems.hospital_id and content.seal_id = seal.id
  cross join lateral unnest(content.entry_ids, content.salts, content.digests) as sealed (id, salt, digest)
  left join app_public.audit_entry as entry
    on entry.hospital_id = audit_problems.hospital_id and entry.id = sealed.id
  where seal.hospital_id = audit_problems.hospital_id and seal.number between from_number and to_number
    and (entry.id is null or app_private.audit_entry_digest(sealed.salt, entry) is distinct from sealed.digest)
  order by sealed.id;

  return query
  select 'entry_added'::app_public.audit_problem_kind, null::integer, entry.id,
    format('Entry %s stands where all was sealed, and no seal closes it.', entry.id)
  from app_public.audit_entry as entry
  where entry.hospital_id = audit_problems.hospital_id
    and entry.id between span.first_id and span.last_id
    and not exists (
      select from (
        select unnest(content.entry_ids) as id
        from app_public.audit_seal as seal
        join app_private.audit_seal_content as content
          on content.hospital_id = audit_problems.hospital_id and content.seal_id = seal.id
        where seal.hospital_id = audit_problems.hospital_id
          and seal.first_entry_id <= span.last_id and seal.last_entry_id >= span.first_id
      ) as sealed
      where sealed.id = entry.id)
  order by entry.id;
end
$$;

comment on function app_private.audit_problems(uuid, integer, integer) is
  'What is wrong with the sealed audit log of a hospital, between two seals; no row where nothing is.';

revoke execute on function app_private.audit_problems(uuid, integer, integer) from public;
grant execute on function app_private.audit_problems(uuid, integer, integer) to app_worker, app_monitor;
