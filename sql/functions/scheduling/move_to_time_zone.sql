-- The whole hospital into another zone, in one transaction. Appointments keep their instants; everything
-- that is written as local time moves. Nobody books meanwhile: the calendar is locked first, then all
-- slots ahead and all in which somebody sits, by id; who waits at a slot reads the zone after it has the
-- slot, and counts the right day. Runs as the owner, because no role may write the zone, whose bare
-- change would leave the slots behind.
create or replace function app_private.move_to_time_zone(hospital_id uuid, time_zone text)
returns app_public.calendar_change
language plpgsql security definer
set search_path = ''
as $$
declare
  today date;
  plan app_private.planned_slot[];
  change app_public.calendar_change;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  perform app_private.guard_new_time_zone(time_zone);
  perform app_private.lock_calendar(hospital_id);
  perform app_private.lock_slots_ahead(hospital_id, and_seated => true);

  today := (app_private.clock() at time zone time_zone)::date;
  plan := array(
    select planned
    from app_private.plan_slots(
      hospital_id, null, today, null, app_private.working_hours_from(hospital_id, null, today), time_zone) as planned);
  change := app_private.summarise_plan(hospital_id, plan, with_alternatives => false);
  update app_public.hospital
  set time_zone = move_to_time_zone.time_zone
  where hospital.id = hospital_id;
  perform app_private.carry_out_plan(hospital_id, null, plan, change, 'time_zone_changed');
  return change;
end
$$;

comment on function app_private.move_to_time_zone(uuid, text) is
  'Changes the time zone of a hospital, and everything that is written in local time with it; tells what changed.';

revoke execute on function app_private.move_to_time_zone(uuid, text) from public;
grant execute on function app_private.move_to_time_zone(uuid, text) to app_admin;
