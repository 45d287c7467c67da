-- Staff see and add seats, doctors in their own slots; patients see the slot's capacity and not why. The
-- trigger says who and when. Nobody is granted to update or delete: a seat once added stays.
alter table app_public.added_seat enable row level security;
alter table app_public.added_seat force row level security;

grant select on app_public.added_seat to app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, slot_id, reason) on app_public.added_seat to app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists staff_read_their_hospital on app_public.added_seat;
create policy staff_read_their_hospital on app_public.added_seat for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_add_to_their_own on app_public.added_seat;
create policy doctors_add_to_their_own on app_public.added_seat for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_add on app_public.added_seat;
create policy nurses_receptionists_and_admins_add on app_public.added_seat for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.added_seat;
create policy owner_maintains on app_public.added_seat for all to app_owner
  using (true)
  with check (true);
