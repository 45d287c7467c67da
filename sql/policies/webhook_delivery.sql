-- Admins see what their targets were told, send a test and send again what has ended.
alter table app_public.webhook_delivery enable row level security;
alter table app_public.webhook_delivery force row level security;

grant select on app_public.webhook_delivery to app_admin, app_worker, app_monitor;
-- No more than this: a test says nothing, and what is real is planned by a function.
grant insert (hospital_id, subscription_id, event) on app_public.webhook_delivery to app_admin;
grant update (status) on app_public.webhook_delivery to app_admin;

drop policy if exists admins_read_their_hospital on app_public.webhook_delivery;
create policy admins_read_their_hospital on app_public.webhook_delivery for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_send_tests on app_public.webhook_delivery;
create policy admins_send_tests on app_public.webhook_delivery for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id() and event = 'webhook.test');

drop policy if exists admins_resend_in_their_hospital on app_public.webhook_delivery;
create policy admins_resend_in_their_hospital on app_public.webhook_delivery for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.webhook_delivery;
create policy worker_reads_all on app_public.webhook_delivery for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.webhook_delivery;
create policy monitor_reads_all on app_public.webhook_delivery for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.webhook_delivery;
create policy owner_maintains on app_public.webhook_delivery for all to app_owner
  using (true)
  with check (true);
