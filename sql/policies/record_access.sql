-- Patients see who has opened their record; admins see all of the hospital. Nobody is granted to write it:
-- the functions that read do, as the owner, who may add and read but neither change nor remove; only the
-- eraser redacts the purpose, in the hospital of the request and only as guard_redaction lets it.
alter table app_public.record_access enable row level security;
alter table app_public.record_access force row level security;

grant select on app_public.record_access to app_patient, app_admin, app_eraser;
grant update (purpose) on app_public.record_access to app_eraser;
revoke delete, truncate on app_public.record_access from app_owner;
-- The owner keeps the privilege of update, without a policy for it and against the trigger
-- keep_record_access: Postgres asks it of whoever holds a row that the log refers to.

drop policy if exists patients_see_who_read on app_public.record_access;
create policy patients_see_who_read on app_public.record_access for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists admins_read_their_hospital on app_public.record_access;
create policy admins_read_their_hospital on app_public.record_access for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_reads_its_hospital on app_public.record_access;
create policy eraser_reads_its_hospital on app_public.record_access for select to app_eraser
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_redacts_in_its_hospital on app_public.record_access;
create policy eraser_redacts_in_its_hospital on app_public.record_access for update to app_eraser
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.record_access;
create policy owner_reads on app_public.record_access for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.record_access;
create policy owner_appends on app_public.record_access for insert to app_owner
  with check (true);
