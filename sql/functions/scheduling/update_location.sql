-- A place that closes keeps its schedules, which give no slots until it opens again: the job that its
-- messages in the outbox start brings the slots of every doctor who works there in line.
create or replace function app_public.update_location(
  location_id uuid, name text default null, is_active boolean default null)
returns app_public.location
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.location;
begin
  perform app_private.guard_location(hospital, name, location_id);
  update app_public.location
  set name = coalesce(update_location.name, location.name),
      is_active = coalesce(update_location.is_active, location.is_active)
  where location.hospital_id = hospital and location.id = location_id
  returning * into changed;
  if not found then
    perform app_private.refuse('location_not_found', jsonb_build_object('location_id', location_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_location(uuid, text, boolean) is
  'Renames, closes or opens a place; what is left out or null stays as it is. Within moments after it closes, free slots there go and those with appointments stay for them; after it opens, its schedules give slots again. For admins.';

revoke execute on function app_public.update_location(uuid, text, boolean) from public;
grant execute on function app_public.update_location(uuid, text, boolean) to app_admin;
