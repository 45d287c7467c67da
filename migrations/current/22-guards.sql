-- Functions and rights: The system checks that what protects it is still switched on: a manifest of guards that the migrations
-- write themselves, and the checks of references.
set local role app_owner;

--! include functions/health/was_written_now.sql
--! include functions/health/guards_in_force.sql
--! include functions/health/flatten_condition.sql
--! include functions/health/guard_source.sql
--! include functions/health/guard_restoration.sql
--! include functions/health/rebuild_orphaned_row.sql
--! include functions/health/declare_guards.sql
--! include functions/health/retire_guard.sql
--! include checks/references/missing_guard.sql
--! include checks/references/undeclared_access.sql
--! include checks/references/unenforced_foreign_key.sql

reset role;
