-- Staff see which further slots a visit takes; patients see the time of their appointment. Nobody is
-- granted to write: the triggers of appointments do, as the owner.
alter table app_public.appointment_seat enable row level security;
alter table app_public.appointment_seat force row level security;

grant select on app_public.appointment_seat to app_worker, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists staff_read_their_hospital on app_public.appointment_seat;
create policy staff_read_their_hospital on app_public.appointment_seat for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment_seat;
create policy worker_reads_all on app_public.appointment_seat for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.appointment_seat;
create policy monitor_reads_all on app_public.appointment_seat for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_seat;
create policy owner_maintains on app_public.appointment_seat for all to app_owner
  using (true)
  with check (true);
