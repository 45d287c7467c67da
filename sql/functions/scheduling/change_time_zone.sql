-- Thin: all of it happens in move_to_time_zone, which holds every lock that it needs.
create or replace function app_public.change_time_zone(time_zone text)
returns app_public.calendar_change
language plpgsql volatile
as $$
begin
  return app_private.move_to_time_zone(app_private.request_hospital_id(), time_zone);
end
$$;

comment on function app_public.change_time_zone(text) is
  'Moves the hospital into another time zone. Appointments keep their instants; working hours, absences and holidays are local time, so the slots ahead are cut anew, and appointments that lie outside the hours then are affected: their patients are notified. For admins.';

revoke execute on function app_public.change_time_zone(text) from public;
grant execute on function app_public.change_time_zone(text) to app_admin;
