-- Functions and rights: When checks run: at night, by the hour, and for what has just changed. How long verifications take, the
-- verification that people ask for, and how long what was found is kept.
set local role app_owner;

--! include policies/verification_hour.sql
--! include functions/health/verify_changes.sql
--! include functions/health/find_faults.sql
--! include functions/health/verify_appointment.sql
--! include functions/health/hospitals_with_findings.sql
--! include functions/health/recheck_findings.sql
--! include functions/health/findings_to_repair.sql
--! include functions/health/check_guards.sql
--! include functions/health/remove_old_health.sql
--! include catalog/job.sql
--! include checks/all_findings.sql

reset role;
