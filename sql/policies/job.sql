-- The catalog of jobs holds nothing private; only migrations write it.
alter table app_public.job enable row level security;
alter table app_public.job force row level security;

grant select on app_public.job to app_worker, app_admin, app_monitor;

drop policy if exists staff_of_the_house_read on app_public.job;
create policy staff_of_the_house_read on app_public.job for select to app_worker, app_admin, app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.job;
create policy owner_maintains on app_public.job to app_owner using (true) with check (true);
