-- All that is unread in the caller's own inbox, which is what row-level security leaves.
create or replace function app_public.mark_all_notifications_read()
returns integer
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  marked integer;
begin
  update app_public.notification
  set read_at = instant
  where notification.hospital_id = hospital and notification.read_at is null;
  get diagnostics marked = row_count;
  return marked;
end
$$;

comment on function app_public.mark_all_notifications_read() is
  'Marks all of your notifications as read and returns how many were unread.';

revoke execute on function app_public.mark_all_notifications_read() from public;
grant execute on function app_public.mark_all_notifications_read()
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
