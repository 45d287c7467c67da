--! Previous: sha1:c459d5ded831ae28be3acbb1154b839cec93919d
--! Hash: sha1:0881d631cfd2b8127da8fbeda8640e9cd15d526f
--! Message: alerts-and-consultations-tables

--! split: 1-current.sql
-- The day of the visit: who waits too long, what the doctor writes, and who has seen it.
set local role app_owner;

create type app_public.stage_alert_kind as enum ('no_vitals', 'no_doctor');
comment on type app_public.stage_alert_kind is
  'For what a patient has waited too long: no_vitals (arrived, and nobody took the vital signs), no_doctor (vital signs taken, and no consultation began).';
create type app_public.stage_alert_status as enum ('active', 'acknowledged', 'resolved');
comment on type app_public.stage_alert_status is
  'State of an alert: active, acknowledged (somebody takes care of it), resolved.';
create type app_public.stage_alert_resolution as enum ('auto', 'manual');
comment on type app_public.stage_alert_resolution is
  'How an alert ended: auto (the wait was over, or the day), manual (somebody said so).';

create table app_public.stage_alert (
  hospital_id uuid not null constraint stage_alert_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  appointment_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid not null,
  kind app_public.stage_alert_kind not null,
  waiting_since timestamptz not null,
  due_at timestamptz not null,
  raised_at timestamptz not null,
  status app_public.stage_alert_status not null default 'active',
  acknowledged_by uuid,
  acknowledged_at timestamptz,
  resolved_by uuid,
  resolved_at timestamptz,
  resolution app_public.stage_alert_resolution,
  note text constraint an_alert_note_is_at_most_2000_characters check (length(note) <= 2000),
  primary key (hospital_id, id),
  constraint alert_about_an_appointment foreign key (hospital_id, appointment_id)
    references app_public.appointment (hospital_id, id) on delete cascade,
  constraint alert_acknowledged_by_an_account foreign key (hospital_id, acknowledged_by) references app_public.account (hospital_id, id),
  constraint alert_resolved_by_an_account foreign key (hospital_id, resolved_by) references app_public.account (hospital_id, id),
  constraint a_wait_raises_one_alert_of_a_kind unique (hospital_id, appointment_id, kind, waiting_since),
  constraint an_alert_is_due_after_the_wait_began check (due_at >= waiting_since),
  constraint an_alert_is_raised_when_it_is_due check (raised_at >= due_at),
  constraint an_acknowledged_alert_has_a_time check (
    case status when 'active' then acknowledged_at is null when 'acknowledged' then acknowledged_at is not null else true end),
  constraint only_an_acknowledged_alert_has_an_acknowledger check (acknowledged_by is null or acknowledged_at is not null),
  constraint a_resolved_alert_has_a_time_and_a_manner check (
    (status = 'resolved') = (resolved_at is not null) and (status = 'resolved') = (resolution is not null)),
  constraint only_a_manual_resolution_has_a_resolver check (resolved_by is null or resolution is not distinct from 'manual')
);
create unique index one_open_alert_of_a_kind on app_public.stage_alert (hospital_id, appointment_id, kind) where status <> 'resolved';
create index stage_alert_open_by_time on app_public.stage_alert (hospital_id, due_at) where status <> 'resolved';
comment on table app_public.stage_alert is 'A patient who has arrived and has waited too long for the next stage of the visit.';
comment on column app_public.stage_alert.patient_id is 'Patient of the appointment.';
comment on column app_public.stage_alert.doctor_id is 'Doctor of the appointment.';
comment on column app_public.stage_alert.kind is 'For what the patient has waited too long.';
comment on column app_public.stage_alert.waiting_since is 'Since when the patient waits for it.';
comment on column app_public.stage_alert.due_at is 'When the wait became too long: the doctor''s slot length and the hospital''s buffer after it began.';
comment on column app_public.stage_alert.raised_at is 'When the alert was raised.';
comment on column app_public.stage_alert.status is 'State; changed by acknowledgeStageAlert and resolveStageAlert, and by the end of the wait.';
comment on column app_public.stage_alert.acknowledged_by is 'Account that takes care of it; null when an operator does.';
comment on column app_public.stage_alert.acknowledged_at is 'When it was acknowledged.';
comment on column app_public.stage_alert.resolved_by is 'Account that resolved it; null when the wait ended by itself or an operator did.';
comment on column app_public.stage_alert.resolved_at is 'When it was resolved.';
comment on column app_public.stage_alert.resolution is 'How it ended.';
comment on column app_public.stage_alert.note is 'What was said when it was resolved.';

