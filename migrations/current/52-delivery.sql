set local role app_owner;

--! include catalog/error_catalog.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include functions/notifications/event_group.sql
--! include functions/notifications/is_essential.sql
--! include functions/notifications/wants_channel.sql
--! include functions/notifications/end_of_quiet_hours.sql
--! include functions/notifications/mask_address.sql
--! include functions/notifications/hash_address.sql
--! include functions/notifications/reachable_at.sql
--! include functions/notifications/is_too_late.sql
--! include functions/notifications/retry_pause.sql
--! include functions/notifications/plan_deliveries.sql
--! include functions/notifications/unplanned_notifications.sql
--! include functions/notifications/due_channels.sql
--! include functions/notifications/claim_deliveries.sql
--! include functions/notifications/settle_delivery.sql
--! include functions/notifications/skip_deliveries.sql
--! include functions/notifications/guard_delivery.sql
--! include functions/notifications/retry_delivery.sql
--! include functions/notifications/guard_preference.sql
--! include functions/notifications/guard_quiet_hours.sql
--! include functions/notifications/set_notification_preference.sql
--! include functions/notifications/set_quiet_hours.sql
--! include functions/notifications/announce_notification.sql
--! include functions/retention/erase_person.sql
--! include functions/retention/export_patient.sql
--! include policies/notification_delivery.sql
--! include policies/notification_preference.sql
--! include policies/notification_setting.sql
--! include policies/undeliverable_address.sql

reset role;
