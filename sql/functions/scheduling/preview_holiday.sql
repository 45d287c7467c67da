-- The same judge, the same slots, the same appointments and the same words as the holiday itself.
create or replace function app_public.preview_holiday(name text, date date, is_recurring boolean default false)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.judge_holiday(hospital, name, date, is_recurring);
  return app_private.closing_change(
    cardinality(app_private.slots_of_holiday(hospital, date, is_recurring)),
    app_private.affected_by_holiday(hospital, date, is_recurring),
    is_cancelling => false, is_telling => true);
end
$$;

comment on function app_public.preview_holiday(text, date, boolean) is
  'What createHoliday with these arguments would do and which appointments it would touch; nothing is changed. Refused as createHoliday would be.';

revoke execute on function app_public.preview_holiday(text, date, boolean) from public;
grant execute on function app_public.preview_holiday(text, date, boolean) to app_receptionist, app_admin;