alter table app_public.appointment_archive
  add column stage_alerts jsonb not null default '[]'
    constraint archived_alerts_are_a_list check (jsonb_typeof(stage_alerts) = 'array');
comment on column app_public.appointment_archive.stage_alerts is 'Alerts of the visit, oldest first.';

create index appointment_in_the_waiting_room on app_public.appointment (hospital_id, checked_in_at)
  where status in ('checked_in', 'in_progress');

create type app_public.waiting_stage as enum ('waiting_for_vitals', 'waiting_for_doctor', 'with_doctor');
comment on type app_public.waiting_stage is 'Where a patient who has arrived stands.';

create type app_public.waiting_patient as (
  appointment_id uuid,
  patient_id uuid,
  patient_name text,
  doctor_id uuid,
  doctor_name text,
  location_id uuid,
  starts_at timestamptz,
  checked_in_at timestamptz,
  minutes_waited integer,
  stage app_public.waiting_stage,
  waiting_since timestamptz,
  due_at timestamptz,
  consultation_id uuid,
  open_alerts app_public.stage_alert[]
);
comment on type app_public.waiting_patient is 'A patient who has arrived and is not done.';
comment on column app_public.waiting_patient.appointment_id is 'The appointment.';
comment on column app_public.waiting_patient.patient_id is 'The patient.';
comment on column app_public.waiting_patient.patient_name is 'Name of the patient.';
comment on column app_public.waiting_patient.doctor_id is 'The doctor.';
comment on column app_public.waiting_patient.doctor_name is 'Name of the doctor.';
comment on column app_public.waiting_patient.location_id is 'Where the visit takes place.';
comment on column app_public.waiting_patient.starts_at is 'For when the visit was booked.';
comment on column app_public.waiting_patient.checked_in_at is 'When the patient arrived.';
comment on column app_public.waiting_patient.minutes_waited is 'Full minutes since the patient arrived, up to the start of the consultation.';
comment on column app_public.waiting_patient.stage is 'Where the patient stands.';
comment on column app_public.waiting_patient.waiting_since is 'Since when the patient stands there.';
comment on column app_public.waiting_patient.due_at is 'From when the wait is too long and raises an alert; null while the doctor sees the patient.';
comment on column app_public.waiting_patient.consultation_id is 'The consultation under way.';
comment on column app_public.waiting_patient.open_alerts is 'Alerts of this visit that are not resolved.';

create type app_public.consultation_status as enum ('started', 'in_progress', 'completed', 'abandoned');
comment on type app_public.consultation_status is
  'State of a consultation: started, in_progress (something is written), completed, abandoned. The last two are final.';
create type app_public.participant_role as enum ('primary', 'consulting', 'assisting', 'supervising');
comment on type app_public.participant_role is 'As what a doctor takes part in a consultation.';

