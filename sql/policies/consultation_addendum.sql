-- Patients read what was added to their consultations; doctors add, where they took part, and read it with
-- the consultation.
alter table app_public.consultation_addendum enable row level security;
alter table app_public.consultation_addendum force row level security;

grant select on app_public.consultation_addendum to app_patient;
grant insert (hospital_id, consultation_id, text) on app_public.consultation_addendum to app_doctor;
-- No grant of update or delete to anybody: what was added stays.

drop policy if exists patients_read_their_own on app_public.consultation_addendum;
create policy patients_read_their_own on app_public.consultation_addendum for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_add_to_theirs on app_public.consultation_addendum;
create policy doctors_add_to_theirs on app_public.consultation_addendum for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.consultation_addendum;
create policy owner_maintains on app_public.consultation_addendum for all to app_owner
  using (true)
  with check (true);
