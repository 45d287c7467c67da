-- Admins see what the runs of their hospital returned; the engine alone writes it.
alter table app_public.check_result enable row level security;
alter table app_public.check_result force row level security;

grant select on app_public.check_result to app_admin, app_monitor;
-- No grant of insert, update or delete to anybody: what was found was found.

drop policy if exists admins_read_their_hospital on app_public.check_result;
create policy admins_read_their_hospital on app_public.check_result for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists monitor_reads_all on app_public.check_result;
create policy monitor_reads_all on app_public.check_result for select to app_monitor
  using (true);

-- The functions of health run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.check_result;
create policy owner_maintains on app_public.check_result for all to app_owner
  using (true)
  with check (true);
