-- Admins import, and see what was imported into their hospital. Who did it and when is granted to
-- nobody: the columns take it from the claims and the clock.
alter table app_public.import_run enable row level security;
alter table app_public.import_run force row level security;

grant select on app_public.import_run to app_admin, app_monitor;
grant insert (hospital_id, id, kind, file_name, row_count, fingerprint) on app_public.import_run to app_admin;
-- No grant of update or delete to anybody: what was imported stays imported.

drop policy if exists admins_read_their_hospital on app_public.import_run;
create policy admins_read_their_hospital on app_public.import_run for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_import_into_their_hospital on app_public.import_run;
create policy admins_import_into_their_hospital on app_public.import_run for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.import_run;
create policy monitor_reads_all on app_public.import_run for select to app_monitor
  using (true);

-- Operators import as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.import_run;
create policy owner_maintains on app_public.import_run for all to app_owner
  using (true)
  with check (true);
