-- Who may see an appointment may see its moves; who moved it leaves the row.
alter table app_public.appointment_move enable row level security;
alter table app_public.appointment_move force row level security;

grant select on app_public.appointment_move to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, reason, moved_by, moved_at, idempotency_key, request_fingerprint) on app_public.appointment_move to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists patients_read_their_own on app_public.appointment_move;
create policy patients_read_their_own on app_public.appointment_move for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_record_their_own on app_public.appointment_move;
create policy patients_record_their_own on app_public.appointment_move for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id() and moved_by = app_private.claim_account_id());

drop policy if exists staff_read_their_hospital on app_public.appointment_move;
create policy staff_read_their_hospital on app_public.appointment_move for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_record_in_their_hospital on app_public.appointment_move;
create policy staff_record_in_their_hospital on app_public.appointment_move for insert to app_doctor, app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id() and moved_by = app_private.claim_account_id());

drop policy if exists worker_reads_all on app_public.appointment_move;
create policy worker_reads_all on app_public.appointment_move for select to app_worker
  using (true);

drop policy if exists worker_records on app_public.appointment_move;
create policy worker_records on app_public.appointment_move for insert to app_worker
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_move;
create policy owner_maintains on app_public.appointment_move for all to app_owner
  using (true)
  with check (true);
