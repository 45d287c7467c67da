-- Staff see when and why doctors are away; doctors enter and cancel their own absences, receptionists and
-- admins all. Nobody writes a time: it follows from the days. Only the status changes afterwards.
-- No grant to app_patient: why a doctor is away is not a patient's to know; that the slots are closed is.
-- No grant of insert or update to app_nurse.
alter table app_public.absence enable row level security;
alter table app_public.absence force row level security;

grant select on app_public.absence to app_worker, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, doctor_id, type, first_day, last_day, start_time, end_time, reason) on app_public.absence to app_doctor, app_receptionist, app_admin;
grant update (status) on app_public.absence to app_doctor, app_receptionist, app_admin;
-- No grant of delete to anybody: an absence is cancelled, it does not vanish.

drop policy if exists staff_read_their_hospital on app_public.absence;
create policy staff_read_their_hospital on app_public.absence for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.absence;
create policy worker_reads_all on app_public.absence for select to app_worker
  using (true);

drop policy if exists doctors_enter_their_own on app_public.absence;
create policy doctors_enter_their_own on app_public.absence for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_cancel_their_own on app_public.absence;
create policy doctors_cancel_their_own on app_public.absence for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists receptionists_and_admins_enter on app_public.absence;
create policy receptionists_and_admins_enter on app_public.absence for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists receptionists_and_admins_cancel on app_public.absence;
create policy receptionists_and_admins_cancel on app_public.absence for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.absence;
create policy owner_maintains on app_public.absence for all to app_owner
  using (true)
  with check (true);
