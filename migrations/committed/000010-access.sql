--! Previous: sha1:982dab2b97360388ace20d5a810132323ce74755
--! Hash: sha1:41801fdadd3ea49057a00945f59e74481c0d9229
--! Message: access

--! split: 10-access.sql
-- Who may read and write what: row-level security, enabled and forced on every table.

set local role app_owner;

--! Included policies/account.sql
-- Everybody sees their own account; admins see those of their hospital. Accounts are made and
-- changed by the login functions.
alter table app_public.account enable row level security;
alter table app_public.account force row level security;

grant select on app_public.account to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists everybody_reads_their_own on app_public.account;
create policy everybody_reads_their_own on app_public.account for select to app_patient, app_doctor, app_nurse, app_receptionist
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_account_id());

drop policy if exists admins_read_their_hospital on app_public.account;
create policy admins_read_their_hospital on app_public.account for select to app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.account;
create policy worker_reads_all on app_public.account for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.account;
create policy owner_maintains on app_public.account for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/account.sql
--! Included policies/appointment.sql
-- Patients see and change their own appointments; staff see those of their hospital; doctors
-- change their own, the others of the staff all. What a change may be, the triggers decide. Only the
-- columns that a function passes on are granted: no client sets a time, a doctor or a canceller.
alter table app_public.appointment enable row level security;
alter table app_public.appointment force row level security;

grant select on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, slot_id, patient_id, service_id, reason, status, idempotency_key, request_fingerprint) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant update (status, slot_id, cancellation_reason) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of delete to anybody: an appointment ends, it does not vanish.

drop policy if exists patients_read_their_own on app_public.appointment;
create policy patients_read_their_own on app_public.appointment for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_book_for_themselves on app_public.appointment;
create policy patients_book_for_themselves on app_public.appointment for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_change_their_own on app_public.appointment;
create policy patients_change_their_own on app_public.appointment for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment;
create policy staff_read_their_hospital on app_public.appointment for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_book_with_themselves on app_public.appointment;
create policy doctors_book_with_themselves on app_public.appointment for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_change_their_own on app_public.appointment;
create policy doctors_change_their_own on app_public.appointment for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_book on app_public.appointment;
create policy nurses_receptionists_and_admins_book on app_public.appointment for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists nurses_receptionists_and_admins_change on app_public.appointment;
create policy nurses_receptionists_and_admins_change on app_public.appointment for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment;
create policy worker_reads_all on app_public.appointment for select to app_worker
  using (true);

drop policy if exists worker_books on app_public.appointment;
create policy worker_books on app_public.appointment for insert to app_worker
  with check (true);

drop policy if exists worker_changes on app_public.appointment;
create policy worker_changes on app_public.appointment for update to app_worker
  using (true)
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment;
create policy owner_maintains on app_public.appointment for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/appointment.sql
--! Included policies/appointment_move.sql
-- Who may see an appointment may see its moves; who moved it leaves the row.
alter table app_public.appointment_move enable row level security;
alter table app_public.appointment_move force row level security;

grant select on app_public.appointment_move to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, reason, moved_by, moved_at, idempotency_key, request_fingerprint) on app_public.appointment_move to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists patients_read_their_own on app_public.appointment_move;
create policy patients_read_their_own on app_public.appointment_move for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_record_their_own on app_public.appointment_move;
create policy patients_record_their_own on app_public.appointment_move for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id() and moved_by = app_private.claim_account_id());

drop policy if exists staff_read_their_hospital on app_public.appointment_move;
create policy staff_read_their_hospital on app_public.appointment_move for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists staff_record_in_their_hospital on app_public.appointment_move;
create policy staff_record_in_their_hospital on app_public.appointment_move for insert to app_doctor, app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id() and moved_by = app_private.claim_account_id());

drop policy if exists worker_reads_all on app_public.appointment_move;
create policy worker_reads_all on app_public.appointment_move for select to app_worker
  using (true);

