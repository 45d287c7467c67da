-- A finding has one open alert.
create or replace function app_private.raise_health_alert(finding app_public.finding)
returns void
language plpgsql volatile
as $$
begin
  insert into app_public.health_alert (hospital_id, finding_id, check_name, severity, title, detail)
  select finding.hospital_id, finding.id, finding.check_name, finding.severity, entry.title, finding.detail
  from app_public.health_check as entry
  where entry.name = finding.check_name
  on conflict do nothing;
end
$$;

comment on function app_private.raise_health_alert(app_public.finding) is 'Raises the alert of a finding, unless it is open.';

revoke execute on function app_private.raise_health_alert(app_public.finding) from public;
