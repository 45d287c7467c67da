-- Members see the working hours in their hospital. Receptionists and admins write everybody's, doctors
-- their own: new rows, and until when a row holds; what a row says never changes.
alter table app_public.schedule enable row level security;
alter table app_public.schedule force row level security;

grant select on app_public.schedule to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end, slot_capacity, effective_from, effective_until) on app_public.schedule to app_doctor, app_receptionist, app_admin;
grant update (effective_from, effective_until, is_active) on app_public.schedule to app_doctor, app_receptionist, app_admin;
-- No grant of delete to anybody: slots refer to the schedule that they were cut from.

drop policy if exists members_read_their_hospital on app_public.schedule;
create policy members_read_their_hospital on app_public.schedule for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.schedule;
create policy worker_reads_all on app_public.schedule for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.schedule;
create policy monitor_reads_all on app_public.schedule for select to app_monitor
  using (true);

drop policy if exists receptionists_and_admins_add on app_public.schedule;
create policy receptionists_and_admins_add on app_public.schedule for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists receptionists_and_admins_change on app_public.schedule;
create policy receptionists_and_admins_change on app_public.schedule for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_add_their_own on app_public.schedule;
create policy doctors_add_their_own on app_public.schedule for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_change_their_own on app_public.schedule;
create policy doctors_change_their_own on app_public.schedule for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.schedule;
create policy owner_maintains on app_public.schedule for all to app_owner
  using (true)
  with check (true);
