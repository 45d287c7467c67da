-- Staff see who did not come, patients that they themselves did not, without what was said of it.
-- Nobody is granted to write: triggers do.
alter table app_public.no_show_log enable row level security;
alter table app_public.no_show_log force row level security;

grant select on app_public.no_show_log to app_doctor, app_nurse, app_receptionist, app_admin;
grant select (hospital_id, id, appointment_id, patient_id, doctor_id, reason, slot_starts_at, marked_at, undone_at) on app_public.no_show_log to app_patient;

drop policy if exists patients_read_their_own on app_public.no_show_log;
create policy patients_read_their_own on app_public.no_show_log for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.no_show_log;
create policy staff_read_their_hospital on app_public.no_show_log for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.no_show_log;
create policy owner_maintains on app_public.no_show_log for all to app_owner
  using (true)
  with check (true);
