-- What a check knew and returns no more is gone, within what it looked at. What was found again after it
-- looked stays open.
create or replace function app_private.resolve_findings(
  check_name text, hospital_id uuid, entity_ids uuid[], seen app_private.check_row[], looked_at timestamptz)
returns uuid[]
language plpgsql volatile
as $$
declare
  seen_keys text[] := array(select concat(found.hospital_id, '/', found.cache_key) from unnest(seen) as found);
  gone uuid[];
  touched record;
begin
  for touched in
    with resolved as (
      update app_public.finding as known
      set resolved_at = looked_at
      where known.check_name = resolve_findings.check_name
        and known.resolved_at is null
        and known.last_seen_at <= looked_at
        and (resolve_findings.hospital_id is null or known.hospital_id = resolve_findings.hospital_id)
        and (resolve_findings.entity_ids is null or known.entity_id = any (resolve_findings.entity_ids))
        and concat(known.hospital_id, '/', known.cache_key) <> all (seen_keys)
      returning known.hospital_id, known.id
    )
    select resolved.hospital_id, array_agg(resolved.id) as ids from resolved group by resolved.hospital_id
  loop
    perform app_private.settle_findings(touched.hospital_id, touched.ids);
    gone := gone || touched.ids;
  end loop;
  return gone;
end
$$;

comment on function app_private.resolve_findings(text, uuid, uuid[], app_private.check_row[], timestamptz) is
  'Notes as resolved what a check knew and returns no more; returns their ids.';

revoke execute on function app_private.resolve_findings(text, uuid, uuid[], app_private.check_row[], timestamptz) from public;
