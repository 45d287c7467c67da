-- Null leaves a setting as it is; generated_days, which may be empty, is emptied by clear. The time zone
-- is not among them: change_time_zone carries along what is written in local time. More days ahead get
-- their slots from the job that the message in the outbox starts.
create or replace function app_public.update_hospital_settings(
  name text default null, booking_horizon_days integer default null, generated_days integer default null,
  hold_duration interval default null, offer_duration interval default null, rebook_buffer interval default null,
  no_show_block_threshold integer default null, no_show_window_start time default null,
  no_show_window_end time default null, vitals_alert_buffer interval default null,
  doctor_alert_buffer interval default null, kept_years integer default null, reminder_offsets interval[] default null,
  log_kept_days integer default null, clear text[] default '{}')
returns app_public.hospital
language plpgsql volatile
as $$
declare
  own_id uuid := app_private.request_hospital_id();
  present app_public.hospital;
  changed app_public.hospital;
begin
  select * into present from app_public.hospital where hospital.id = own_id;
  perform app_private.guard_input(jsonb_build_object(
    'name', case when length(btrim(name)) not between 1 and 200 then 'is not 1 to 200 characters long' end,
    'booking_horizon_days', case when booking_horizon_days not between 1 and 365 then 'is not 1 to 365' end,
    'generated_days', case when generated_days not between 1 and 365 then 'is not 1 to 365' end,
    'hold_duration', case when hold_duration <= interval '0' or hold_duration > interval '1 hour' then 'is not above 0 and up to an hour' end,
    'offer_duration', case when offer_duration not between interval '5 minutes' and interval '3 days' then 'is not 5 minutes to 3 days' end,
    'rebook_buffer', case when rebook_buffer < interval '0' then 'is negative' end,
    'no_show_block_threshold', case when no_show_block_threshold < 1 then 'is not positive' end,
    'no_show_window_end', case
      when coalesce(no_show_window_end, present.no_show_window_end) <= coalesce(no_show_window_start, present.no_show_window_start)
      then 'is not after the start of the window' end,
    'vitals_alert_buffer', case when vitals_alert_buffer < interval '0' then 'is negative' end,
    'doctor_alert_buffer', case when doctor_alert_buffer < interval '0' then 'is negative' end,
    'kept_years', case when kept_years not between 0 and 50 then 'is not 0 to 50' end,
    'reminder_offsets', case when not app_private.is_reminder_offsets(reminder_offsets) then 'is not 1 to 5 distinct spans of 5 minutes to 30 days' end,
    'log_kept_days', case when log_kept_days not between 1 and 3650 then 'is not 1 to 3650' end,
    'clear', case when not clear <@ array['generated_days'] then 'names more than generated_days' end));

  update app_public.hospital
  set name = coalesce(update_hospital_settings.name, hospital.name),
      booking_horizon_days = coalesce(update_hospital_settings.booking_horizon_days, hospital.booking_horizon_days),
      generated_days = coalesce(
        update_hospital_settings.generated_days, case when not 'generated_days' = any (clear) then hospital.generated_days end),
      hold_duration = coalesce(update_hospital_settings.hold_duration, hospital.hold_duration),
      offer_duration = coalesce(update_hospital_settings.offer_duration, hospital.offer_duration),
      rebook_buffer = coalesce(update_hospital_settings.rebook_buffer, hospital.rebook_buffer),
      no_show_block_threshold = coalesce(update_hospital_settings.no_show_block_threshold, hospital.no_show_block_threshold),
      no_show_window_start = coalesce(update_hospital_settings.no_show_window_start, hospital.no_show_window_start),
      no_show_window_end = coalesce(update_hospital_settings.no_show_window_end, hospital.no_show_window_end),
      vitals_alert_buffer = coalesce(update_hospital_settings.vitals_alert_buffer, hospital.vitals_alert_buffer),
      doctor_alert_buffer = coalesce(update_hospital_settings.doctor_alert_buffer, hospital.doctor_alert_buffer),
      kept_years = coalesce(update_hospital_settings.kept_years, hospital.kept_years),
      reminder_offsets = coalesce(update_hospital_settings.reminder_offsets, hospital.reminder_offsets),
      log_kept_days = coalesce(update_hospital_settings.log_kept_days, hospital.log_kept_days)
  where hospital.id = own_id
  returning * into changed;
  return changed;
end
$$;

comment on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], integer, text[]) is
  'Changes settings of the hospital; what is left out or null stays as it is, and clear may name generated_days, to store slots to the booking horizon again. All faults come back together in details. The time zone has changeTimeZone. For admins.';

revoke execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], integer, text[]) from public;
grant execute on function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], integer, text[]) to app_admin;
