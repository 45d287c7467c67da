set local role app_owner;

--! include catalog/error_catalog.sql
--! include catalog/notification_template.sql
--! include catalog/job.sql
--! include catalog/webhook_event.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include functions/booking/announce_appointment.sql
--! include functions/webhooks/hospitals_with_webhooks.sql
--! include functions/webhooks/plan_webhooks.sql
--! include functions/webhooks/webhook_pause.sql
--! include functions/webhooks/claim_webhooks.sql
--! include functions/webhooks/tell_of_webhook.sql
--! include functions/webhooks/settle_webhook.sql
--! include functions/webhooks/next_webhook_at.sql
--! include functions/webhooks/remove_old_webhooks.sql
--! include functions/webhooks/guard_webhook_subscription.sql
--! include functions/webhooks/resume_webhook_deliveries.sql
--! include functions/webhooks/guard_webhook_delivery.sql
--! include functions/webhooks/replace_webhook_secret.sql
--! include functions/webhooks/create_webhook_subscription.sql
--! include functions/webhooks/rotate_webhook_secret.sql
--! include functions/webhooks/update_webhook_subscription.sql
--! include functions/webhooks/pause_webhook_subscription.sql
--! include functions/webhooks/resume_webhook_subscription.sql
--! include functions/webhooks/delete_webhook_subscription.sql
--! include functions/webhooks/send_test_webhook.sql
--! include functions/webhooks/resend_webhook_delivery.sql
--! include policies/webhook_event.sql
--! include policies/webhook_subscription.sql
--! include policies/webhook_secret.sql
--! include policies/webhook_delivery.sql

reset role;
