-- What was read stays read since the first time, so that repeating it changes nothing and tells nobody.
create or replace function app_public.mark_notification_read(notification_id uuid)
returns app_public.notification
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  marked app_public.notification;
begin
  update app_public.notification
  set read_at = coalesce(notification.read_at, instant)
  where notification.hospital_id = hospital and notification.id = notification_id
  returning * into marked;
  if not found then
    perform app_private.refuse('notification_not_found', jsonb_build_object('notification_id', notification_id));
  end if;
  return marked;
end
$$;

comment on function app_public.mark_notification_read(uuid) is
  'Marks one of your notifications as read. One that was read already keeps the time at which it was.';

revoke execute on function app_public.mark_notification_read(uuid) from public;
grant execute on function app_public.mark_notification_read(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
