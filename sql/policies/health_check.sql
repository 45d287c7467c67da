-- The catalog of checks holds nothing of a hospital; only migrations write it.
alter table app_public.health_check enable row level security;
alter table app_public.health_check force row level security;

grant select on app_public.health_check to app_admin, app_monitor;

drop policy if exists admins_and_monitor_read on app_public.health_check;
create policy admins_and_monitor_read on app_public.health_check for select to app_admin, app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.health_check;
create policy owner_maintains on app_public.health_check for all to app_owner
  using (true)
  with check (true);
