-- The staff see who was reminded of what; patients have the message itself in their inbox.
alter table app_public.appointment_reminder enable row level security;
alter table app_public.appointment_reminder force row level security;

grant select on app_public.appointment_reminder to app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of writing to anybody: send_reminders does, as the owner.

drop policy if exists staff_read_their_hospital on app_public.appointment_reminder;
create policy staff_read_their_hospital on app_public.appointment_reminder for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_reminder;
create policy owner_maintains on app_public.appointment_reminder for all to app_owner
  using (true)
  with check (true);
