-- Members see the places of their hospital; admins add and change them.
alter table app_public.location enable row level security;
alter table app_public.location force row level security;

grant select on app_public.location to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, name) on app_public.location to app_admin;
grant update (name, is_active) on app_public.location to app_admin;

drop policy if exists members_read_their_hospital on app_public.location;
create policy members_read_their_hospital on app_public.location for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.location;
create policy worker_reads_all on app_public.location for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.location;
create policy monitor_reads_all on app_public.location for select to app_monitor
  using (true);

drop policy if exists admins_add_to_their_hospital on app_public.location;
create policy admins_add_to_their_hospital on app_public.location for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_their_hospital on app_public.location;
create policy admins_change_their_hospital on app_public.location for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.location;
create policy owner_maintains on app_public.location for all to app_owner
  using (true)
  with check (true);
