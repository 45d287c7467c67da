-- The figures by which a hospital's health is judged, with their targets. Each is read by an index from what
-- is open now, the visits of five weeks or what was found in thirty days; where there is nothing to measure
-- the value is null and nothing is judged. Definer, because nobody who asks may read all of that; a request
-- learns of its own hospital.
create or replace function app_private.measure_health(hospital_id uuid)
returns setof app_public.key_figure
language plpgsql stable security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  visits bigint;
  problems bigint;
  found bigint;
  ignored bigint;
  repairable bigint;
  corrected bigint;
  waiting bigint;
  measured record;
begin
  if app_private.claim_hospital_id() is not null then
    perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  end if;
  select count(*) into visits
  from app_public.doctor
  join app_public.appointment
    on appointment.hospital_id = measure_health.hospital_id and appointment.doctor_id = doctor.id
    and appointment.starts_at >= instant - interval '7 days' and appointment.starts_at < instant + interval '30 days'
  where doctor.hospital_id = measure_health.hospital_id;
  select count(distinct (finding.entity_type, coalesce(finding.entity_id, finding.id))) into problems
  from app_public.finding
  where finding.hospital_id = measure_health.hospital_id and finding.resolved_at is null
    and finding.severity > 'info'
    and not (finding.ignored_at is not null and coalesce(finding.ignored_until > instant, true));
  select count(*), count(*) filter (where finding.ignored_at is not null),
    count(*) filter (where entry.remedy = 'repair' and (finding.resolved_at is not null or finding.repair_attempts > 0)),
    count(*) filter (where entry.remedy = 'repair' and finding.is_auto_corrected)
  into found, ignored, repairable, corrected
  from app_public.finding
  left join app_public.health_check as entry on entry.name = finding.check_name
  where finding.hospital_id = measure_health.hospital_id and finding.first_seen_at >= instant - interval '30 days';
  select count(*) into waiting
  from app_public.review_item
  where review_item.hospital_id = measure_health.hospital_id and review_item.status in ('pending', 'in_review');
  measured := app_private.verifications(
    hospital_id, date_trunc('hour', instant - interval '7 days'), instant);

  return query
    select figure.name, figure.title, figure.value, figure.target, figure.is_at_least,
      case when figure.is_at_least then figure.value >= figure.target else figure.value <= figure.target end,
      figure.unit, figure.meaning
    from (
      values
        ('consistency_rate', 'Consistency rate',
          case when visits > 0 then trunc(100 - 100.0 * least(problems, visits) / visits, 2) when problems > 0 then 0 end,
          99.5, true, '%', 'Visits from 7 days ago to 30 days ahead, less what has an open problem'),
        ('verification_p95', 'Verification, 95th percentile',
          app_private.percentile_of_buckets(measured.buckets, 0.95),
          100, false, 'ms', 'How long 95 of 100 verifications of the last 7 days took at most'),
        ('breaker_recovery', 'Recovery of a circuit breaker', null::numeric,
          60, false, 's', 'Not measured: there are no breakers in the database yet'),
        ('auto_correction_rate', 'Automatic correction rate',
          case when repairable > 0 then trunc(100.0 * corrected / repairable, 2) end,
          90, true, '%', 'Of the problems of the last 30 days that a machine may repair, those that it has repaired'),
        ('review_queue_size', 'Review queue', waiting::numeric,
          10, false, 'items', 'Reviews that wait for a decision now'),
        ('false_positive_rate', 'False positive rate',
          case when found > 0 then round(100.0 * ignored / found, 2) end,
          1, false, '%', 'Of what was found in the last 30 days, what people dismissed or ignore')
    ) as figure (name, title, value, target, is_at_least, unit, meaning);
end
$$;

comment on function app_private.measure_health(uuid) is 'The key figures of a hospital''s health, with their targets.';

revoke execute on function app_private.measure_health(uuid) from public;
grant execute on function app_private.measure_health(uuid) to app_admin, app_monitor;
