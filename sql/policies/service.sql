-- Members see the services of their hospital.
alter table app_public.service enable row level security;
alter table app_public.service force row level security;

grant select on app_public.service to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists members_read_their_hospital on app_public.service;
create policy members_read_their_hospital on app_public.service for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.service;
create policy worker_reads_all on app_public.service for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.service;
create policy monitor_reads_all on app_public.service for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.service;
create policy owner_maintains on app_public.service for all to app_owner
  using (true)
  with check (true);
