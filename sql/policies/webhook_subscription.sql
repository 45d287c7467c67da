-- Admins decide who is told; what the sending finds out of a target is written by its functions.
alter table app_public.webhook_subscription enable row level security;
alter table app_public.webhook_subscription force row level security;

grant select on app_public.webhook_subscription to app_admin, app_worker, app_monitor;
grant insert (hospital_id, name, url, events) on app_public.webhook_subscription to app_admin;
grant update (name, url, events, status) on app_public.webhook_subscription to app_admin;
grant delete on app_public.webhook_subscription to app_admin;

drop policy if exists admins_read_their_hospital on app_public.webhook_subscription;
create policy admins_read_their_hospital on app_public.webhook_subscription for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_add_in_their_hospital on app_public.webhook_subscription;
create policy admins_add_in_their_hospital on app_public.webhook_subscription for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_in_their_hospital on app_public.webhook_subscription;
create policy admins_change_in_their_hospital on app_public.webhook_subscription for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_remove_in_their_hospital on app_public.webhook_subscription;
create policy admins_remove_in_their_hospital on app_public.webhook_subscription for delete to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.webhook_subscription;
create policy worker_reads_all on app_public.webhook_subscription for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.webhook_subscription;
create policy monitor_reads_all on app_public.webhook_subscription for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.webhook_subscription;
create policy owner_maintains on app_public.webhook_subscription for all to app_owner
  using (true)
  with check (true);
