create or replace function app_public.update_security_settings(
  is_second_factor_required boolean default null, emergency_access_duration interval default null,
  security_events_kept_days integer default null)
returns app_public.hospital
language plpgsql volatile
as $$
declare
  own_id uuid := app_private.request_hospital_id();
  changed app_public.hospital;
begin
  perform app_private.guard_input(jsonb_build_object(
    'emergency_access_duration', case
      when emergency_access_duration not between interval '5 minutes' and interval '1 day'
      then 'is not 5 minutes to a day' end,
    'security_events_kept_days', case
      when security_events_kept_days not between 30 and 3650 then 'is not 30 to 3650' end));
  update app_public.hospital
  set is_second_factor_required =
        coalesce(update_security_settings.is_second_factor_required, hospital.is_second_factor_required),
      emergency_access_duration =
        coalesce(update_security_settings.emergency_access_duration, hospital.emergency_access_duration),
      security_events_kept_days =
        coalesce(update_security_settings.security_events_kept_days, hospital.security_events_kept_days)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_security_settings(boolean, interval, integer) is
  'Changes how the hospital guards logins and records; what is left out stays as it is. Who requires a second factor of admins must have one; admins without lose their sessions. For admins.';

revoke execute on function app_public.update_security_settings(boolean, interval, integer) from public;
grant execute on function app_public.update_security_settings(boolean, interval, integer) to app_admin;
