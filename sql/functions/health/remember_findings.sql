-- What a check has seen, by the key that names each problem. A problem that is back after it was resolved
-- begins anew. What somebody else found resolved after this check looked stays so: the look was older.
create or replace function app_private.remember_findings(
  seen app_private.check_row[], looked_at timestamptz, changed_at timestamptz)
returns app_public.finding[]
language plpgsql volatile
as $$
declare
  news app_public.finding[];
begin
  with before as materialized (
    select known.hospital_id, known.cache_key
    from unnest(seen) as found
    join app_public.finding as known
      on known.hospital_id = found.hospital_id and known.cache_key = found.cache_key
    where known.resolved_at is null
  ), stored as (
    insert into app_public.finding as known (
      hospital_id, check_name, severity, entity_type, entity_id, cache_key, detail, metadata, first_seen_at,
      last_seen_at, times_seen, detected_after)
    select distinct on (found.hospital_id, found.cache_key)
      found.hospital_id, found.check_name, found.severity, found.entity_type, found.entity_id, found.cache_key,
      found.detail, found.metadata, looked_at, looked_at, 1, looked_at - changed_at
    from unnest(seen) as found
    order by found.hospital_id, found.cache_key
    on conflict on constraint a_problem_is_one_finding do update
    set severity = excluded.severity,
        detail = excluded.detail,
        metadata = excluded.metadata,
        last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at),
        times_seen = case when known.resolved_at is null then known.times_seen + 1 else 1 end,
        first_seen_at = case when known.resolved_at is null then known.first_seen_at else excluded.first_seen_at end,
        detected_after = case when known.resolved_at is null then known.detected_after else excluded.detected_after end,
        repair_attempts = case when known.resolved_at is null then known.repair_attempts else 0 end,
        repair_error = case when known.resolved_at is null then known.repair_error end,
        is_auto_corrected = false,
        resolved_at = null
    where known.resolved_at is null or known.resolved_at < excluded.last_seen_at
    returning known.*
  )
  select array_agg(stored::app_public.finding order by stored.cache_key) into news
  from stored
  where not exists (
    select from before where before.hospital_id = stored.hospital_id and before.cache_key = stored.cache_key);
  return news;
end
$$;

comment on function app_private.remember_findings(app_private.check_row[], timestamptz, timestamptz) is
  'Stores what a check returned; returns what was not known or is back.';

revoke execute on function app_private.remember_findings(app_private.check_row[], timestamptz, timestamptz) from public;
