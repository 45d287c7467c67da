-- One plain update under the caller's own rights; the table's trigger knows the rest. The finding stays as
-- it is: whether the problem is gone only its check can say.
create or replace function app_public.resolve_health_alert(health_alert_id uuid, note text)
returns app_public.health_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.health_alert;
begin
  perform app_private.guard_input(jsonb_build_object(
    'note', case when coalesce(length(btrim(note)), 0) not between 1 and 2000 then 'is not 1 to 2000 characters long' end));
  update app_public.health_alert
  set status = 'resolved',
      note = btrim(resolve_health_alert.note)
  where health_alert.hospital_id = hospital and health_alert.id = health_alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('health_alert_not_found', jsonb_build_object('health_alert_id', health_alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resolve_health_alert(uuid, text) is
  'Closes a health alert, with what was done. One whose problem is gone closes itself. For admins.';

revoke execute on function app_public.resolve_health_alert(uuid, text) from public;
grant execute on function app_public.resolve_health_alert(uuid, text) to app_admin;