-- The medical record outlives the booking: when the appointment of a past year moves to the archive,
-- which all staff read, the consultation stays here, where nobody reads it without a trace. So
-- appointment_id names an appointment or its archived row, and has no foreign key; admit_consultation
-- has seen the appointment, and nothing ever changes the column.
create table app_public.consultation (
  hospital_id uuid not null constraint consultation_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  appointment_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid not null,
  status app_public.consultation_status not null default 'started',
  chief_complaint text
    constraint a_chief_complaint_has_1_to_2000_characters check (length(btrim(chief_complaint)) > 0 and length(chief_complaint) <= 2000),
  diagnosis text[] not null default '{}'
    constraint a_diagnosis_is_never_empty check (
      array_position(diagnosis, null) is null and array_position(diagnosis, '') is null)
    constraint a_consultation_has_at_most_50_diagnoses check (cardinality(diagnosis) <= 50),
  notes text constraint consultation_notes_have_at_most_20000_characters check (length(notes) <= 20000),
  started_by uuid,
  started_at timestamptz not null,
  updated_at timestamptz not null,
  ended_at timestamptz,
  abandon_reason text
    constraint an_abandon_reason_has_1_to_2000_characters check (length(btrim(abandon_reason)) > 0 and length(abandon_reason) <= 2000),
  primary key (hospital_id, id),
  constraint consultation_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint consultation_with_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint consultation_started_by_an_account foreign key (hospital_id, started_by) references app_public.account (hospital_id, id),
  constraint an_ended_consultation_has_a_time check ((status in ('completed', 'abandoned')) = (ended_at is not null)),
  constraint a_consultation_ends_after_its_start check (ended_at >= started_at),
  constraint a_completed_consultation_says_what_was_found check (
    status <> 'completed' or (chief_complaint is not null and cardinality(diagnosis) >= 1)),
  constraint an_abandoned_consultation_says_why check ((status = 'abandoned') = (abandon_reason is not null))
);
create unique index one_open_consultation_of_an_appointment on app_public.consultation (hospital_id, appointment_id)
  where status in ('started', 'in_progress');
create index consultation_of_an_appointment on app_public.consultation (hospital_id, appointment_id, started_at);
create index consultation_of_a_patient_by_time on app_public.consultation (hospital_id, patient_id, started_at);
comment on table app_public.consultation is
  'The medical encounter of a visit. Patients read their own completed ones here; staff read them by openConsultation and openPatientRecord only, which leave a trace.';
comment on column app_public.consultation.appointment_id is 'The appointment, which may have moved to the archive meanwhile.';
comment on column app_public.consultation.patient_id is 'Patient of the appointment.';
comment on column app_public.consultation.doctor_id is 'Doctor of the appointment, who writes it.';
comment on column app_public.consultation.status is 'State.';
comment on column app_public.consultation.chief_complaint is 'Why the patient came, as the doctor understood it.';
comment on column app_public.consultation.diagnosis is 'What the doctor found; one text each.';
comment on column app_public.consultation.notes is 'Working notes of the doctor; patients get them by export.';
comment on column app_public.consultation.started_by is 'Account that started it; null when an operator did.';
comment on column app_public.consultation.started_at is 'When it started.';
comment on column app_public.consultation.updated_at is 'When it changed last.';
comment on column app_public.consultation.ended_at is 'When it was completed or abandoned.';
comment on column app_public.consultation.abandon_reason is 'Why it was abandoned.';

create table app_public.consultation_participant (
  hospital_id uuid not null constraint participant_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  consultation_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid not null,
  role app_public.participant_role not null,
  added_by uuid,
  added_at timestamptz not null,
  primary key (hospital_id, id),
  constraint participant_of_a_consultation foreign key (hospital_id, consultation_id) references app_public.consultation (hospital_id, id),
  constraint participant_is_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint participant_added_by_an_account foreign key (hospital_id, added_by) references app_public.account (hospital_id, id),
  constraint a_doctor_takes_part_once unique (hospital_id, consultation_id, doctor_id)
);
create unique index one_primary_doctor_of_a_consultation on app_public.consultation_participant (hospital_id, consultation_id)
  where role = 'primary';
create index participant_of_a_patient on app_public.consultation_participant (hospital_id, doctor_id, patient_id);
comment on table app_public.consultation_participant is 'A doctor who takes part in a consultation.';
comment on column app_public.consultation_participant.patient_id is 'Patient of the consultation.';
comment on column app_public.consultation_participant.role is 'As what.';
comment on column app_public.consultation_participant.added_by is 'Account that added the doctor; null when an operator did.';
comment on column app_public.consultation_participant.added_at is 'Since when.';

