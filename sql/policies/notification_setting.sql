-- Everybody's own, by account: nobody sees or sets what another one wishes.
alter table app_public.notification_setting enable row level security;
alter table app_public.notification_setting force row level security;

grant select on app_public.notification_setting to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, account_id, quiet_from, quiet_until, time_zone) on app_public.notification_setting to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (quiet_from, quiet_until, time_zone) on app_public.notification_setting to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists everybody_reads_their_own on app_public.notification_setting;
create policy everybody_reads_their_own on app_public.notification_setting for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists everybody_adds_their_own on app_public.notification_setting;
create policy everybody_adds_their_own on app_public.notification_setting for insert to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

drop policy if exists everybody_changes_their_own on app_public.notification_setting;
create policy everybody_changes_their_own on app_public.notification_setting for update to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id())
  with check (hospital_id = app_private.claim_hospital_id() and account_id = app_private.claim_account_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.notification_setting;
create policy owner_maintains on app_public.notification_setting for all to app_owner
  using (true)
  with check (true);
