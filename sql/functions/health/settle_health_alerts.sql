-- A problem that is gone alarms nobody any more.
create or replace function app_private.settle_health_alerts(hospital_id uuid, finding_ids uuid[])
returns void
language plpgsql volatile
as $$
begin
  update app_public.health_alert
  set status = 'resolved',
      resolved_at = app_private.clock()
  where health_alert.hospital_id = settle_health_alerts.hospital_id
    and health_alert.finding_id = any (finding_ids)
    and health_alert.status <> 'resolved';
end
$$;

comment on function app_private.settle_health_alerts(uuid, uuid[]) is 'Closes the open alerts of findings that are resolved.';

revoke execute on function app_private.settle_health_alerts(uuid, uuid[]) from public;
