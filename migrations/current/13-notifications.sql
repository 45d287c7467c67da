-- Notifications: the words, and who is told.

set local role app_owner;

--! include catalog/notification_template.sql
--! include functions/notifications/fill_template.sql
--! include functions/notifications/notify_of_appointment.sql

reset role;
