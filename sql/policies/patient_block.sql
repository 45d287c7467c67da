-- Staff see when and why a patient was blocked. No grant to app_patient: the reason is for the staff.
-- Nobody is granted to write: triggers do.
alter table app_public.patient_block enable row level security;
alter table app_public.patient_block force row level security;

grant select on app_public.patient_block to app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists staff_read_their_hospital on app_public.patient_block;
create policy staff_read_their_hospital on app_public.patient_block for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.patient_block;
create policy owner_maintains on app_public.patient_block for all to app_owner
  using (true)
  with check (true);
