-- Admins see the runs of their hospital and ask for one. The worker looks for those that are stuck;
-- what it notes of its runs goes through the functions of jobs, as the owner.
alter table app_public.job_run enable row level security;
alter table app_public.job_run force row level security;

grant select on app_public.job_run to app_worker, app_admin, app_monitor;
grant insert (hospital_id, job, started_by, outcome) on app_public.job_run to app_admin;
-- No grant of update or delete to anybody: what ran has run.

drop policy if exists admins_read_their_hospital on app_public.job_run;
create policy admins_read_their_hospital on app_public.job_run for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_ask_for_runs_in_their_hospital on app_public.job_run;
create policy admins_ask_for_runs_in_their_hospital on app_public.job_run for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id() and started_by = 'manual' and outcome = 'waiting');

drop policy if exists worker_reads_all on app_public.job_run;
create policy worker_reads_all on app_public.job_run for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.job_run;
create policy monitor_reads_all on app_public.job_run for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.job_run;
create policy owner_maintains on app_public.job_run for all to app_owner
  using (true)
  with check (true);
