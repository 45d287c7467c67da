-- Written by the functions of jobs alone, as the owner; app_monitor may look.
alter table app_private.job_hour enable row level security;
alter table app_private.job_hour force row level security;

grant select on app_private.job_hour to app_monitor;

drop policy if exists monitor_reads_all on app_private.job_hour;
create policy monitor_reads_all on app_private.job_hour for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.job_hour;
create policy owner_maintains on app_private.job_hour for all to app_owner
  using (true)
  with check (true);
