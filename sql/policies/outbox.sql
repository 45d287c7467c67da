-- No client sees the outbox. The relay reads and deletes it; triggers and jobs write it.
alter table app_public.outbox enable row level security;
alter table app_public.outbox force row level security;

grant select, delete on app_public.outbox to app_worker;
grant insert (hospital_id, topic, key, payload) on app_public.outbox to app_worker, app_admin;
-- Select to app_monitor, for its length: the payload holds identifiers only.
grant select on app_public.outbox to app_monitor;

drop policy if exists worker_relays on app_public.outbox;
create policy worker_relays on app_public.outbox for select to app_worker
  using (true);

drop policy if exists worker_removes on app_public.outbox;
create policy worker_removes on app_public.outbox for delete to app_worker
  using (true);

drop policy if exists worker_adds on app_public.outbox;
create policy worker_adds on app_public.outbox for insert to app_worker
  with check (true);

drop policy if exists admins_announce_in_their_hospital on app_public.outbox;
create policy admins_announce_in_their_hospital on app_public.outbox for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.outbox;
create policy monitor_reads_all on app_public.outbox for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.outbox;
create policy owner_maintains on app_public.outbox for all to app_owner
  using (true)
  with check (true);
