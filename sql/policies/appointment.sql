-- Patients see and change their own appointments; staff see those of their hospital; doctors
-- change their own, the others of the staff all. What a change may be, the triggers decide. Only the
-- columns that a function passes on are granted: no client sets a time, a doctor or a canceller.
alter table app_public.appointment enable row level security;
alter table app_public.appointment force row level security;

grant select on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, slot_id, doctor_id, during, patient_id, service_id, series_id, reason, status, idempotency_key, request_fingerprint) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (source, held_until) on app_public.appointment to app_worker;
-- For imports: the table takes no other source from an admin.
grant insert (source) on app_public.appointment to app_admin;
grant update (status, slot_id, cancellation_reason) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of delete to anybody: an appointment ends, it does not vanish.

drop policy if exists patients_read_their_own on app_public.appointment;
create policy patients_read_their_own on app_public.appointment for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_book_for_themselves on app_public.appointment;
create policy patients_book_for_themselves on app_public.appointment for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_change_their_own on app_public.appointment;
create policy patients_change_their_own on app_public.appointment for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment;
create policy staff_read_their_hospital on app_public.appointment for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_book_with_themselves on app_public.appointment;
create policy doctors_book_with_themselves on app_public.appointment for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_change_their_own on app_public.appointment;
create policy doctors_change_their_own on app_public.appointment for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_book on app_public.appointment;
create policy nurses_receptionists_and_admins_book on app_public.appointment for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists nurses_receptionists_and_admins_change on app_public.appointment;
create policy nurses_receptionists_and_admins_change on app_public.appointment for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment;
create policy worker_reads_all on app_public.appointment for select to app_worker
  using (true);

drop policy if exists worker_books on app_public.appointment;
create policy worker_books on app_public.appointment for insert to app_worker
  with check (true);

drop policy if exists worker_changes on app_public.appointment;
create policy worker_changes on app_public.appointment for update to app_worker
  using (true)
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment;
create policy owner_maintains on app_public.appointment for all to app_owner
  using (true)
  with check (true);
