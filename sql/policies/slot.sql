-- Members see the slots of their hospital: counts, never who holds them. Admins and jobs generate
-- them; staff block and unblock them; the count of seats is granted to nobody, it changes through
-- the triggers of appointments.
alter table app_public.slot enable row level security;
alter table app_public.slot force row level security;

grant select on app_public.slot to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, doctor_id, location_id, schedule_id, during, capacity, absence_id) on app_public.slot to app_worker, app_admin;
grant update (blocked_at, blocked_reason) on app_public.slot to app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists members_read_their_hospital on app_public.slot;
create policy members_read_their_hospital on app_public.slot for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.slot;
create policy worker_reads_all on app_public.slot for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.slot;
create policy monitor_reads_all on app_public.slot for select to app_monitor
  using (true);

drop policy if exists nurses_receptionists_and_admins_block on app_public.slot;
create policy nurses_receptionists_and_admins_block on app_public.slot for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_generate_in_their_hospital on app_public.slot;
create policy admins_generate_in_their_hospital on app_public.slot for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_generates on app_public.slot;
create policy worker_generates on app_public.slot for insert to app_worker
  with check (true);

drop policy if exists doctors_block_their_own on app_public.slot;
create policy doctors_block_their_own on app_public.slot for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.slot;
create policy owner_maintains on app_public.slot for all to app_owner
  using (true)
  with check (true);
