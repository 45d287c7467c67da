-- A visit lasts as long as its service, and where that says nothing, as long as its slot.
create or replace function app_private.visit_time(hospital_id uuid, seat app_public.slot, service_id uuid)
returns tstzrange
language plpgsql stable
as $$
declare
  length interval;
begin
  if service_id is not null then
    select service.duration into length
    from app_public.service
    where service.hospital_id = visit_time.hospital_id and service.id = visit_time.service_id;
  end if;
  return tstzrange(seat.starts_at, seat.starts_at + coalesce(length, seat.ends_at - seat.starts_at));
end
$$;

comment on function app_private.visit_time(uuid, app_public.slot, uuid) is 'The time of a visit that begins with this slot.';

revoke execute on function app_private.visit_time(uuid, app_public.slot, uuid) from public;