create table app_public.consultation_addendum (
  hospital_id uuid not null constraint addendum_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  consultation_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid,
  text text not null constraint an_addendum_has_1_to_10000_characters check (length(btrim(text)) > 0 and length(text) <= 10000),
  added_by uuid,
  added_at timestamptz not null,
  primary key (hospital_id, id),
  constraint addendum_of_a_consultation foreign key (hospital_id, consultation_id) references app_public.consultation (hospital_id, id),
  constraint addendum_by_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint addendum_added_by_an_account foreign key (hospital_id, added_by) references app_public.account (hospital_id, id)
);
create index addendum_of_a_consultation_in_order on app_public.consultation_addendum (hospital_id, consultation_id, added_at);
comment on table app_public.consultation_addendum is 'What was added to a completed consultation, which itself never changes.';
comment on column app_public.consultation_addendum.patient_id is 'Patient of the consultation.';
comment on column app_public.consultation_addendum.doctor_id is 'The doctor who added it; null when an operator did.';
comment on column app_public.consultation_addendum.text is 'What was added.';
comment on column app_public.consultation_addendum.added_by is 'Account that added it; null when an operator did.';
comment on column app_public.consultation_addendum.added_at is 'When it was added.';

create type app_public.consultation_member as (
  doctor_id uuid,
  doctor_name text,
  role app_public.participant_role,
  added_at timestamptz
);
comment on type app_public.consultation_member is 'A doctor who takes part in a consultation.';
comment on column app_public.consultation_member.doctor_id is 'The doctor.';
comment on column app_public.consultation_member.doctor_name is 'Name of the doctor.';
comment on column app_public.consultation_member.role is 'As what.';
comment on column app_public.consultation_member.added_at is 'Since when.';

create type app_public.consultation_note as (
  text text,
  doctor_name text,
  added_at timestamptz
);
comment on type app_public.consultation_note is 'What was added to a completed consultation.';
comment on column app_public.consultation_note.text is 'What was added.';
comment on column app_public.consultation_note.doctor_name is 'By whom; null when an operator added it.';
comment on column app_public.consultation_note.added_at is 'When.';

create type app_public.consultation_record as (
  consultation_id uuid,
  appointment_id uuid,
  patient_id uuid,
  doctor_id uuid,
  status app_public.consultation_status,
  chief_complaint text,
  diagnosis text[],
  notes text,
  started_at timestamptz,
  ended_at timestamptz,
  abandon_reason text,
  participants app_public.consultation_member[],
  addenda app_public.consultation_note[]
);
comment on type app_public.consultation_record is 'A consultation with all that belongs to it, as doctors read it.';
comment on column app_public.consultation_record.consultation_id is 'The consultation.';
comment on column app_public.consultation_record.appointment_id is 'Its appointment.';
comment on column app_public.consultation_record.patient_id is 'Its patient.';
comment on column app_public.consultation_record.doctor_id is 'The doctor who writes it.';
comment on column app_public.consultation_record.status is 'State.';
comment on column app_public.consultation_record.chief_complaint is 'Why the patient came, as the doctor understood it.';
comment on column app_public.consultation_record.diagnosis is 'What the doctor found; one text each.';
comment on column app_public.consultation_record.notes is 'Working notes of the doctor.';
comment on column app_public.consultation_record.started_at is 'When it started.';
comment on column app_public.consultation_record.ended_at is 'When it was completed or abandoned.';
comment on column app_public.consultation_record.abandon_reason is 'Why it was abandoned.';
comment on column app_public.consultation_record.participants is 'Who takes part, the primary doctor first.';
comment on column app_public.consultation_record.addenda is 'What was added after it was completed, oldest first.';

create type app_public.record_part as enum ('patient_record', 'consultation', 'export');
comment on type app_public.record_part is 'What was seen of a medical record: all of it, one consultation, or an export.';

