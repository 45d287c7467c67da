-- The state machine is no secret: clients read it to know what to offer. Only migrations write it.
alter table app_public.appointment_transition enable row level security;
alter table app_public.appointment_transition force row level security;

grant select on app_public.appointment_transition to app_worker, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists everybody_reads on app_public.appointment_transition;
create policy everybody_reads on app_public.appointment_transition for select to app_worker, app_anonymous, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_transition;
create policy owner_maintains on app_public.appointment_transition for all to app_owner
  using (true)
  with check (true);
