-- Members see when their hospital is closed; receptionists and admins enter and cancel holidays.
alter table app_public.holiday enable row level security;
alter table app_public.holiday force row level security;

grant select on app_public.holiday to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, name, date, is_recurring) on app_public.holiday to app_receptionist, app_admin;
grant update (is_active) on app_public.holiday to app_receptionist, app_admin;
-- No grant of delete to anybody: a holiday is cancelled, it does not vanish.

drop policy if exists members_read_their_hospital on app_public.holiday;
create policy members_read_their_hospital on app_public.holiday for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.holiday;
create policy worker_reads_all on app_public.holiday for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.holiday;
create policy monitor_reads_all on app_public.holiday for select to app_monitor
  using (true);

drop policy if exists receptionists_and_admins_enter on app_public.holiday;
create policy receptionists_and_admins_enter on app_public.holiday for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists receptionists_and_admins_cancel on app_public.holiday;
create policy receptionists_and_admins_cancel on app_public.holiday for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.holiday;
create policy owner_maintains on app_public.holiday for all to app_owner
  using (true)
  with check (true);
