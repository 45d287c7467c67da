-- Admins see what was found in their hospital. Those of the whole system stand under the hospital of
-- noughts, which no claim names: system_findings() tells of them.
alter table app_public.finding enable row level security;
alter table app_public.finding force row level security;

grant select on app_public.finding to app_admin, app_monitor;
-- No grant of insert, update or delete to anybody: ignoring and repairing go through functions that log it.

drop policy if exists admins_read_their_hospital on app_public.finding;
create policy admins_read_their_hospital on app_public.finding for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.finding;
create policy monitor_reads_all on app_public.finding for select to app_monitor
  using (true);

-- The functions of health run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.finding;
create policy owner_maintains on app_public.finding for all to app_owner
  using (true)
  with check (true);
