-- A new place is open, and nobody works there yet.
create or replace function app_public.create_location(name text)
returns app_public.location
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.location;
begin
  perform app_private.guard_location(hospital, coalesce(name, ''));
  insert into app_public.location (hospital_id, name)
  values (hospital, name)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_location(text) is
  'Adds a place where doctors see patients. For admins.';

revoke execute on function app_public.create_location(text) from public;
grant execute on function app_public.create_location(text) to app_admin;
