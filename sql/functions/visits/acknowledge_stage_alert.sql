-- One plain update under the caller's own rights: doctors reach the alerts of their own patients, the
-- others of the staff all of the hospital; the table's trigger knows the rest.
create or replace function app_public.acknowledge_stage_alert(alert_id uuid)
returns app_public.stage_alert
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.stage_alert;
begin
  update app_public.stage_alert set status = 'acknowledged'
  where stage_alert.hospital_id = hospital and stage_alert.id = alert_id
  returning * into changed;
  if not found then
    perform app_private.refuse('stage_alert_not_found', jsonb_build_object('alert_id', alert_id));
  end if;
  return changed;
end
$$;

comment on function app_public.acknowledge_stage_alert(uuid) is
  'Says that you take care of a patient who waits too long. For the staff; doctors for their own patients.';

revoke execute on function app_public.acknowledge_stage_alert(uuid) from public;
grant execute on function app_public.acknowledge_stage_alert(uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
