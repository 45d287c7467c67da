-- The rows of an import while it runs, for the transaction that imports; no row is ever committed.
alter table app_private.import_row enable row level security;
alter table app_private.import_row force row level security;

grant select, insert, delete on app_private.import_row to app_admin;
grant update (found, faults) on app_private.import_row to app_admin;

drop policy if exists admins_read_their_hospital on app_private.import_row;
create policy admins_read_their_hospital on app_private.import_row for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_import_into_their_hospital on app_private.import_row;
create policy admins_import_into_their_hospital on app_private.import_row for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_judge_in_their_hospital on app_private.import_row;
create policy admins_judge_in_their_hospital on app_private.import_row for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_clear_in_their_hospital on app_private.import_row;
create policy admins_clear_in_their_hospital on app_private.import_row for delete to app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Operators import as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_private.import_row;
create policy owner_maintains on app_private.import_row for all to app_owner
  using (true)
  with check (true);
