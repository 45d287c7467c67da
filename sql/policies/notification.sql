-- An inbox is its reader's alone: a patient's, a doctor's, or of a member of the staff by account; an
-- admin sees no other one. Readers may say that they have read a row, and nothing else.
alter table app_public.notification enable row level security;
alter table app_public.notification force row level security;

grant select on app_public.notification to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (read_at) on app_public.notification to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of insert to anybody: triggers and flows write, as the owner; who could insert would write
-- to others. No grant of delete either, nor any to app_worker and app_monitor: the words are personal.

drop policy if exists patients_read_their_inbox on app_public.notification;
create policy patients_read_their_inbox on app_public.notification for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_mark_what_they_read on app_public.notification;
create policy patients_mark_what_they_read on app_public.notification for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_read_their_inbox on app_public.notification;
create policy doctors_read_their_inbox on app_public.notification for select to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_mark_what_they_read on app_public.notification;
create policy doctors_mark_what_they_read on app_public.notification for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists staff_read_their_inbox on app_public.notification;
create policy staff_read_their_inbox on app_public.notification for select to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists staff_mark_what_they_read on app_public.notification;
create policy staff_mark_what_they_read on app_public.notification for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id())
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.notification;
create policy owner_maintains on app_public.notification for all to app_owner
  using (true)
  with check (true);
