-- One plain update under the caller's own rights; the table's trigger knows the rest. Who has seen it is
-- not told again of it.
create or replace function app_public.acknowledge_health_alert(health_alert_id uuid)
returns app_public.health_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.health_alert;
begin
  update app_public.health_alert set status = 'acknowledged'
  where health_alert.hospital_id = hospital and health_alert.id = health_alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('health_alert_not_found', jsonb_build_object('health_alert_id', health_alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.acknowledge_health_alert(uuid) is
  'Says that you have seen a health alert and take care of it; nobody is told of it again. For admins.';

revoke execute on function app_public.acknowledge_health_alert(uuid) from public;
grant execute on function app_public.acknowledge_health_alert(uuid) to app_admin;
