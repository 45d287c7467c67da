-- The catalog of refusals holds nothing private: everybody reads it, nobody but a migration writes it.
alter table app_public.error_catalog enable row level security;
alter table app_public.error_catalog force row level security;

grant select on app_public.error_catalog
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists everybody_reads on app_public.error_catalog;
create policy everybody_reads on app_public.error_catalog for select
  to app_worker, app_login, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor
  using (true);

drop policy if exists owner_maintains on app_public.error_catalog;
create policy owner_maintains on app_public.error_catalog to app_owner using (true) with check (true);
