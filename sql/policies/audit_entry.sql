-- Admins read the log of their hospital. Nobody is granted to write it: triggers do, as the owner,
-- who may add and read but neither change nor remove.
alter table app_public.audit_entry enable row level security;
alter table app_public.audit_entry force row level security;

grant select on app_public.audit_entry to app_admin;
revoke update, delete, truncate on app_public.audit_entry from app_owner;

drop policy if exists admins_read_their_hospital on app_public.audit_entry;
create policy admins_read_their_hospital on app_public.audit_entry for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.audit_entry;
create policy owner_reads on app_public.audit_entry for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.audit_entry;
create policy owner_appends on app_public.audit_entry for insert to app_owner
  with check (true);
