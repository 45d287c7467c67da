-- One transaction repairs several findings, and so holds the locks of the earlier ones while it waits for
-- those of the next: against the order in which bookings lock. It therefore waits less long for a lock
-- than Postgres waits before it looks for a deadlock (a second), and lets the bookings go first: what is
-- busy is left for the next call, and no booking is ever the victim. It ends well before a request must.
-- Definer, because the engine is granted to nobody; only findings of the caller's hospital are reached.
create or replace function app_private.repair_open_findings(hospital_id uuid, check_names text[], most integer default 50)
returns app_public.repair_report
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  began timestamptz := clock_timestamp();
  moment timestamptz := app_private.clock();
  waits_usually text := current_setting('lock_timeout');
  wanted uuid[];
  each_id uuid;
  repaired app_public.finding;
  told app_public.finding_repair;
  report app_public.repair_report;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform app_private.guard_check_names(check_names);
  wanted := array(
    select finding.id
    from app_public.finding
    join app_public.health_check on health_check.name = finding.check_name and health_check.remedy = 'repair'
    where finding.hospital_id = repair_open_findings.hospital_id
      and finding.resolved_at is null
      and (finding.ignored_at is null or finding.ignored_until <= moment)
      and (repair_open_findings.check_names is null or finding.check_name = any (repair_open_findings.check_names))
    order by finding.severity desc, finding.repair_attempts, finding.id);
  report.repairs := '{}';

  foreach each_id in array wanted[1:most] loop
    exit when clock_timestamp() > began + interval '2 seconds';
    perform set_config('lock_timeout', '400ms', true);
    begin
      -- Resolved with an earlier one: the engine leaves it as it is.
      repaired := app_private.repair_finding(repair_open_findings.hospital_id, each_id);
      told := app_private.describe_repair(repaired);
    exception when lock_not_available or deadlock_detected then
      told := row(each_id, null, null, null, 'failed', 'It is in use at this moment. Try again.')::app_public.finding_repair;
    end;
    perform set_config('lock_timeout', waits_usually, true);
    report.repairs := report.repairs || told;
  end loop;

  report.repaired_count := (select count(*) from unnest(report.repairs) as done where done.outcome = 'repaired');
  report.remaining_count := cardinality(wanted) - cardinality(report.repairs);
  report.for_people_count := (
    select count(*)
    from app_public.finding
    join app_public.health_check on health_check.name = finding.check_name and health_check.remedy <> 'repair'
    where finding.hospital_id = repair_open_findings.hospital_id
      and finding.resolved_at is null
      and (finding.ignored_at is null or finding.ignored_until <= moment)
      and (repair_open_findings.check_names is null or finding.check_name = any (repair_open_findings.check_names)));
  return report;
end
$$;

comment on function app_private.repair_open_findings(uuid, text[], integer) is
  'Repairs open findings of a hospital whose checks have a safe repair, as many as fit into a request, and tells what became of each.';

revoke execute on function app_private.repair_open_findings(uuid, text[], integer) from public;
grant execute on function app_private.repair_open_findings(uuid, text[], integer) to app_admin;
