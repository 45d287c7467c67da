-- What a message told of is verified, and how long that took is counted. All of a batch are verified
-- together, and each of them took as long as the batch: that is how long it was until it was known to be
-- right, and a share of it would tell of a verification that nobody got. The first bucket whose bound,
-- 2^(number - 3) ms, a duration does not exceed is its own: bounds that double tell a percentile well
-- enough in one row an hour. Messages are dated by the time
-- that really passes, findings by the clock of the rules. The row of the hour is written last, because
-- every batch of the hospital writes it. Definer, because no role may write it.
create or replace function app_private.verify_changes(
  hospital_id uuid, appointment_ids uuid[], slot_ids uuid[], changed_at timestamptz,
  out problem_count integer, out late_ms double precision)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  began timestamptz := clock_timestamp();
  entity_count integer := cardinality(appointment_ids) + cardinality(slot_ids);
  took_ms double precision;
  bucket integer;
begin
  problem_count := app_private.verify_entities(
    hospital_id, appointment_ids, slot_ids, changed_at + (app_private.clock() - now()));
  took_ms := extract(epoch from clock_timestamp() - began) * 1000;
  bucket := greatest(1, least(18, ceil(ln(greatest(took_ms, 0.001)) / ln(2))::integer + 3));
  late_ms := extract(epoch from clock_timestamp() - changed_at) * 1000;

  insert into app_private.verification_hour as known (hospital_id, hour, verified, total_ms, buckets)
  select verify_changes.hospital_id, date_trunc('hour', now(), 'UTC'), entity_count, took_ms * entity_count,
    array_agg(case when number = bucket then entity_count else 0 end order by number)
  from generate_series(1, 18) as number
  on conflict on constraint verification_hour_pkey do update
  set verified = known.verified + excluded.verified,
      total_ms = known.total_ms + excluded.total_ms,
      buckets = array(
        select before.count + added.count
        from unnest(known.buckets) with ordinality as before (count, number)
        join unnest(excluded.buckets) with ordinality as added (count, number) using (number)
        order by number);
end
$$;

comment on function app_private.verify_changes(uuid, uuid[], uuid[], timestamptz) is
  'Verifies appointments and slots that changed at this instant; returns how many problems there are, and how long after the change that was known.';

revoke execute on function app_private.verify_changes(uuid, uuid[], uuid[], timestamptz) from public;
grant execute on function app_private.verify_changes(uuid, uuid[], uuid[], timestamptz) to app_worker;
