-- What is kept, and for how long: ended appointments of past years move to an archive, and a person
-- can be erased everywhere, from the log as well.

--! include roles.sql

set local role app_owner;

grant usage on schema app_public, app_private to app_eraser;

alter table app_public.patient
  add column erased_at timestamptz,
  add column erasure_reason text
    constraint an_erasure_reason_is_at_most_2000_characters check (length(erasure_reason) <= 2000),
  add constraint an_erased_patient_is_nobody check (erased_at is null or (
    name = 'Erased patient' and medical_record_number = 'erased-' || id::text
    and phone is null and email is null and date_of_birth is null and blocked_reason is null and not is_active)),
  add constraint only_an_erased_patient_has_an_erasure_reason check (erased_at is not null or erasure_reason is null);
comment on column app_public.patient.erased_at is 'When the person was erased: particulars and free text are gone, visits stay as numbers; null while they are known.';
comment on column app_public.patient.erasure_reason is 'Why the person was erased, such as the number of the case.';

create table app_public.appointment_archive (
  hospital_id uuid not null,
  id uuid not null,
  slot_id uuid,
  doctor_id uuid not null,
  patient_id uuid not null,
  location_id uuid,
  service_id uuid,
  series_id uuid,
  occurrence_number integer,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  status app_public.appointment_status not null
    constraint only_what_has_ended_is_archived check (status in ('completed', 'cancelled', 'no_show', 'expired')),
  source app_public.appointment_source not null,
  reason text,
  notes text,
  checked_in_at timestamptz,
  vitals_recorded_at timestamptz,
  completed_at timestamptz,
  cancelled_at timestamptz,
  cancelled_by uuid,
  cancellation_reason text,
  cancellation_cause app_public.cancellation_cause,
  rescheduled_from uuid,
  created_by uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  moves jsonb not null default '[]'
    constraint archived_moves_are_a_list check (jsonb_typeof(moves) = 'array'),
  waitlist_offer jsonb,
  archived_at timestamptz not null,
  primary key (hospital_id, id),
  constraint archived_appointment_with_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint archived_appointment_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint archived_appointment_at_a_location foreign key (hospital_id, location_id) references app_public.location (hospital_id, id),
  constraint archived_appointment_for_a_service foreign key (hospital_id, service_id) references app_public.service (hospital_id, id),
  constraint archived_appointment_of_a_series foreign key (hospital_id, series_id) references app_public.appointment_series (hospital_id, id),
  constraint archived_appointment_created_by_an_account foreign key (hospital_id, created_by) references app_public.account (hospital_id, id),
  constraint archived_appointment_cancelled_by_an_account foreign key (hospital_id, cancelled_by) references app_public.account (hospital_id, id),
  constraint an_archived_visit_starts_before_it_ends check (starts_at < ends_at)
);
create index archive_of_a_patient_by_time on app_public.appointment_archive (hospital_id, patient_id, starts_at);
create index archive_of_a_doctor_by_time on app_public.appointment_archive (hospital_id, doctor_id, starts_at);
comment on table app_public.appointment_archive is
  'An appointment of a past year, as it ended: kept apart from those that still matter, with its moves, and never changed again.';
comment on column app_public.appointment_archive.slot_id is 'The slot whose seat it held; the slot itself may be gone.';
comment on column app_public.appointment_archive.occurrence_number is 'Which occurrence of its series it was, from 1.';
comment on column app_public.appointment_archive.starts_at is 'Start of the visit.';
comment on column app_public.appointment_archive.ends_at is 'End of the visit.';
comment on column app_public.appointment_archive.status is 'State in which it ended.';
comment on column app_public.appointment_archive.source is 'Through which door it came.';
comment on column app_public.appointment_archive.reason is 'Why the patient came, in their own words.';
comment on column app_public.appointment_archive.notes is 'Notes of the staff.';
comment on column app_public.appointment_archive.checked_in_at is 'When the patient was checked in.';
comment on column app_public.appointment_archive.vitals_recorded_at is 'When the vital signs were taken.';
comment on column app_public.appointment_archive.completed_at is 'When the visit was completed.';
comment on column app_public.appointment_archive.cancelled_at is 'When it was cancelled.';
comment on column app_public.appointment_archive.cancelled_by is 'Account that cancelled it; null when a job or an operator did.';
comment on column app_public.appointment_archive.cancellation_reason is 'Why it was cancelled.';
comment on column app_public.appointment_archive.cancellation_cause is 'What ended it.';
comment on column app_public.appointment_archive.rescheduled_from is 'The slot that it was moved from last; the slot itself may be gone.';
comment on column app_public.appointment_archive.created_by is 'Account that booked it; null when a job or an operator did.';
comment on column app_public.appointment_archive.created_at is 'When it was booked.';
comment on column app_public.appointment_archive.updated_at is 'When it changed last.';
comment on column app_public.appointment_archive.moves is
  'Its reschedulings, oldest first: id, doctor_id, from_slot_id, from_starts_at, to_slot_id, to_starts_at, reason, moved_by, moved_at.';
comment on column app_public.appointment_archive.waitlist_offer is
  'The offer by which its seat came from the waitlist: id, entry_id, slot_id, outcome, offered_at, decided_at; null when it did not.';
comment on column app_public.appointment_archive.archived_at is 'When it was moved here.';

--! include functions/foundation/claims.sql
--! include catalog/error_catalog.sql
--! include functions/retention/retention_boundary.sql
--! include functions/retention/record_batch.sql
--! include functions/retention/personal_fields.sql
--! include functions/retention/redacted_state.sql
--! include functions/retention/redacted_row.sql
--! include functions/retention/guard_redaction.sql
--! include functions/audit/keep_audit.sql
--! include functions/audit/record_audit.sql
--! include functions/retention/keep_archive.sql
--! include functions/retention/archive_appointments.sql
--! include functions/retention/remove_past_slots.sql
--! include functions/retention/remove_past_days.sql
--! include functions/retention/redact_history.sql
--! include functions/retention/erase_person.sql
--! include functions/retention/erase_patient.sql
--! include functions/retention/export_patient.sql
--! include policies/audit_entry.sql
--! include policies/appointment_archive.sql

reset role;
