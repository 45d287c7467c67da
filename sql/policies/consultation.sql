-- Patients read their own consultations once they are completed, without the working notes, which are part
-- of an export. No member of the staff reads the table: Postgres leaves no trace of a select, so they read
-- by open_consultation and open_patient_record, which do. Doctors start consultations of their own
-- appointments; further writes go through change_consultation, because an update would have to read.
alter table app_public.consultation enable row level security;
alter table app_public.consultation force row level security;

grant select (hospital_id, id, appointment_id, patient_id, doctor_id, status, chief_complaint, diagnosis, started_at, ended_at)
  on app_public.consultation to app_patient;
grant insert (hospital_id, id, appointment_id) on app_public.consultation to app_doctor;
-- No grant of select, update or delete to staff, and none at all to app_worker and app_monitor.

drop policy if exists patients_read_their_own on app_public.consultation;
create policy patients_read_their_own on app_public.consultation for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id() and status = 'completed');

drop policy if exists doctors_start_their_own on app_public.consultation;
create policy doctors_start_their_own on app_public.consultation for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.consultation;
create policy owner_maintains on app_public.consultation for all to app_owner
  using (true)
  with check (true);
