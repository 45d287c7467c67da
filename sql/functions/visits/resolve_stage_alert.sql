-- See acknowledge_stage_alert. What is resolved by hand is not raised again for the same wait.
create or replace function app_public.resolve_stage_alert(alert_id uuid, note text default null)
returns app_public.stage_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.stage_alert;
begin
  update app_public.stage_alert set status = 'resolved', note = nullif(btrim(resolve_stage_alert.note), '')
  where stage_alert.hospital_id = hospital and stage_alert.id = alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('stage_alert_not_found', jsonb_build_object('alert_id', alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.resolve_stage_alert(uuid, text) is
  'Ends an alert by hand; the same wait raises no other one. For the staff; doctors for their own patients.';

revoke execute on function app_public.resolve_stage_alert(uuid, text) from public;
grant execute on function app_public.resolve_stage_alert(uuid, text)
  to app_doctor, app_nurse, app_receptionist, app_admin;
