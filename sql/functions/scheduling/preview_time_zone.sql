-- The same plan as change_time_zone, and then nothing: it only counts.
create or replace function app_public.preview_time_zone(time_zone text)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  today date;
begin
  perform app_private.guard_new_time_zone(time_zone);
  today := (app_private.clock() at time zone time_zone)::date;
  return app_private.preview_slots(
    hospital, null, today, null, app_private.working_hours_from(hospital, null, today), time_zone,
    with_alternatives => false);
end
$$;

comment on function app_public.preview_time_zone(text) is
  'What changeTimeZone would do: slots deleted, withdrawn, kept and generated, and the appointments that would lie outside the hours. Changes nothing. For admins.';

revoke execute on function app_public.preview_time_zone(text) from public;
grant execute on function app_public.preview_time_zone(text) to app_admin;
