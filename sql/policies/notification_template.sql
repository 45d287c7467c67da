-- The words of notifications are read by what writes notifications, as the owner, and changed by
-- migrations. Nobody else has a right: readers meet the words in their inbox, filled in.
alter table app_public.notification_template enable row level security;
alter table app_public.notification_template force row level security;

drop policy if exists owner_maintains on app_public.notification_template;
create policy owner_maintains on app_public.notification_template for all to app_owner
  using (true)
  with check (true);
