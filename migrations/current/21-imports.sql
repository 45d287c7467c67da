-- Bulk import: all rows of a file or none, with every fault of every row told at once.

set local role app_owner;

--! include catalog/error_catalog.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include policies/import_run.sql
--! include policies/imported_row.sql
--! include policies/import_row.sql
--! include policies/appointment.sql
--! include functions/booking/admit_appointment.sql
--! include functions/imports/read_day.sql
--! include functions/imports/read_minute.sql
--! include functions/imports/read_number.sql
--! include functions/imports/read_weekday.sql
--! include functions/imports/local_instants.sql
--! include functions/imports/read_start.sql
--! include functions/imports/start_import.sql
--! include functions/imports/stage_rows.sql
--! include functions/imports/import_fault.sql
--! include functions/imports/judge_doctors.sql
--! include functions/imports/judge_patients.sql
--! include functions/imports/judge_schedules.sql
--! include functions/imports/lock_imported_seats.sql
--! include functions/imports/judge_appointments.sql
--! include functions/imports/judge_import.sql
--! include functions/imports/store_doctors.sql
--! include functions/imports/store_patients.sql
--! include functions/imports/store_schedules.sql
--! include functions/imports/booking_faults.sql
--! include functions/imports/store_appointments.sql
--! include functions/imports/store_rows.sql
--! include functions/imports/report_import.sql
--! include functions/imports/clear_rows.sql
--! include functions/imports/import_rows.sql
--! include functions/imports/import_doctors.sql
--! include functions/imports/import_patients.sql
--! include functions/imports/import_schedules.sql
--! include functions/imports/import_appointments.sql

reset role;
