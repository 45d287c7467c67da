-- Everybody sees their own account; admins see those of their hospital, and change what those may do, as far as
-- a trigger lets them (identity/guard_account). Accounts are made by the login functions.
alter table app_public.account enable row level security;
alter table app_public.account force row level security;

grant select on app_public.account to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (role, doctor_id, is_active) on app_public.account to app_admin;

drop policy if exists everybody_reads_their_own on app_public.account;
create policy everybody_reads_their_own on app_public.account for select to app_patient, app_doctor, app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.account;
create policy admins_read_their_hospital on app_public.account for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_their_hospital on app_public.account;
create policy admins_change_their_hospital on app_public.account for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.account;
create policy worker_reads_all on app_public.account for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.account;
create policy owner_maintains on app_public.account for all to app_owner
  using (true)
  with check (true);
