-- Functions and rights: Reminders before the visit, links in messages, calendar feeds.
set local role app_owner;

--! include catalog/error_catalog.sql
--! include catalog/notification_template.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include functions/notifications/hospitals_to_remind.sql
--! include functions/notifications/send_reminders.sql
--! include functions/notifications/visit_of_notification.sql
--! include functions/notifications/linked_visit.sql
--! include functions/notifications/follow_visit_link.sql
--! include functions/notifications/open_calendar_feed.sql
--! include functions/notifications/create_calendar_feed.sql
--! include functions/notifications/revoke_calendar_feed.sql
--! include functions/notifications/find_calendar_feed.sql
--! include functions/notifications/initials.sql
--! include functions/notifications/calendar_visits.sql

drop function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, text[]);
--! include functions/scheduling/update_hospital_settings.sql
--! include functions/retention/export_patient.sql
--! include functions/retention/erase_person.sql

--! include policies/hospital.sql
--! include policies/appointment_reminder.sql
--! include policies/calendar_feed.sql

reset role;
