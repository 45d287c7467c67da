-- The opening is the work of the table's triggers.
create or replace function app_public.cancel_holiday(holiday_id uuid)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  update app_public.holiday
  set is_active = false
  where holiday.hospital_id = hospital and holiday.id = cancel_holiday.holiday_id;
  if not found then
    perform app_private.refuse('holiday_not_found', jsonb_build_object('holiday_id', holiday_id));
  end if;
  return app_private.reported_change();
end
$$;

comment on function app_public.cancel_holiday(uuid) is
  'Cancels a holiday for good and opens the slots that it closed; what is blocked by hand or in an absence stays closed. For receptionists and admins.';

revoke execute on function app_public.cancel_holiday(uuid) from public;
grant execute on function app_public.cancel_holiday(uuid) to app_receptionist, app_admin;