drop policy if exists worker_records on app_public.appointment_move;
create policy worker_records on app_public.appointment_move for insert to app_worker
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_move;
create policy owner_maintains on app_public.appointment_move for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/appointment_move.sql
--! Included policies/appointment_transition.sql
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
--! EndIncluded policies/appointment_transition.sql
--! Included policies/audit_entry.sql
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
--! EndIncluded policies/audit_entry.sql
--! Included policies/doctor.sql
-- Members see the doctors of their hospital.
alter table app_public.doctor enable row level security;
alter table app_public.doctor force row level security;

grant select on app_public.doctor to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists members_read_their_hospital on app_public.doctor;
create policy members_read_their_hospital on app_public.doctor for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.doctor;
create policy worker_reads_all on app_public.doctor for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.doctor;
create policy monitor_reads_all on app_public.doctor for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.doctor;
create policy owner_maintains on app_public.doctor for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/doctor.sql
--! Included policies/doctor_day.sql
-- Members see how full a doctor's day is: counts only. They change with appointments, through triggers.
alter table app_public.doctor_day enable row level security;
alter table app_public.doctor_day force row level security;

grant select on app_public.doctor_day to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists members_read_their_hospital on app_public.doctor_day;
create policy members_read_their_hospital on app_public.doctor_day for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.doctor_day;
create policy worker_reads_all on app_public.doctor_day for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.doctor_day;
create policy monitor_reads_all on app_public.doctor_day for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.doctor_day;
create policy owner_maintains on app_public.doctor_day for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/doctor_day.sql
--! Included policies/hospital.sql
-- Members see the hospital they belong to. Nobody changes it through a request yet.
alter table app_public.hospital enable row level security;
alter table app_public.hospital force row level security;

grant select on app_public.hospital to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists members_read_their_hospital on app_public.hospital;
create policy members_read_their_hospital on app_public.hospital for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.hospital;
create policy worker_reads_all on app_public.hospital for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.hospital;
create policy monitor_reads_all on app_public.hospital for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.hospital;
create policy owner_maintains on app_public.hospital for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/hospital.sql
--! Included policies/location.sql
-- Members see the places of their hospital.
alter table app_public.location enable row level security;
alter table app_public.location force row level security;

grant select on app_public.location to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists members_read_their_hospital on app_public.location;
create policy members_read_their_hospital on app_public.location for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.location;
create policy worker_reads_all on app_public.location for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.location;
create policy monitor_reads_all on app_public.location for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.location;
create policy owner_maintains on app_public.location for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/location.sql
--! Included policies/outbox.sql
-- No client sees the outbox. The relay takes messages out with claim_outbox, and with nothing else;
-- triggers and jobs write them.
alter table app_private.outbox enable row level security;
alter table app_private.outbox force row level security;

grant select on app_private.outbox to app_worker;
grant insert (hospital_id, topic, key, payload) on app_private.outbox to app_worker, app_admin;
-- Select to app_monitor, for its length: the payload holds identifiers only.
grant select on app_private.outbox to app_monitor;

drop policy if exists worker_relays on app_private.outbox;
create policy worker_relays on app_private.outbox for select to app_worker
  using (true);

drop policy if exists worker_adds on app_private.outbox;
create policy worker_adds on app_private.outbox for insert to app_worker
  with check (true);

drop policy if exists admins_announce_in_their_hospital on app_private.outbox;
create policy admins_announce_in_their_hospital on app_private.outbox for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id() and topic = 'slots');

drop policy if exists monitor_reads_all on app_private.outbox;
create policy monitor_reads_all on app_private.outbox for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_private.outbox;
create policy owner_maintains on app_private.outbox for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/outbox.sql
--! Included policies/patient.sql
-- Patients see themselves; staff see the patients of their hospital. Reception and admins register
-- them and correct their particulars; counts and blocks are granted to nobody here.
alter table app_public.patient enable row level security;
alter table app_public.patient force row level security;

