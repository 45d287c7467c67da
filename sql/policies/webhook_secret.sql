-- Written and read by the functions of webhooks, as the owner. No role has a right.
alter table app_private.webhook_secret enable row level security;
alter table app_private.webhook_secret force row level security;

drop policy if exists owner_maintains on app_private.webhook_secret;
create policy owner_maintains on app_private.webhook_secret for all to app_owner
  using (true)
  with check (true);
