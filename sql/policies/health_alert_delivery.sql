-- Written by the functions of alerts alone, as the owner; app_monitor may look.
alter table app_private.health_alert_delivery enable row level security;
alter table app_private.health_alert_delivery force row level security;

grant select on app_private.health_alert_delivery to app_monitor;

drop policy if exists monitor_reads_all on app_private.health_alert_delivery;
create policy monitor_reads_all on app_private.health_alert_delivery for select to app_monitor
  using (true);

drop policy if exists owner_maintains on app_private.health_alert_delivery;
create policy owner_maintains on app_private.health_alert_delivery for all to app_owner
  using (true)
  with check (true);