grant select on app_public.patient to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, medical_record_number, name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
grant update (name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
-- No grant to app_monitor: checks name a patient by id, never by particulars.

drop policy if exists patients_read_themselves on app_public.patient;
create policy patients_read_themselves on app_public.patient for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.patient;
create policy staff_read_their_hospital on app_public.patient for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_registers on app_public.patient;
create policy reception_registers on app_public.patient for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_corrects on app_public.patient;
create policy reception_corrects on app_public.patient for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.patient;
create policy worker_reads_all on app_public.patient for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.patient;
create policy owner_maintains on app_public.patient for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/patient.sql
--! Included policies/rate_limit.sql
-- The limiter of the login routes counts here, before anybody is known; keys are hashed. Nobody else
-- has a right, and no row-level security divides what has no owner.
grant select, insert, update, delete on app_private.rate_limit to app_login;
--! EndIncluded policies/rate_limit.sql
--! Included policies/schedule.sql
-- Members see the working hours in their hospital.
alter table app_public.schedule enable row level security;
alter table app_public.schedule force row level security;

grant select on app_public.schedule to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists members_read_their_hospital on app_public.schedule;
create policy members_read_their_hospital on app_public.schedule for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.schedule;
create policy worker_reads_all on app_public.schedule for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.schedule;
create policy monitor_reads_all on app_public.schedule for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.schedule;
create policy owner_maintains on app_public.schedule for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/schedule.sql
--! Included policies/service.sql
-- Members see the services of their hospital.
alter table app_public.service enable row level security;
alter table app_public.service force row level security;

grant select on app_public.service to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists members_read_their_hospital on app_public.service;
create policy members_read_their_hospital on app_public.service for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.service;
create policy worker_reads_all on app_public.service for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.service;
create policy monitor_reads_all on app_public.service for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.service;
create policy owner_maintains on app_public.service for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/service.sql
--! Included policies/slot.sql
-- Members see the slots of their hospital: counts, never who holds them. Admins and jobs generate
-- them; staff block and unblock them; the count of seats is granted to nobody, it changes through
-- the triggers of appointments.
alter table app_public.slot enable row level security;
alter table app_public.slot force row level security;

grant select on app_public.slot to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, doctor_id, location_id, schedule_id, during, capacity) on app_public.slot to app_worker, app_admin;
grant update (blocked_at, blocked_reason) on app_public.slot to app_doctor, app_nurse, app_receptionist, app_admin;

drop policy if exists members_read_their_hospital on app_public.slot;
create policy members_read_their_hospital on app_public.slot for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.slot;
create policy worker_reads_all on app_public.slot for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.slot;
create policy monitor_reads_all on app_public.slot for select to app_monitor
  using (true);

drop policy if exists nurses_receptionists_and_admins_block on app_public.slot;
create policy nurses_receptionists_and_admins_block on app_public.slot for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists admins_generate_in_their_hospital on app_public.slot;
create policy admins_generate_in_their_hospital on app_public.slot for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_generates on app_public.slot;
create policy worker_generates on app_public.slot for insert to app_worker
  with check (true);

drop policy if exists doctors_block_their_own on app_public.slot;
create policy doctors_block_their_own on app_public.slot for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.slot;
create policy owner_maintains on app_public.slot for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/slot.sql
--! Included policies/worker_heartbeat.sql
-- Workers note that they live, and bury each other. It says nothing of any hospital.
alter table app_private.worker_heartbeat enable row level security;
alter table app_private.worker_heartbeat force row level security;

grant select, delete on app_private.worker_heartbeat to app_worker;
grant insert (worker_id, started_at, beaten_at), update (beaten_at) on app_private.worker_heartbeat to app_worker;
-- Select to app_monitor, to see who lives.
grant select on app_private.worker_heartbeat to app_monitor;

drop policy if exists workers_live_and_die on app_private.worker_heartbeat;
create policy workers_live_and_die on app_private.worker_heartbeat for all to app_worker
  using (true)
  with check (true);

drop policy if exists monitor_reads_all on app_private.worker_heartbeat;
create policy monitor_reads_all on app_private.worker_heartbeat for select to app_monitor
  using (true);

-- Repairs run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_private.worker_heartbeat;
create policy owner_maintains on app_private.worker_heartbeat for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/worker_heartbeat.sql

reset role;
