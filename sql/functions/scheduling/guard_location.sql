-- What a location must be, for creating and for changing. A null name is not looked at.
create or replace function app_private.guard_location(
  hospital_id uuid, name text, except_location_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  perform app_private.guard_input(jsonb_build_object(
    'name', case when length(btrim(name)) not between 1 and 200 then 'is not 1 to 200 characters long' end));
  if exists (
    select from app_public.location
    where location.hospital_id = guard_location.hospital_id
      and location.name = guard_location.name
      and location.id is distinct from except_location_id)
  then
    perform app_private.refuse('name_taken', jsonb_build_object('name', name));
  end if;
end
$$;

comment on function app_private.guard_location(uuid, text, uuid) is
  'Refuses a name of a location that is not valid or that another one has.';

revoke execute on function app_private.guard_location(uuid, text, uuid) from public;
grant execute on function app_private.guard_location(uuid, text, uuid) to app_admin;
