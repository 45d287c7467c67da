-- Admins read the log of their hospital. Nobody is granted to write it: triggers do, as the owner,
-- who may add and read but neither change nor remove. Only the eraser changes it, in the hospital of the
-- request, and only as guard_redaction lets it.
alter table app_public.audit_entry enable row level security;
alter table app_public.audit_entry force row level security;

grant select on app_public.audit_entry to app_admin, app_eraser;
grant update (old_state, new_state, changed_columns) on app_public.audit_entry to app_eraser;
revoke update, delete, truncate on app_public.audit_entry from app_owner;

drop policy if exists admins_read_their_hospital on app_public.audit_entry;
create policy admins_read_their_hospital on app_public.audit_entry for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_reads_its_hospital on app_public.audit_entry;
create policy eraser_reads_its_hospital on app_public.audit_entry for select to app_eraser
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists eraser_redacts_in_its_hospital on app_public.audit_entry;
create policy eraser_redacts_in_its_hospital on app_public.audit_entry for update to app_eraser
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- No policy for update or delete, not even for the owner.
drop policy if exists owner_reads on app_public.audit_entry;
create policy owner_reads on app_public.audit_entry for select to app_owner
  using (true);

drop policy if exists owner_appends on app_public.audit_entry;
create policy owner_appends on app_public.audit_entry for insert to app_owner
  with check (true);
