-- One's own: row-level security lets nobody write for another account.
create or replace function app_public.set_quiet_hours(
  quiet_from time default null, quiet_until time default null, time_zone text default null)
returns app_public.notification_setting
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  chosen app_public.notification_setting;
begin
  insert into app_public.notification_setting as setting (hospital_id, account_id, quiet_from, quiet_until, time_zone)
  values (hospital, app_private.claim_account_id(), set_quiet_hours.quiet_from, set_quiet_hours.quiet_until,
    set_quiet_hours.time_zone)
  on conflict on constraint notification_setting_pkey do update
  set quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until, time_zone = excluded.time_zone
  returning * into chosen;
  return chosen;
end
$$;

comment on function app_public.set_quiet_hours(time, time, text) is
  'Sets the hours in which you are told nothing of normal priority but in your inbox; without times there are none.';

revoke execute on function app_public.set_quiet_hours(time, time, text) from public;
grant execute on function app_public.set_quiet_hours(time, time, text)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
