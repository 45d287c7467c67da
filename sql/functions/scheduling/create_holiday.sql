-- Everything happens in the triggers of the table, for psql as for this function; it asks, and passes
-- on what they report.
create or replace function app_public.create_holiday(name text, date date, is_recurring boolean default false)
returns app_public.entered_holiday
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  entered app_public.entered_holiday;
begin
  insert into app_public.holiday (hospital_id, name, date, is_recurring)
  values (hospital, name, date, is_recurring)
  returning holiday.id into entered.holiday_id;
  entered.change := app_private.reported_change();
  return entered;
end
$$;

comment on function app_public.create_holiday(text, date, boolean) is
  'Enters a holiday of the whole hospital, once or every year (29 February in leap years only). It closes the slots of that local day, as far as they are still ahead; the patients of affected appointments are told and their appointments stay, to be moved. For receptionists and admins. previewHoliday tells beforehand what it would do.';

revoke execute on function app_public.create_holiday(text, date, boolean) from public;
grant execute on function app_public.create_holiday(text, date, boolean) to app_receptionist, app_admin;
