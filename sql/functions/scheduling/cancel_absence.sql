-- The opening is the work of the table's triggers.
create or replace function app_public.cancel_absence(absence_id uuid)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  update app_public.absence
  set status = 'cancelled'
  where absence.hospital_id = hospital and absence.id = cancel_absence.absence_id;
  if not found then
    perform app_private.refuse(
      case when exists (
        select from app_public.absence
        where absence.hospital_id = hospital and absence.id = cancel_absence.absence_id)
      then 'forbidden' else 'absence_not_found' end,
      jsonb_build_object('absence_id', absence_id));
  end if;
  return app_private.reported_change();
end
$$;

comment on function app_public.cancel_absence(uuid) is
  'Cancels an absence for good and opens the slots that it closed; what is blocked by hand or on a holiday stays closed, and appointments that were cancelled stay cancelled. For receptionists and admins; doctors cancel their own.';

revoke execute on function app_public.cancel_absence(uuid) from public;
grant execute on function app_public.cancel_absence(uuid) to app_doctor, app_receptionist, app_admin;
