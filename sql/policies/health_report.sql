-- Admins read the reports of their hospital, and DBAs all. A job writes them, as the owner.
alter table app_public.health_report enable row level security;
alter table app_public.health_report force row level security;

grant select on app_public.health_report to app_admin, app_monitor;
-- No other grant to anybody, and none to app_worker: it calls make_health_reports.

drop policy if exists admins_read_their_hospital on app_public.health_report;
create policy admins_read_their_hospital on app_public.health_report for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.health_report;
create policy monitor_reads_all on app_public.health_report for select to app_monitor
  using (true);

-- The job runs as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.health_report;
create policy owner_maintains on app_public.health_report for all to app_owner
  using (true)
  with check (true);
