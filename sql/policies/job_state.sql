-- Written by the functions of jobs alone, as the owner; app_monitor may look.
alter table app_private.job_state enable row level security;
alter table app_private.job_state force row level security;

grant select on app_private.job_state to app_monitor;

drop policy if exists monitor_reads_all on app_private.job_state;
create policy monitor_reads_all on app_private.job_state for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.job_state;
create policy owner_maintains on app_private.job_state for all to app_owner
  using (true)
  with check (true);
