-- Admins read the log of their hospital; what concerns the whole system is for operators. Nobody has a
-- right to write: write_log, log_health and the triggers of jobs and webhooks do, as the owner.
alter table app_public.log_entry enable row level security;
alter table app_public.log_entry force row level security;

grant select on app_public.log_entry to app_admin;
-- Select to app_monitor: the log holds no data of patients.
grant select on app_public.log_entry to app_monitor;

drop policy if exists admins_read_their_hospital on app_public.log_entry;
create policy admins_read_their_hospital on app_public.log_entry for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.log_entry;
create policy monitor_reads_all on app_public.log_entry for select to app_monitor
  using (true);

-- Functions write and remove as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.log_entry;
create policy owner_maintains on app_public.log_entry for all to app_owner
  using (true)
  with check (true);
