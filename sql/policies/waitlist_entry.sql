-- Patients see and end their own waits; staff see and enter all of their hospital. The state is granted
-- for leaving (and to jobs for what has passed): the table lets it be nothing that its offers and its days
-- do not say.
alter table app_public.waitlist_entry enable row level security;
alter table app_public.waitlist_entry force row level security;

grant select on app_public.waitlist_entry to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, patient_id, doctor_id, specialty, service_id, location_id, first_day, last_day, earliest_time, latest_time, reason) on app_public.waitlist_entry to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (status) on app_public.waitlist_entry to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of delete to anybody: a wait ends, it does not vanish.

drop policy if exists patients_read_their_own on app_public.waitlist_entry;
create policy patients_read_their_own on app_public.waitlist_entry for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_join_for_themselves on app_public.waitlist_entry;
create policy patients_join_for_themselves on app_public.waitlist_entry for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_leave_their_own on app_public.waitlist_entry;
create policy patients_leave_their_own on app_public.waitlist_entry for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.waitlist_entry;
create policy staff_read_their_hospital on app_public.waitlist_entry for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_enter_patients on app_public.waitlist_entry;
create policy staff_enter_patients on app_public.waitlist_entry for insert to app_doctor, app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_end_waits on app_public.waitlist_entry;
create policy staff_end_waits on app_public.waitlist_entry for update to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.waitlist_entry;
create policy worker_reads_all on app_public.waitlist_entry for select to app_worker
  using (true);

drop policy if exists worker_ends_what_has_passed on app_public.waitlist_entry;
create policy worker_ends_what_has_passed on app_public.waitlist_entry for update to app_worker
  using (true)
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.waitlist_entry;
create policy owner_maintains on app_public.waitlist_entry for all to app_owner
  using (true)
  with check (true);
