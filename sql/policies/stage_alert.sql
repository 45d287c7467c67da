-- The staff see the alerts of their hospital and take care of them, doctors those of their own patients;
-- patients see none. Nobody adds one: the sweep does, as the owner. Only the state and the note are granted:
-- that a wait ended by itself is not for a client to say.
alter table app_public.stage_alert enable row level security;
alter table app_public.stage_alert force row level security;

grant select on app_public.stage_alert to app_doctor, app_nurse, app_receptionist, app_admin;
grant update (status, note) on app_public.stage_alert to app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of insert or delete to anybody, and none to app_worker: it calls raise_stage_alerts.

drop policy if exists doctors_read_their_own on app_public.stage_alert;
create policy doctors_read_their_own on app_public.stage_alert for select to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_answer_their_own on app_public.stage_alert;
create policy doctors_answer_their_own on app_public.stage_alert for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists staff_read_their_hospital on app_public.stage_alert;
create policy staff_read_their_hospital on app_public.stage_alert for select to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_answer_in_their_hospital on app_public.stage_alert;
create policy staff_answer_in_their_hospital on app_public.stage_alert for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.stage_alert;
create policy owner_maintains on app_public.stage_alert for all to app_owner
  using (true)
  with check (true);
