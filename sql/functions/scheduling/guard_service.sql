-- What a service must be, for creating and for changing. A null is not looked at.
create or replace function app_private.guard_service(
  hospital_id uuid, name text, duration interval, buffer_before interval, buffer_after interval,
  except_service_id uuid default null)
returns void
language plpgsql stable
as $$
begin
  perform app_private.guard_input(jsonb_build_object(
    'name', case when length(btrim(name)) not between 1 and 200 then 'is not 1 to 200 characters long' end,
    'duration', case when duration not between interval '5 minutes' and interval '8 hours' then 'is not 5 minutes to 8 hours' end,
    'buffer_before', case when buffer_before not between interval '0' and interval '2 hours' then 'is not 0 to 2 hours' end,
    'buffer_after', case when buffer_after not between interval '0' and interval '2 hours' then 'is not 0 to 2 hours' end));
  if exists (
    select from app_public.service
    where service.hospital_id = guard_service.hospital_id
      and service.name = guard_service.name
      and service.id is distinct from except_service_id)
  then
    perform app_private.refuse('name_taken', jsonb_build_object('name', name));
  end if;
end
$$;

comment on function app_private.guard_service(uuid, text, interval, interval, interval, uuid) is
  'Refuses details of a service that are not valid, all faults at once, or a name that another one has.';

revoke execute on function app_private.guard_service(uuid, text, interval, interval, interval, uuid) from public;
grant execute on function app_private.guard_service(uuid, text, interval, interval, interval, uuid) to app_admin;