create table app_public.record_access (
  hospital_id uuid not null constraint record_access_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  patient_id uuid not null,
  account_id uuid,
  reader_role text not null,
  reader_name text not null,
  part app_public.record_part not null,
  consultation_id uuid,
  purpose text not null constraint a_purpose_has_1_to_500_characters check (length(btrim(purpose)) > 0 and length(purpose) <= 500),
  emergency_grant_id uuid,
  request_id text,
  accessed_at timestamptz not null,
  primary key (hospital_id, id),
  constraint record_access_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint record_access_by_an_account foreign key (hospital_id, account_id) references app_public.account (hospital_id, id),
  constraint a_consultation_is_seen_by_its_name check ((part = 'consultation') = (consultation_id is not null))
);
create index record_access_of_a_patient_in_order on app_public.record_access (hospital_id, patient_id, id);
create index record_access_by_an_account_in_order on app_public.record_access (hospital_id, account_id, id);
comment on table app_public.record_access is
  'Who has opened a medical record, what of it and what for; written with the reading itself and never changed. Patients see who opened theirs, admins see all of the hospital.';
comment on column app_public.record_access.patient_id is 'Whose record it is.';
comment on column app_public.record_access.account_id is 'Account that opened it; null when an operator did.';
comment on column app_public.record_access.reader_role is 'In which role.';
comment on column app_public.record_access.reader_name is 'Name of the reader at that time.';
comment on column app_public.record_access.part is 'What was opened.';
comment on column app_public.record_access.consultation_id is 'The consultation, where it was one.';
comment on column app_public.record_access.purpose is 'What for, as the reader said.';
comment on column app_public.record_access.emergency_grant_id is 'The emergency access under which it was opened; null where the reader treats the patient.';
comment on column app_public.record_access.request_id is 'Identifier of the request, shared with the server''s log.';
comment on column app_public.record_access.accessed_at is 'When.';

create type app_public.recorded_visit as (
  appointment_id uuid,
  doctor_id uuid,
  doctor_name text,
  starts_at timestamptz,
  ends_at timestamptz,
  status app_public.appointment_status,
  reason text,
  notes text
);
comment on type app_public.recorded_visit is 'A visit as a patient''s record has it.';
comment on column app_public.recorded_visit.appointment_id is 'The appointment, or its archived row.';
comment on column app_public.recorded_visit.doctor_id is 'The doctor.';
comment on column app_public.recorded_visit.doctor_name is 'Name of the doctor.';
comment on column app_public.recorded_visit.starts_at is 'Start of the visit.';
comment on column app_public.recorded_visit.ends_at is 'End of the visit.';
comment on column app_public.recorded_visit.status is 'State of the appointment.';
comment on column app_public.recorded_visit.reason is 'Why the patient came, in their own words.';
comment on column app_public.recorded_visit.notes is 'Notes of the staff.';

create type app_public.patient_record as (
  patient_id uuid,
  medical_record_number text,
  name text,
  date_of_birth date,
  phone text,
  email text,
  visits app_public.recorded_visit[],
  vitals jsonb,
  consultations app_public.consultation_record[],
  access_id uuid
);
comment on type app_public.patient_record is 'The medical record of a patient, as it was opened.';
comment on column app_public.patient_record.patient_id is 'The patient.';
comment on column app_public.patient_record.medical_record_number is 'The hospital''s own number of the patient.';
comment on column app_public.patient_record.name is 'Full name.';
comment on column app_public.patient_record.date_of_birth is 'Date of birth.';
comment on column app_public.patient_record.phone is 'Telephone number.';
comment on column app_public.patient_record.email is 'E-mail address.';
comment on column app_public.patient_record.visits is 'Appointments, newest first, archived ones included.';
comment on column app_public.patient_record.vitals is 'Vital signs, newest first.';
comment on column app_public.patient_record.consultations is 'Consultations, newest first.';
comment on column app_public.patient_record.access_id is 'The row of recordAccesses that tells of this reading.';

reset role;
