-- Admins see what waits for them in their hospital, claim it and decide. Nobody adds one: checks do, as
-- the owner. Only what people say of it is granted: that a problem is gone by itself is not for a client to
-- say. Reviews of the whole system stand under no hospital and are for operators.
alter table app_public.review_item enable row level security;
alter table app_public.review_item force row level security;

grant select on app_public.review_item to app_admin, app_monitor;
grant update (status, claimed_by, note) on app_public.review_item to app_admin;
-- No grant of insert or delete to anybody, and none to app_worker: it runs checks.

drop policy if exists admins_read_their_hospital on app_public.review_item;
create policy admins_read_their_hospital on app_public.review_item for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_decide_in_their_hospital on app_public.review_item;
create policy admins_decide_in_their_hospital on app_public.review_item for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.review_item;
create policy monitor_reads_all on app_public.review_item for select to app_monitor
  using (true);

-- Checks and triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.review_item;
create policy owner_maintains on app_public.review_item for all to app_owner
  using (true)
  with check (true);
