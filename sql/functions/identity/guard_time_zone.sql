-- A hospital's zone is one that Postgres knows by name. While slots lie ahead or an appointment holds a
-- seat it changes only together with them: local days are counted in it, and working hours are read in
-- it. Whoever holds the hospital's calendar is change_time_zone, which carries them along; a bare update
-- is refused.
create or replace function app_private.guard_time_zone() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if not exists (select from pg_catalog.pg_timezone_names where pg_timezone_names.name = new.time_zone) then
    perform app_private.refuse('unknown_time_zone', jsonb_build_object('time_zone', new.time_zone));
  end if;
  if tg_op = 'UPDATE' and new.time_zone <> old.time_zone and (
    exists (
      select from app_public.slot
      where slot.hospital_id = new.id and slot.starts_at > app_private.clock() and slot.withdrawn_at is null)
    or exists (
      select from app_public.appointment
      where appointment.hospital_id = new.id and appointment.holds_seat))
    and not app_private.holds_calendar(new.id)
  then
    perform app_private.refuse('time_zone_in_use', jsonb_build_object('time_zone', old.time_zone));
  end if;
  return new;
end
$$;

comment on function app_private.guard_time_zone() is
  'Trigger: refuses a time zone that Postgres does not know, and a bare change of zone while slots lie ahead.';

revoke execute on function app_private.guard_time_zone() from public;

create or replace trigger hospital_has_a_known_time_zone
  before insert or update of time_zone on app_public.hospital
  for each row execute function app_private.guard_time_zone();
