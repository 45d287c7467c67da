create or replace function app_public.mark_notification_unread(notification_id uuid)
returns app_public.notification
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  marked app_public.notification;
begin
  update app_public.notification
  set read_at = null
  where notification.hospital_id = hospital and notification.id = notification_id
  returning * into marked;
  if not found then
    perform app_private.refuse('notification_not_found', jsonb_build_object('notification_id', notification_id));
  end if;
  return marked;
end
$$;

comment on function app_public.mark_notification_unread(uuid) is
  'Marks one of your notifications as unread, to come back to it.';

revoke execute on function app_public.mark_notification_unread(uuid) from public;
grant execute on function app_public.mark_notification_unread(uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
