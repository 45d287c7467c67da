-- Everybody who can have feeds sees and ends their own; admins those of their hospital. Making one makes
-- a secret as well, which open_calendar_feed does.
alter table app_public.calendar_feed enable row level security;
alter table app_public.calendar_feed force row level security;

grant select on app_public.calendar_feed to app_patient, app_doctor, app_admin;
grant update (revoked_at) on app_public.calendar_feed to app_patient, app_doctor, app_admin;

drop policy if exists owners_read_their_own on app_public.calendar_feed;
create policy owners_read_their_own on app_public.calendar_feed for select to app_patient, app_doctor
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists owners_end_their_own on app_public.calendar_feed;
create policy owners_end_their_own on app_public.calendar_feed for update to app_patient, app_doctor
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id())
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.calendar_feed;
create policy admins_read_their_hospital on app_public.calendar_feed for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_end_those_of_their_hospital on app_public.calendar_feed;
create policy admins_end_those_of_their_hospital on app_public.calendar_feed for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.calendar_feed;
create policy owner_maintains on app_public.calendar_feed for all to app_owner
  using (true)
  with check (true);
