-- Functions and rights: History that proves itself: seals of the audit log, an appointment as it was, and the checks of what the
-- log tells.
set local role app_owner;

--! include policies/audit_seal.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/keep_seals.sql
--! include functions/audit/audit_entry_text.sql
--! include functions/audit/audit_entry_digest.sql
--! include functions/audit/entries_hash.sql
--! include functions/audit/seal_hash.sql
--! include functions/audit/write_seal.sql
--! include functions/audit/lock_seals.sql
--! include functions/audit/seal_audit.sql
--! include functions/audit/hospitals_to_seal.sql
--! include functions/audit/newest_seal.sql
--! include functions/audit/altered_entries.sql
--! include functions/audit/seal_redaction.sql
--! include functions/retention/redact_history.sql
--! include functions/audit/keep_audit.sql
--! include functions/audit/audit_problems.sql
--! include functions/audit/check_audit.sql
--! include functions/audit/verify_audit.sql
--! include functions/booking/read_past_appointment.sql
--! include functions/booking/appointment_as_of.sql
--! include catalog/error_catalog.sql
--! include catalog/job.sql
--! include checks/history/illegal_transition_in_audit.sql
--! include checks/history/reschedule_kept_old_seat.sql
--! include checks/history/half_applied_import.sql
--! include checks/history/audit_gap.sql
--! include checks/history/broken_audit_seal.sql
--! include checks/system/unsealed_audit.sql
--! include checks/all_findings.sql

reset role;
