-- Admins read the events of their hospital, everybody their own. Nobody has a right to write: functions of the
-- login do, as the owner.
alter table app_public.security_event enable row level security;
alter table app_public.security_event force row level security;

grant select on app_public.security_event to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists everybody_reads_their_own on app_public.security_event;
create policy everybody_reads_their_own on app_public.security_event for select
  to app_patient, app_doctor, app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.security_event;
create policy admins_read_their_hospital on app_public.security_event for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.security_event;
create policy owner_maintains on app_public.security_event for all to app_owner
  using (true)
  with check (true);
