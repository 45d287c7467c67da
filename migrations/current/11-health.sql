-- Checks run, are remembered, told and repaired.
set local role app_owner;

create type app_private.check_row as (
  hospital_id uuid,
  check_name text,
  severity app_public.check_severity,
  entity_type text,
  entity_id uuid,
  detail text,
  metadata jsonb,
  cache_key text
);
comment on type app_private.check_row is 'A row that a check returns: the columns that all of them have.';

create type app_private.check_outcome as (
  row_count integer,
  new_count integer,
  resolved_count integer,
  duration_ms numeric(12, 3),
  error text
);
comment on type app_private.check_outcome is 'What came of running one check.';

--! include functions/foundation/audited_role.sql
--! include functions/audit/record_audit.sql
--! include functions/booking/keep_counters.sql
--! include functions/health/declare_check.sql
--! include functions/health/unite_checks.sql
--! include functions/health/check_instant.sql
--! include functions/health/log_health.sql
--! include functions/health/record_repair.sql
--! include functions/health/queue_for_review.sql
--! include functions/health/raise_health_alert.sql
--! include functions/health/settle_review.sql
--! include functions/health/settle_health_alerts.sql
--! include functions/health/settle_findings.sql
--! include functions/health/tell_of_finding.sql
--! include functions/health/remember_findings.sql
--! include functions/health/resolve_findings.sql
--! include functions/health/run_check.sql
--! include functions/health/run_checks.sql
--! include functions/health/verify_entities.sql
--! include functions/health/repair_finding.sql
--! include checks/all_findings.sql
--! include checks/summary.sql

reset role;
