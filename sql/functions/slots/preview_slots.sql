-- What a change of hours or of the zone would do to the slots ahead, counted from the very plan that the
-- change would carry out. Runs as the owner, because the history of a slot may be anybody's and the
-- caller's rights must not change the count; it tells no more than the staff of the hospital may read.
create or replace function app_private.preview_slots(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date,
  hours app_private.working_hours[], time_zone text, with_alternatives boolean)
returns app_public.calendar_change
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return app_private.summarise_plan(
    hospital_id,
    array(
      select planned
      from app_private.plan_slots(hospital_id, doctor_id, first_day, last_day, hours, time_zone) as planned),
    with_alternatives);
end
$$;

comment on function app_private.preview_slots(uuid, uuid, date, date, app_private.working_hours[], text, boolean) is
  'What would become of the slots ahead if these hours held in this zone, in the words of a calendar change; changes nothing.';

revoke execute on function app_private.preview_slots(uuid, uuid, date, date, app_private.working_hours[], text, boolean) from public;
grant execute on function app_private.preview_slots(uuid, uuid, date, date, app_private.working_hours[], text, boolean)
  to app_doctor, app_receptionist, app_admin;
