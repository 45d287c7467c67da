-- What was read long ago, by the hospital's own measure; unread ones stay, and leave with their
-- appointment. Definer, because no role may delete notifications.
create or replace function app_private.remove_read_notifications(hospital_id uuid)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  limit_of_memory timestamptz;
  removed integer;
begin
  select app_private.clock() - make_interval(days => hospital.notifications_kept_days) into limit_of_memory
  from app_public.hospital
  where hospital.id = remove_read_notifications.hospital_id;

  delete from app_public.notification
  where notification.hospital_id = remove_read_notifications.hospital_id
    and notification.read_at < limit_of_memory;
  get diagnostics removed = row_count;
  return removed;
end
$$;

comment on function app_private.remove_read_notifications(uuid) is
  'Deletes the notifications of a hospital that were read longer ago than it keeps them, and returns how many.';

revoke execute on function app_private.remove_read_notifications(uuid) from public;
grant execute on function app_private.remove_read_notifications(uuid) to app_worker;
