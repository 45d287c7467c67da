-- Runs of background jobs: functions, triggers, words and access.

set local role app_owner;

--! include catalog/error_catalog.sql
--! include catalog/notification_template.sql
--! include catalog/job.sql
--! include functions/foundation/keep_columns.sql
--! include functions/jobs/machinery.sql
--! include functions/jobs/tell_of_job.sql
--! include functions/jobs/note_job.sql
--! include functions/jobs/begin_job_run.sql
--! include functions/jobs/beat_job_run.sql
--! include functions/jobs/end_job_run.sql
--! include functions/jobs/count_job_run.sql
--! include functions/jobs/settle_stuck_run.sql
--! include functions/jobs/admit_job_request.sql
--! include functions/jobs/announce_job_request.sql
--! include functions/jobs/report_to_run.sql
--! include functions/jobs/request_job.sql
--! include functions/jobs/requested_job.sql
--! include functions/jobs/remove_old_job_runs.sql
--! include functions/jobs/job_health.sql
--! include functions/jobs/cron_health.sql
--! include functions/jobs/run_job.sql
--! include policies/job.sql
--! include policies/job_run.sql
--! include policies/job_state.sql
--! include policies/job_hour.sql
--! include functions/audit/record_audit.sql

create or replace view checks.job_health with (security_invoker) as
select scope.hospital_id, health.*
from (
  select app_private.machinery() as hospital_id
  union all
  select hospital.id from app_public.hospital) as scope
cross join lateral app_private.job_health(scope.hospital_id) as health;
comment on view checks.job_health is
  'How every background job does, in every hospital; of the machinery under the hospital of noughts.';
grant select on checks.job_health to app_monitor;

reset role;
