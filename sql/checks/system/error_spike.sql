-- An operation is held against itself: the share of its runs that failed within the last quarter of an hour
-- against that share over the day before, so that neither the busy hours nor an operation that always
-- fails a little makes an alarm. Refusals by rules are no failures. Failures are found by the
-- index of trouble; whole operations are counted only where there are ten of them. A hospital costs a look at its index.
create or replace view checks.error_spike as
select tenant.id as hospital_id, entry.name as check_name, entry.severity, entry.entity_type, null::uuid as entity_id,
  format('%s of the last %s runs of %s failed within 15 minutes; over the day before %s of %s did.',
    recent.failures, total.runs, recent.name, before.failures, before.runs) as detail,
  jsonb_build_object('kind', recent.kind, 'name', recent.name, 'failures', recent.failures, 'runs', total.runs,
    'failures_before', before.failures, 'runs_before', before.runs, 'code', recent.code) as metadata,
  concat_ws(':', entry.name, recent.kind, recent.name) as cache_key
from (
  select hospital.id from app_public.hospital
  union all
  select app_private.machinery()) as tenant
cross join lateral (
  select failed.kind, failed.name, count(*)::integer as failures, max(failed.code) as code
  from app_public.log_entry as failed
  where failed.hospital_id = tenant.id and failed.outcome = 'failed' and failed.level >= 'warning'
    and failed.kind in ('operation', 'login', 'webhook', 'job', 'security', 'sync')
    and failed.logged_at > (select app_private.clock()) - interval '15 minutes'
  group by failed.kind, failed.name
  having count(*) >= 10) as recent
cross join lateral (
  select coalesce(sum(coalesce((every.details ->> 'count')::integer, 1)), 0)::integer as runs
  from app_public.log_entry as every
  where every.hospital_id = tenant.id and every.kind = recent.kind and every.name = recent.name
    and every.logged_at > (select app_private.clock()) - interval '15 minutes') as total
cross join lateral (
  select count(*) filter (where earlier.outcome = 'failed')::integer as failures,
    coalesce(sum(coalesce((earlier.details ->> 'count')::integer, 1)), 0)::integer as runs
  from app_public.log_entry as earlier
  where earlier.hospital_id = tenant.id and earlier.kind = recent.kind and earlier.name = recent.name
    and earlier.logged_at > (select app_private.clock()) - interval '1 day'
    and earlier.logged_at <= (select app_private.clock()) - interval '15 minutes') as before
join app_public.health_check as entry on entry.name = 'error_spike'
where recent.failures >= 0.05 * total.runs
  and recent.failures::numeric * before.runs >= 3 * before.failures::numeric * total.runs;

comment on view checks.error_spike is
  'Operations of which at least ten runs and 5 % failed within 15 minutes, three times the share of the day before.';
revoke all on checks.error_spike from public;
grant select on checks.error_spike to app_monitor;

select app_private.declare_check(
  name => 'error_spike', domain => 'system', severity => 'warning', entity_type => 'system',
  title => 'An operation fails more than usual',
  meaning => 'Of the last quarter of an hour''s runs of an operation, webhook or job at least ten and 5 % failed, and at least three times as large a share as over the day before.',
  importance => 'People or systems that use it are turned away by a fault, not by a rule.',
  resolution => 'Read the log by this name and outcome failed: codes and request ids lead to the lines of the server''s log. Look at what changed within the last hour, and at the other findings.',
  remedy => 'operator');
