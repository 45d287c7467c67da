-- Functions and rights: People are asked, told and shown: reviews and alerts have a life, alerts reach the chat and the inbox, a
-- digest goes out by mail, each day has its report, and key figures have their targets.
set local role app_owner;

drop function if exists app_private.settle_review(uuid, uuid[]);

--! include catalog/error_catalog.sql
--! include catalog/notification_template.sql
--! include catalog/job.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include functions/health/review_priority.sql
--! include functions/health/queue_for_review.sql
--! include functions/health/settle_review.sql
--! include functions/health/lock_review.sql
--! include functions/health/quiet_period.sql
--! include functions/health/raise_health_alert.sql
--! include functions/health/settle_health_alerts.sql
--! include functions/health/guard_review.sql
--! include functions/health/follow_review.sql
--! include functions/health/follow_ignoring.sql
--! include functions/health/claim_review_item.sql
--! include functions/health/release_review_item.sql
--! include functions/health/resolve_review_item.sql
--! include functions/health/dismiss_review_item.sql
--! include functions/health/guard_health_alert.sql
--! include functions/health/follow_health_alert.sql
--! include functions/health/acknowledge_health_alert.sql
--! include functions/health/resolve_health_alert.sql
--! include functions/health/update_health_settings.sql
--! include functions/health/tell_admins.sql
--! include functions/health/tell_of_health_alerts.sql
--! include functions/health/claim_health_messages.sql
--! include functions/health/settle_health_message.sql
--! include functions/health/health_news.sql
--! include functions/health/health_digest.sql
--! include functions/health/send_health_digest.sql
--! include functions/health/audit_id_at.sql
--! include functions/health/verifications.sql
--! include functions/health/percentile_of_buckets.sql
--! include functions/health/measure_health.sql
--! include functions/health/key_figures.sql
--! include functions/health/health_report_text.sql
--! include functions/health/make_health_report.sql
--! include functions/health/make_health_reports.sql
--! include functions/health/health_report_of_day.sql
--! include policies/hospital.sql
--! include policies/review_item.sql
--! include policies/health_alert.sql
--! include policies/health_report.sql
--! include policies/health_alert_delivery.sql
--! include checks/key_figures.sql
--! include checks/daily_report.sql

reset role;
