-- Functions and rights: The day of the visit: arriving, vital signs, who did not come, and what that means for them.
set local role app_owner;

--! include catalog/appointment_transition.sql
--! include catalog/error_catalog.sql
--! include catalog/notification_template.sql
--! include functions/foundation/keep_columns.sql
--! include functions/visits/guard_visit_day.sql
--! include functions/visits/guard_undo.sql
--! include functions/visits/no_show_reason.sql
--! include functions/visits/no_show_due_at.sql
--! include functions/visits/guard_no_show.sql
--! include functions/visits/return_to_seat.sql
--! include functions/booking/change_appointment_status.sql
--! include functions/booking/appointment_event_kind.sql
--! include functions/visits/record_no_show.sql
--! include functions/visits/mark_no_show.sql
--! include functions/visits/undo_no_show.sql
--! include functions/visits/mark_no_shows.sql
--! include functions/visits/hospitals_with_no_shows.sql
--! include functions/visits/change_patient_status.sql
--! include functions/visits/block_patient.sql
--! include functions/visits/unblock_patient.sql
--! include functions/visits/keep_no_show_counts.sql
--! include functions/visits/keep_log.sql
--! include functions/visits/admit_vitals.sql
--! include functions/visits/record_vitals.sql
--! include functions/visits/no_show_statistics.sql
--! include functions/retention/erase_person.sql
--! include functions/retention/export_patient.sql
--! include policies/no_show_log.sql
--! include policies/patient_block.sql
--! include policies/vitals_entry.sql
--! include policies/patient.sql

reset role;
