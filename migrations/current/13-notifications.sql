-- Notifications: the words, who is told, and the inbox.

set local role app_owner;

alter table app_public.hospital
  add column notifications_kept_days integer not null default 90
    constraint read_notifications_are_kept_1_to_3650_days check (notifications_kept_days between 1 and 3650);
comment on column app_public.hospital.notifications_kept_days is
  'How many days a notification is kept after it was read.';

alter table app_public.notification_template
  add constraint names_in_braces_stand_for_facts check (
    regexp_replace(title || body,
      '\{(patient|doctor|location|starts_at|reason|held_until|holiday|message)\}', '', 'g') !~ '[{}]');

-- The unread ones of each inbox, newest last: what the badge counts and the list shows first.
create index unread_notification_of_a_patient on app_public.notification (hospital_id, patient_id, id)
  where patient_id is not null and read_at is null;
create index unread_notification_of_a_doctor on app_public.notification (hospital_id, doctor_id, id)
  where doctor_id is not null and read_at is null;
create index unread_notification_of_an_account on app_public.notification (hospital_id, account_id, id)
  where account_id is not null and read_at is null;
create index read_notification_by_time on app_public.notification (hospital_id, read_at) where read_at is not null;

--! include catalog/notification_template.sql
--! include functions/notifications/fill_template.sql
--! include functions/notifications/local_time.sql
--! include functions/notifications/notify_of_appointment.sql
--! include functions/notifications/announce_notification.sql
--! include functions/notifications/unread_notification_count.sql
--! include functions/notifications/mark_notification_read.sql
--! include functions/notifications/mark_notification_unread.sql
--! include functions/notifications/mark_all_notifications_read.sql
--! include functions/notifications/remove_read_notifications.sql
--! include policies/notification.sql
--! include policies/notification_template.sql

reset role;
