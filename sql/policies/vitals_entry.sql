-- Patients read their own. Nurses and doctors record, and like all staff read with the record of the
-- patient only, which leaves a trace: no grant of select to them.
alter table app_public.vitals_entry enable row level security;
alter table app_public.vitals_entry force row level security;

grant select on app_public.vitals_entry to app_patient;
grant insert (hospital_id, appointment_id, systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation, temperature, weight, height, note, corrects) on app_public.vitals_entry to app_doctor, app_nurse;

drop policy if exists patients_read_their_own on app_public.vitals_entry;
create policy patients_read_their_own on app_public.vitals_entry for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_record_for_their_own on app_public.vitals_entry;
create policy doctors_record_for_their_own on app_public.vitals_entry for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_record on app_public.vitals_entry;
create policy nurses_record on app_public.vitals_entry for insert to app_nurse
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.vitals_entry;
create policy owner_maintains on app_public.vitals_entry for all to app_owner
  using (true)
  with check (true);
