-- Written by beat_process alone, as the owner; app_monitor may look. It says nothing of any hospital.
alter table app_private.process_heartbeat enable row level security;
alter table app_private.process_heartbeat force row level security;

grant select on app_private.process_heartbeat to app_monitor;

drop policy if exists monitor_reads_all on app_private.process_heartbeat;
create policy monitor_reads_all on app_private.process_heartbeat for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.process_heartbeat;
create policy owner_maintains on app_private.process_heartbeat for all to app_owner
  using (true)
  with check (true);
