-- Who may take one reads their own; admins read all of their hospital, end and review them. Whose it is and until
-- when is written by a trigger.
alter table app_public.emergency_access enable row level security;
alter table app_public.emergency_access force row level security;

grant select on app_public.emergency_access to app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, patient_id, reason) on app_public.emergency_access to app_doctor, app_nurse, app_admin;
grant update (revoked_at, verdict, review_note) on app_public.emergency_access to app_admin;

drop policy if exists staff_read_their_own on app_public.emergency_access;
create policy staff_read_their_own on app_public.emergency_access for select to app_doctor, app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.emergency_access;
create policy admins_read_their_hospital on app_public.emergency_access for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_break_glass on app_public.emergency_access;
create policy staff_break_glass on app_public.emergency_access for insert to app_doctor, app_nurse, app_admin
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_change_their_hospital on app_public.emergency_access;
create policy admins_change_their_hospital on app_public.emergency_access for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.emergency_access;
create policy owner_maintains on app_public.emergency_access for all to app_owner
  using (true)
  with check (true);
