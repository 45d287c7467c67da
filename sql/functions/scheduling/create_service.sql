-- A kind of visit; without a duration it is as long as the slot.
create or replace function app_public.create_service(
  name text, duration interval default null, buffer_before interval default interval '0',
  buffer_after interval default interval '0', external_event_type text default null)
returns app_public.service
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  created app_public.service;
begin
  perform app_private.guard_service(hospital, coalesce(name, ''), duration, buffer_before, buffer_after);
  insert into app_public.service (hospital_id, name, duration, buffer_before, buffer_after, external_event_type)
  values (hospital, name, duration, coalesce(buffer_before, interval '0'), coalesce(buffer_after, interval '0'), external_event_type)
  returning * into created;
  return created;
end
$$;

comment on function app_public.create_service(text, interval, interval, interval, text) is
  'Adds a kind of visit; without a duration it is as long as the slot. Buffers keep time of the doctor free before and after it. For admins.';

revoke execute on function app_public.create_service(text, interval, interval, interval, text) from public;
grant execute on function app_public.create_service(text, interval, interval, interval, text) to app_admin;
