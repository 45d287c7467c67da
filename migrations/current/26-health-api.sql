-- Functions and rights: The doors to checks and findings: admins, monitors outside, people in psql.
set local role app_owner;

--! include catalog/error_catalog.sql
--! include policies/health_check.sql
--! include policies/check_run.sql
--! include policies/check_result.sql
--! include policies/finding.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include functions/scheduling/guard_input.sql
--! include functions/health/place_finding.sql
--! include functions/health/guard_check_names.sql
--! include functions/health/run_wanted_checks.sql
--! include functions/health/run_health_checks.sql
--! include functions/health/find_finding.sql
--! include functions/health/set_finding_ignored.sql
--! include functions/health/ignore_finding.sql
--! include functions/health/set_finding_noticed.sql
--! include functions/health/unignore_finding.sql
--! include functions/health/repair_finding.sql
--! include functions/health/describe_repair.sql
--! include functions/health/repair_wanted.sql
--! include functions/health/repair_own_finding.sql
--! include functions/health/repair_open_findings.sql
--! include functions/health/repair_all_safe.sql
--! include functions/health/open_findings.sql
--! include functions/health/findings_of_system.sql
--! include functions/health/system_findings.sql
--! include checks/open_findings.sql

reset role;

--! include roles.sql
