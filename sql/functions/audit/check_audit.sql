-- Looked at before it is read: how many entries are asked for, because verifying reads every one of them, and
-- a request has five seconds. Definer, because only the owner reads what seals close; it answers for the
-- hospital of the request only.
create or replace function app_private.check_audit(
  hospital_id uuid, sealed_from timestamptz, sealed_until timestamptz, known_hash text, most integer default 50000)
returns app_public.audit_verification
language plpgsql stable security definer
set search_path = ''
as $$
declare
  span record;
  found_problems app_public.audit_problem[];
  newest_hash text;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select min(seal.number) as first_number, max(seal.number) as last_number,
    coalesce(sum(seal.entry_count) filter (where seal.kind = 'entries'), 0)::integer as entry_count
  into span
  from app_public.audit_seal as seal
  where seal.hospital_id = check_audit.hospital_id
    and seal.sealed_at >= coalesce(check_audit.sealed_from, '-infinity')
    and seal.sealed_at <= coalesce(check_audit.sealed_until, 'infinity');
  if span.entry_count > most then
    perform app_private.refuse('audit_range_too_long',
      jsonb_build_object('entry_count', span.entry_count, 'most', most));
  end if;

  found_problems := array(
    select problem
    from app_private.audit_problems(check_audit.hospital_id,
      case when check_audit.sealed_from is null then 1 else coalesce(span.first_number, 1) end,
      case when check_audit.sealed_until is null then 2147483647 else coalesce(span.last_number, 0) end) as problem);
  if known_hash is not null and not exists (
    select from app_public.audit_seal as seal
    where seal.hospital_id = check_audit.hospital_id and seal.hash = check_audit.known_hash)
  then
    found_problems := found_problems || row(
      'hash_unknown', null, null, 'No seal has the hash that you kept: the chain was written anew, or it is of another hospital.')::app_public.audit_problem;
  end if;
  select seal.hash into newest_hash
  from app_public.audit_seal as seal
  where seal.hospital_id = check_audit.hospital_id and seal.number = span.last_number;

  return row(
    cardinality(found_problems) = 0,
    span.first_number,
    span.last_number,
    newest_hash,
    span.entry_count,
    (select entry.recorded_at
     from app_public.audit_entry as entry
     where entry.hospital_id = check_audit.hospital_id
       and entry.id > coalesce((
         select mark.last_entry_id from app_private.audit_seal_mark as mark
         where mark.hospital_id = check_audit.hospital_id), 0)
     order by entry.id
     limit 1),
    cardinality(found_problems),
    found_problems[1:100])::app_public.audit_verification;
end
$$;

comment on function app_private.check_audit(uuid, timestamptz, timestamptz, text, integer) is
  'Whether what was sealed of a hospital''s audit log between two instants is as it was.';

revoke execute on function app_private.check_audit(uuid, timestamptz, timestamptz, text, integer) from public;
grant execute on function app_private.check_audit(uuid, timestamptz, timestamptz, text, integer) to app_admin;
