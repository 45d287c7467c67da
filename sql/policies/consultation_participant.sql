-- Patients see which doctors took part. Staff see it in the consultation, with a trace. Doctors add others
-- to their own consultations; whose it is, the table's trigger says.
alter table app_public.consultation_participant enable row level security;
alter table app_public.consultation_participant force row level security;

grant select on app_public.consultation_participant to app_patient;
grant insert (hospital_id, consultation_id, doctor_id, role) on app_public.consultation_participant to app_doctor;
-- No grant of delete to anybody: remove_from_consultation does it, as the owner.

drop policy if exists patients_read_their_own on app_public.consultation_participant;
create policy patients_read_their_own on app_public.consultation_participant for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_add_others on app_public.consultation_participant;
create policy doctors_add_others on app_public.consultation_participant for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.consultation_participant;
create policy owner_maintains on app_public.consultation_participant for all to app_owner
  using (true)
  with check (true);
