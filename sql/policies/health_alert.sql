-- Admins see the alerts of their hospital, acknowledge and close them. Nobody adds one: checks do, as the
-- owner. Only what people say of it is granted: that a problem is gone by itself is not for a client to say.
-- Alerts of the whole system stand under no hospital; admins are told of them, and operators close them.
alter table app_public.health_alert enable row level security;
alter table app_public.health_alert force row level security;

grant select on app_public.health_alert to app_admin, app_monitor;
grant update (status, note) on app_public.health_alert to app_admin;
-- No grant of insert or delete to anybody, and none to app_worker: it runs checks.

drop policy if exists admins_read_their_hospital on app_public.health_alert;
create policy admins_read_their_hospital on app_public.health_alert for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_answer_in_their_hospital on app_public.health_alert;
create policy admins_answer_in_their_hospital on app_public.health_alert for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.health_alert;
create policy monitor_reads_all on app_public.health_alert for select to app_monitor
  using (true);

-- Checks and triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.health_alert;
create policy owner_maintains on app_public.health_alert for all to app_owner
  using (true)
  with check (true);
