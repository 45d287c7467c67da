-- Null leaves a detail as it is; clear empties what may be empty. Appointments keep the length that they
-- were booked with.
create or replace function app_public.update_service(
  service_id uuid, name text default null, duration interval default null, buffer_before interval default null,
  buffer_after interval default null, external_event_type text default null, is_active boolean default null,
  clear text[] default '{}')
returns app_public.service
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.service;
begin
  perform app_private.guard_input(jsonb_build_object(
    'clear', case when not clear <@ array['duration', 'external_event_type'] then 'names more than duration and external_event_type' end));
  perform app_private.guard_service(hospital, name, duration, buffer_before, buffer_after, service_id);
  update app_public.service
  set name = coalesce(update_service.name, service.name),
      duration = coalesce(update_service.duration, case when not 'duration' = any (clear) then service.duration end),
      buffer_before = coalesce(update_service.buffer_before, service.buffer_before),
      buffer_after = coalesce(update_service.buffer_after, service.buffer_after),
      external_event_type = coalesce(
        update_service.external_event_type, case when not 'external_event_type' = any (clear) then service.external_event_type end),
      is_active = coalesce(update_service.is_active, service.is_active)
  where service.hospital_id = hospital and service.id = service_id
  returning * into changed;
  if not found then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', service_id));
  end if;
  return changed;
end
$$;

comment on function app_public.update_service(uuid, text, interval, interval, interval, text, boolean, text[]) is
  'Changes a kind of visit, or stops or resumes offering it; what is left out or null stays as it is, and clear names what becomes empty: duration, external_event_type. Appointments keep the length they were booked with. For admins.';

revoke execute on function app_public.update_service(uuid, text, interval, interval, interval, text, boolean, text[]) from public;
grant execute on function app_public.update_service(uuid, text, interval, interval, interval, text, boolean, text[]) to app_admin;
