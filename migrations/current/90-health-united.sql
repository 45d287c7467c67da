-- All checks in one view, every foreign key in one check, and every guard in the manifest, which is empty
-- until here and takes everything. From here on every migration ends with the declaration.
set local role app_owner;

--! include checks/references/orphaned_row.sql
--! include checks/all_findings.sql
--! include checks/summary.sql

select app_private.declare_guards();

reset role;
