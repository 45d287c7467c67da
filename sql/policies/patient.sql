-- Patients see themselves; staff see the patients of their hospital. Reception and admins register
-- them, correct their particulars and block them; counts are granted to nobody here.
alter table app_public.patient enable row level security;
alter table app_public.patient force row level security;

grant select on app_public.patient to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, medical_record_number, name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
grant update (name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
grant update (is_active, status, blocked_reason) on app_public.patient to app_receptionist, app_admin;
-- No grant to app_monitor: checks name a patient by id, never by particulars.

drop policy if exists patients_read_themselves on app_public.patient;
create policy patients_read_themselves on app_public.patient for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.patient;
create policy staff_read_their_hospital on app_public.patient for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_registers on app_public.patient;
create policy reception_registers on app_public.patient for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_corrects on app_public.patient;
create policy reception_corrects on app_public.patient for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.patient;
create policy worker_reads_all on app_public.patient for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.patient;
create policy owner_maintains on app_public.patient for all to app_owner
  using (true)
  with check (true);
