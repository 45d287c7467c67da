-- A problem that is gone alarms nobody any more. In the order of ids, so that two who settle at once do
-- not wait for each other.
create or replace function app_private.settle_health_alerts(hospital_id uuid, finding_ids uuid[])
returns void
language plpgsql volatile
as $$
begin
  perform from app_public.health_alert
  where health_alert.hospital_id = settle_health_alerts.hospital_id
    and health_alert.finding_id = any (finding_ids)
    and health_alert.status <> 'resolved'
  order by health_alert.id
  for no key update;
  update app_public.health_alert
  set status = 'resolved',
      is_settled = true
  where health_alert.hospital_id = settle_health_alerts.hospital_id
    and health_alert.finding_id = any (finding_ids)
    and health_alert.status <> 'resolved';
end
$$;

comment on function app_private.settle_health_alerts(uuid, uuid[]) is
  'Closes the open alerts of findings that are resolved, or that nobody has to look at any more.';

revoke execute on function app_private.settle_health_alerts(uuid, uuid[]) from public;
