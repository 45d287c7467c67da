-- Patients see what was offered to them, staff what was offered in their hospital. Offers are written by
-- offer_free_seats and decided by what becomes of their appointments: no role has a right to write them.
alter table app_public.waitlist_offer enable row level security;
alter table app_public.waitlist_offer force row level security;

grant select on app_public.waitlist_offer to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists patients_read_their_own on app_public.waitlist_offer;
create policy patients_read_their_own on app_public.waitlist_offer for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.waitlist_offer;
create policy staff_read_their_hospital on app_public.waitlist_offer for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.waitlist_offer;
create policy worker_reads_all on app_public.waitlist_offer for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.waitlist_offer;
create policy owner_maintains on app_public.waitlist_offer for all to app_owner
  using (true)
  with check (true);
