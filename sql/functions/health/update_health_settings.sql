create or replace function app_public.update_health_settings(
  health_alert_quiet_period interval default null, health_chat_room text default null)
returns app_public.hospital
language plpgsql volatile
as $$
declare
  own_id uuid := app_private.request_hospital_id();
  changed app_public.hospital;
begin
  perform app_private.guard_input(jsonb_build_object(
    'health_alert_quiet_period', case
      when health_alert_quiet_period not between interval '1 minute' and interval '1 day' then 'is not a minute to a day' end,
    'health_chat_room', case
      when length(btrim(health_chat_room)) not between 1 and 200 then 'is not 1 to 200 characters long' end));
  update app_public.hospital
  set health_alert_quiet_period =
        coalesce(update_health_settings.health_alert_quiet_period, hospital.health_alert_quiet_period),
      health_chat_room = coalesce(btrim(update_health_settings.health_chat_room), hospital.health_chat_room)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_health_settings(interval, text) is
  'Changes how the hospital is told of health alerts; what is left out stays as it is. For admins.';

revoke execute on function app_public.update_health_settings(interval, text) from public;
grant execute on function app_public.update_health_settings(interval, text) to app_admin;
