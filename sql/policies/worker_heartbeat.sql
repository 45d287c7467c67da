-- Workers note that they live, and bury each other. It says nothing of any hospital.
alter table app_private.worker_heartbeat enable row level security;
alter table app_private.worker_heartbeat force row level security;

grant select, delete on app_private.worker_heartbeat to app_worker;
grant insert (worker_id, started_at, beaten_at), update (beaten_at) on app_private.worker_heartbeat to app_worker;
-- Select to app_monitor, to see who lives.
grant select on app_private.worker_heartbeat to app_monitor;

drop policy if exists workers_live_and_die on app_private.worker_heartbeat;
create policy workers_live_and_die on app_private.worker_heartbeat for all to app_worker
  using (true)
  with check (true);

drop policy if exists monitor_reads_all on app_private.worker_heartbeat;
create policy monitor_reads_all on app_private.worker_heartbeat for select to app_monitor
  using (true);

-- Repairs run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_private.worker_heartbeat;
create policy owner_maintains on app_private.worker_heartbeat for all to app_owner
  using (true)
  with check (true);
