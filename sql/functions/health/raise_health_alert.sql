-- A finding has one open alert. One that was gone and is back within the quiet period is the same alert,
-- raised once more; later it is a new one. When people were told last goes with the finding, not with the
-- alert, so that closing an alert by hand makes nobody be told twice within the quiet period.
create or replace function app_private.raise_health_alert(finding app_public.finding)
returns void
language plpgsql volatile
as $$
declare
  instant timestamptz := app_private.clock();
  last_one app_public.health_alert;
begin
  select * into last_one
  from app_public.health_alert as alert
  where alert.hospital_id = finding.hospital_id and alert.finding_id = finding.id
  order by alert.status = 'resolved', alert.last_raised_at desc
  limit 1
  for no key update;

  if last_one.status <> 'resolved' then
    update app_public.health_alert
    set times_raised = health_alert.times_raised + 1,
        last_raised_at = instant,
        severity = finding.severity,
        detail = finding.detail
    where health_alert.hospital_id = last_one.hospital_id and health_alert.id = last_one.id;
  elsif last_one.is_settled and last_one.last_raised_at > instant - app_private.quiet_period(finding.hospital_id) then
    update app_public.health_alert
    set status = 'active',
        times_raised = health_alert.times_raised + 1,
        last_raised_at = instant,
        severity = finding.severity,
        detail = finding.detail
    where health_alert.hospital_id = last_one.hospital_id and health_alert.id = last_one.id;
  else
    insert into app_public.health_alert (
      hospital_id, finding_id, check_name, severity, title, detail, raised_at, last_raised_at, told_at)
    select finding.hospital_id, finding.id, finding.check_name, finding.severity, entry.title, finding.detail,
      instant, instant, last_one.told_at
    from app_public.health_check as entry
    where entry.name = finding.check_name
    on conflict do nothing;
  end if;
end
$$;

comment on function app_private.raise_health_alert(app_public.finding) is
  'Raises the alert of a finding; one that is open, or was a moment ago, is raised once more.';

revoke execute on function app_private.raise_health_alert(app_public.finding) from public;
