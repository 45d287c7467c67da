-- Who may see a patient's appointments may see the series; whoever books writes it. What it says never
-- changes: nobody is granted to update or delete.
alter table app_public.appointment_series enable row level security;
alter table app_public.appointment_series force row level security;

grant select on app_public.appointment_series to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, patient_id, doctor_id, service_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing, reason, idempotency_key, request_fingerprint) on app_public.appointment_series to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists patients_read_their_own on app_public.appointment_series;
create policy patients_read_their_own on app_public.appointment_series for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_book_for_themselves on app_public.appointment_series;
create policy patients_book_for_themselves on app_public.appointment_series for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment_series;
create policy staff_read_their_hospital on app_public.appointment_series for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_book_with_themselves on app_public.appointment_series;
create policy doctors_book_with_themselves on app_public.appointment_series for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_book on app_public.appointment_series;
create policy nurses_receptionists_and_admins_book on app_public.appointment_series for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment_series;
create policy worker_reads_all on app_public.appointment_series for select to app_worker
  using (true);

drop policy if exists worker_books on app_public.appointment_series;
create policy worker_books on app_public.appointment_series for insert to app_worker
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_series;
create policy owner_maintains on app_public.appointment_series for all to app_owner
  using (true)
  with check (true);
