-- Written and read by the functions of delivery, as the owner. No role has a right.
alter table app_private.undeliverable_address enable row level security;
alter table app_private.undeliverable_address force row level security;

drop policy if exists owner_maintains on app_private.undeliverable_address;
create policy owner_maintains on app_private.undeliverable_address for all to app_owner
  using (true)
  with check (true);
