-- What a lost message left: notifications of the last hours without a delivery. Ids carry the time at
-- which they were made, so those of the last hours are one range of the key, however many are older; the
-- last minutes are left to the messages that are on their way. Definer, because the worker may not read
-- notifications; it is told ids only.
create or replace function app_private.unplanned_notifications(hospital_id uuid, most integer default 500)
returns setof uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  now_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint;
  oldest uuid := (lpad(to_hex(now_ms - 6 * 3600 * 1000), 12, '0') || repeat('0', 20))::uuid;
  youngest uuid := (lpad(to_hex(now_ms - 60 * 1000), 12, '0') || repeat('0', 20))::uuid;
begin
  return query
    select notification.id
    from app_public.notification
    where notification.hospital_id = unplanned_notifications.hospital_id
      and notification.id >= oldest and notification.id < youngest
      and not exists (
        select from app_public.notification_delivery as delivery
        where delivery.hospital_id = unplanned_notifications.hospital_id and delivery.notification_id = notification.id)
    order by notification.id
    limit most;
end
$$;

comment on function app_private.unplanned_notifications(uuid, integer) is
  'Ids of the notifications of the last six hours, but for the last minute, for which no delivery is planned.';

revoke execute on function app_private.unplanned_notifications(uuid, integer) from public;
grant execute on function app_private.unplanned_notifications(uuid, integer) to app_worker;
