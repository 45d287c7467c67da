-- Written by the verification alone, as the owner; app_monitor may look.
alter table app_private.verification_hour enable row level security;
alter table app_private.verification_hour force row level security;

grant select on app_private.verification_hour to app_monitor;

drop policy if exists monitor_reads_all on app_private.verification_hour;
create policy monitor_reads_all on app_private.verification_hour for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.verification_hour;
create policy owner_maintains on app_private.verification_hour for all to app_owner
  using (true)
  with check (true);
