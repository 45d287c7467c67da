-- Admins write it while they import, and see where a record came from; it names records by id only.
alter table app_public.imported_row enable row level security;
alter table app_public.imported_row force row level security;

grant select on app_public.imported_row to app_admin, app_monitor;
grant insert (hospital_id, run_id, row_number, record_id, external_id) on app_public.imported_row to app_admin;
-- No grant of update or delete to anybody: what was imported stays imported.

drop policy if exists admins_read_their_hospital on app_public.imported_row;
create policy admins_read_their_hospital on app_public.imported_row for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_import_into_their_hospital on app_public.imported_row;
create policy admins_import_into_their_hospital on app_public.imported_row for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.imported_row;
create policy monitor_reads_all on app_public.imported_row for select to app_monitor
  using (true);

-- Operators import as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.imported_row;
create policy owner_maintains on app_public.imported_row for all to app_owner
  using (true)
  with check (true);
