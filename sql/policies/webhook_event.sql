-- The catalog of events holds nothing private; only migrations write it.
alter table app_public.webhook_event enable row level security;
alter table app_public.webhook_event force row level security;

grant select on app_public.webhook_event to app_admin;

drop policy if exists admins_read on app_public.webhook_event;
create policy admins_read on app_public.webhook_event for select to app_admin
  using (true);

drop policy if exists owner_maintains on app_public.webhook_event;
create policy owner_maintains on app_public.webhook_event to app_owner using (true) with check (true);
