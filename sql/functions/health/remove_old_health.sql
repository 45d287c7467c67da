-- In batches, each a short transaction of its caller: what runs found for 90 days, problems that are
-- resolved and what people decided about them for a year, hours of verification for 30 days. An open
-- problem is never removed, and neither is one that somebody still looks at. Definer, because no role may
-- delete any of it.
create or replace function app_private.remove_old_health(hospital_id uuid, most integer)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  removed integer := 0;
  count integer;
  old_findings uuid[];
begin
  delete from app_public.check_run
  where check_run.hospital_id = remove_old_health.hospital_id and check_run.id in (
    select run.id from app_public.check_run as run
    where run.hospital_id = remove_old_health.hospital_id and run.started_at < instant - interval '90 days'
    order by run.started_at
    limit most);
  get diagnostics count = row_count;
  removed := removed + count;

  delete from app_public.review_item
  where review_item.hospital_id = remove_old_health.hospital_id and review_item.id in (
    select item.id from app_public.review_item as item
    where item.hospital_id = remove_old_health.hospital_id and item.decided_at < instant - interval '1 year'
    order by item.decided_at
    limit most);
  get diagnostics count = row_count;
  removed := removed + count;

  old_findings := array(
    select finding.id from app_public.finding
    where finding.hospital_id = remove_old_health.hospital_id and finding.resolved_at < instant - interval '1 year'
      and not exists (
        select from app_public.review_item as item
        where item.hospital_id = remove_old_health.hospital_id and item.finding_id = finding.id)
      and not exists (
        select from app_public.health_alert as alert
        where alert.hospital_id = remove_old_health.hospital_id and alert.finding_id = finding.id
          and alert.status <> 'resolved')
    order by finding.resolved_at
    limit most);
  delete from app_public.health_alert
  where health_alert.hospital_id = remove_old_health.hospital_id and health_alert.finding_id = any (old_findings);
  delete from app_public.finding
  where finding.hospital_id = remove_old_health.hospital_id and finding.id = any (old_findings);
  get diagnostics count = row_count;
  removed := removed + count;

  delete from app_private.verification_hour
  where verification_hour.hospital_id = remove_old_health.hospital_id
    and verification_hour.hour < now() - interval '30 days';
  get diagnostics count = row_count;
  return removed + count;
end
$$;

comment on function app_private.remove_old_health(uuid, integer) is
  'Forgets what health checks of a hospital found long ago, at most so many rows of a kind; returns how many.';

revoke execute on function app_private.remove_old_health(uuid, integer) from public;
grant execute on function app_private.remove_old_health(uuid, integer) to app_worker;
