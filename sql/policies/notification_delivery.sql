-- Who is told sees what became of it, and admins see all of their hospital: whether, when and how, never
-- the words, which stand in the notification. Admins may try again what ended without success.
alter table app_public.notification_delivery enable row level security;
alter table app_public.notification_delivery force row level security;

grant select on app_public.notification_delivery to app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_worker, app_monitor;
grant update (status) on app_public.notification_delivery to app_admin;
-- No grant of insert, nor of update to app_worker: planning, claiming and settling are functions.

drop policy if exists patients_read_what_was_sent_to_them on app_public.notification_delivery;
create policy patients_read_what_was_sent_to_them on app_public.notification_delivery for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists doctors_read_what_was_sent_to_them on app_public.notification_delivery;
create policy doctors_read_what_was_sent_to_them on app_public.notification_delivery for select to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists staff_read_what_was_sent_to_them on app_public.notification_delivery;
create policy staff_read_what_was_sent_to_them on app_public.notification_delivery for select to app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.notification_delivery;
create policy admins_read_their_hospital on app_public.notification_delivery for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_retry_in_their_hospital on app_public.notification_delivery;
create policy admins_retry_in_their_hospital on app_public.notification_delivery for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.notification_delivery;
create policy worker_reads_all on app_public.notification_delivery for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.notification_delivery;
create policy monitor_reads_all on app_public.notification_delivery for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.notification_delivery;
create policy owner_maintains on app_public.notification_delivery for all to app_owner
  using (true)
  with check (true);
