-- Invitations are the admins'. What became of one is written by triggers: an admin may only revoke it or send it
-- again, and see nothing of its link.
alter table app_public.invitation enable row level security;
alter table app_public.invitation force row level security;

grant select on app_public.invitation to app_admin;
grant insert (hospital_id, email, display_name, role, doctor_id) on app_public.invitation to app_admin;
grant update (status, sent_at) on app_public.invitation to app_admin;

drop policy if exists admins_read_their_hospital on app_public.invitation;
create policy admins_read_their_hospital on app_public.invitation for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_invite_into_their_hospital on app_public.invitation;
create policy admins_invite_into_their_hospital on app_public.invitation for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_change_their_hospital on app_public.invitation;
create policy admins_change_their_hospital on app_public.invitation for update to app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.invitation;
create policy owner_maintains on app_public.invitation for all to app_owner
  using (true)
  with check (true);
