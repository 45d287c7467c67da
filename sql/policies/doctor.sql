-- Members see the doctors of their hospital; admins add and change them.
alter table app_public.doctor enable row level security;
alter table app_public.doctor force row level security;

grant select on app_public.doctor to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, display_name, specialty, slot_duration, max_patients_per_day, staff_number) on app_public.doctor to app_admin;
grant update (display_name, specialty, slot_duration, max_patients_per_day, staff_number) on app_public.doctor to app_admin;
-- Who takes appointments is said by the doctor and by reception; who works here, by admins.
grant update (is_available) on app_public.doctor to app_doctor, app_receptionist, app_admin;
grant update (is_active) on app_public.doctor to app_admin;

drop policy if exists members_read_their_hospital on app_public.doctor;
create policy members_read_their_hospital on app_public.doctor for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.doctor;
create policy worker_reads_all on app_public.doctor for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.doctor;
create policy monitor_reads_all on app_public.doctor for select to app_monitor
  using (true);

drop policy if exists admins_add_to_their_hospital on app_public.doctor;
create policy admins_add_to_their_hospital on app_public.doctor for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_change_themselves on app_public.doctor;
create policy doctors_change_themselves on app_public.doctor for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_doctor_id());

drop policy if exists receptionists_and_admins_change on app_public.doctor;
create policy receptionists_and_admins_change on app_public.doctor for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.doctor;
create policy owner_maintains on app_public.doctor for all to app_owner
  using (true)
  with check (true);
