-- Admins read the seals of their hospital. Nobody is granted to write one: the functions that seal do, as
-- the owner, who may add and read but neither change nor remove.
alter table app_public.audit_seal enable row level security;
alter table app_public.audit_seal force row level security;

grant select on app_public.audit_seal to app_admin;
revoke delete, truncate on app_public.audit_seal from app_owner;
-- The owner keeps the privilege of update, without a policy for it and against the trigger keep_seals:
-- Postgres asks it of whoever holds a row that another table refers to.

drop policy if exists admins_read_their_hospital on app_public.audit_seal;
create policy admins_read_their_hospital on app_public.audit_seal for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.audit_seal;
create policy owner_reads on app_public.audit_seal for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.audit_seal;
create policy owner_appends on app_public.audit_seal for insert to app_owner
  with check (true);
