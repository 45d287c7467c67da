-- Functions and rights: The log: who writes it, who reads it, how long it is kept; and the checks of the machinery itself.
set local role app_owner;

drop function app_public.update_hospital_settings(
  text, integer, integer, interval, interval, interval, integer, time, time, interval, interval, integer, interval[], text[]);

--! include policies/hospital.sql
--! include policies/log_entry.sql
--! include policies/process_heartbeat.sql
--! include functions/scheduling/update_hospital_settings.sql
--! include functions/health/write_log.sql
--! include functions/health/remove_old_log.sql
--! include functions/health/beat_process.sql
--! include functions/health/open_transactions.sql
--! include functions/health/queue_state.sql
--! include functions/jobs/log_job_run.sql
--! include functions/webhooks/log_webhook.sql
--! include catalog/job.sql
--! include checks/system/clock_drift.sql
--! include checks/system/worker_absent.sql
--! include checks/system/outbox_lag.sql
--! include checks/system/queue_backlog.sql
--! include checks/system/overdue_job.sql
--! include checks/system/failing_job.sql
--! include checks/system/error_spike.sql
--! include checks/system/long_open_transaction.sql
--! include checks/all_findings.sql

reset role;
