-- No client sees the outbox. The relay takes messages out with claim_outbox, and with nothing else;
-- triggers and jobs write them.
alter table app_private.outbox enable row level security;
alter table app_private.outbox force row level security;

grant select on app_private.outbox to app_worker;
grant insert (hospital_id, topic, key, payload) on app_private.outbox to app_worker, app_admin;
-- Select to app_monitor, for its length: the payload holds identifiers only.
grant select on app_private.outbox to app_monitor;

drop policy if exists worker_relays on app_private.outbox;
create policy worker_relays on app_private.outbox for select to app_worker
  using (true);

drop policy if exists worker_adds on app_private.outbox;
create policy worker_adds on app_private.outbox for insert to app_worker
  with check (true);

drop policy if exists admins_announce_in_their_hospital on app_private.outbox;
create policy admins_announce_in_their_hospital on app_private.outbox for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id() and topic = 'slots');

drop policy if exists monitor_reads_all on app_private.outbox;
create policy monitor_reads_all on app_private.outbox for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_private.outbox;
create policy owner_maintains on app_private.outbox for all to app_owner
  using (true)
  with check (true);
