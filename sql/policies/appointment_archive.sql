-- Who may see an appointment may see it in the archive: patients their own, staff those of their
-- hospital. Nobody writes it; the nightly job adds as the owner, who may add and read but neither change
-- nor remove, and the eraser redacts within the hospital of the request.
alter table app_public.appointment_archive enable row level security;
alter table app_public.appointment_archive force row level security;

grant select on app_public.appointment_archive to app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_eraser;
grant update (reason, notes, cancellation_reason, moves, stage_alerts) on app_public.appointment_archive to app_eraser;
revoke delete, truncate on app_public.appointment_archive from app_owner;
-- The owner keeps the privilege of update, without a policy for it and against the trigger keep_archive:
-- Postgres asks it of whoever holds a row that the archive refers to.

drop policy if exists patients_read_their_own on app_public.appointment_archive;
create policy patients_read_their_own on app_public.appointment_archive for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment_archive;
create policy staff_read_their_hospital on app_public.appointment_archive for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_reads_its_hospital on app_public.appointment_archive;
create policy eraser_reads_its_hospital on app_public.appointment_archive for select to app_eraser
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_redacts_in_its_hospital on app_public.appointment_archive;
create policy eraser_redacts_in_its_hospital on app_public.appointment_archive for update to app_eraser
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.appointment_archive;
create policy owner_reads on app_public.appointment_archive for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.appointment_archive;
create policy owner_appends on app_public.appointment_archive for insert to app_owner
  with check (true);
