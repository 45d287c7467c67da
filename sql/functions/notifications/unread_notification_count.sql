-- Row-level security leaves the caller's own inbox; of that an index holds the unread ones alone, so
-- that the count costs what is unread, however much was read before.
create or replace function app_public.unread_notification_count()
returns integer
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  return (
    select count(*)
    from app_public.notification
    where notification.hospital_id = hospital and notification.read_at is null);
end
$$;

comment on function app_public.unread_notification_count() is 'How many of your notifications you have not read.';

revoke execute on function app_public.unread_notification_count() from public;
grant execute on function app_public.unread_notification_count()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
