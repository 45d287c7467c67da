--! Previous: sha1:9c2244e683f258ae8e95c612ed85ba83f5eac69c
--! Hash: sha1:c459d5ded831ae28be3acbb1154b839cec93919d
--! Message: visits-tables

--! split: 1-current.sql
-- The day of the visit: arriving, vital signs, who did not come, and what that means for them.
set local role app_owner;

create type app_public.no_show_reason as enum ('auto_timeout', 'manual_staff', 'manual_doctor', 'patient_called');
comment on type app_public.no_show_reason is
  'How a visit came to be missed: auto_timeout (nobody arrived in time), manual_staff and manual_doctor (somebody said so), patient_called (the patient said so, perhaps before).';
create type app_public.no_show_grouping as enum ('doctor', 'weekday', 'hour', 'lead_time', 'location', 'service');
comment on type app_public.no_show_grouping is
  'By what missed visits are counted; weekday and hour in the hospital''s time, lead_time from booking to visit.';

create table app_public.no_show_log (
  hospital_id uuid not null constraint no_show_log_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  appointment_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid not null,
  reason app_public.no_show_reason not null,
  comment text constraint a_no_show_comment_has_at_most_2000_characters check (length(comment) <= 2000),
  slot_starts_at timestamptz not null,
  timeout_minutes integer not null constraint a_timeout_is_not_negative check (timeout_minutes >= 0),
  status_before app_public.appointment_status not null
    constraint only_an_expected_visit_is_missed check (status_before in ('scheduled', 'confirmed')),
  is_slot_released boolean not null,
  is_patient_notified boolean not null,
  has_blocked_patient boolean not null,
  is_forgiven boolean not null default false,
  marked_by uuid,
  marked_at timestamptz not null,
  undone_by uuid,
  undone_at timestamptz,
  undo_reason text constraint an_undo_reason_has_at_most_2000_characters check (length(undo_reason) <= 2000),
  primary key (hospital_id, id),
  constraint no_show_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint no_show_at_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint no_show_marked_by_an_account foreign key (hospital_id, marked_by) references app_public.account (hospital_id, id),
  constraint no_show_undone_by_an_account foreign key (hospital_id, undone_by) references app_public.account (hospital_id, id),
  constraint only_an_undone_no_show_says_who_and_why check (
    undone_at is not null or undone_by is null and undo_reason is null),
  constraint a_no_show_is_undone_after_it_was_marked check (undone_at >= marked_at)
);
create unique index a_visit_is_missed_once on app_public.no_show_log (hospital_id, appointment_id) where undone_at is null;
create index no_show_of_a_patient_by_time on app_public.no_show_log (hospital_id, patient_id, slot_starts_at);
create index no_show_at_a_doctor_by_time on app_public.no_show_log (hospital_id, doctor_id, slot_starts_at);
comment on table app_public.no_show_log is
  'A visit to which the patient did not come. It outlives the appointment, which may have moved to the archive: patient.no_show_count counts these rows.';
comment on column app_public.no_show_log.appointment_id is 'The appointment, or its row in the archive.';
comment on column app_public.no_show_log.patient_id is 'The patient who did not come.';
comment on column app_public.no_show_log.doctor_id is 'The doctor who waited.';
comment on column app_public.no_show_log.reason is 'How it came to be known.';
comment on column app_public.no_show_log.comment is 'What was said of it by whoever marked it.';
comment on column app_public.no_show_log.slot_starts_at is 'For when the visit was booked.';
comment on column app_public.no_show_log.timeout_minutes is 'How many minutes after the start the visit counted as missed by itself: the length of the doctor''s slots.';
comment on column app_public.no_show_log.status_before is 'State of the appointment before: scheduled or confirmed.';
comment on column app_public.no_show_log.is_slot_released is
  'Whether the seat could be booked again: the slot was still ahead by more than the hospital''s rebookBuffer.';
comment on column app_public.no_show_log.is_patient_notified is 'Whether the patient got a notification.';
comment on column app_public.no_show_log.has_blocked_patient is 'Whether this one reached the hospital''s noShowBlockThreshold and blocked the patient.';
comment on column app_public.no_show_log.is_forgiven is 'Whether it no longer counts towards a block, because the patient was unblocked since.';
comment on column app_public.no_show_log.marked_by is 'Account that marked it; null for the automatic sweep and for an operator.';
comment on column app_public.no_show_log.marked_at is 'When it was marked.';
comment on column app_public.no_show_log.undone_by is 'Admin who undid it; null for an operator.';
comment on column app_public.no_show_log.undone_at is 'When it was undone; null if it stands.';
comment on column app_public.no_show_log.undo_reason is 'Why it was undone.';

alter table app_public.patient
  add column no_shows_forgiven integer not null default 0
    constraint no_more_is_forgiven_than_was_missed check (no_shows_forgiven between 0 and no_show_count);
comment on column app_public.patient.no_show_count is
  'How many visits the patient has missed: the rows of noShowLogs that were not undone.';
comment on column app_public.patient.no_shows_forgiven is
  'How many of them no longer count towards a block: those that an unblocking forgave.';

create table app_public.patient_block (
  hospital_id uuid not null constraint patient_block_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  patient_id uuid not null,
  reason text not null constraint a_block_reason_has_1_to_2000_characters check (length(btrim(reason)) > 0 and length(reason) <= 2000),
  is_automatic boolean not null,
  blocked_by uuid,
  blocked_at timestamptz not null,
  unblocked_by uuid,
  unblocked_at timestamptz,
  unblock_reason text constraint an_unblock_reason_has_at_most_2000_characters check (length(unblock_reason) <= 2000),
  primary key (hospital_id, id),
  constraint block_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint block_by_an_account foreign key (hospital_id, blocked_by) references app_public.account (hospital_id, id),
  constraint unblocked_by_an_account foreign key (hospital_id, unblocked_by) references app_public.account (hospital_id, id),
  constraint only_an_ended_block_says_who_and_why check (unblocked_at is not null or unblocked_by is null and unblock_reason is null),
  constraint a_block_ends_after_it_began check (unblocked_at >= blocked_at)
);
create unique index a_patient_is_blocked_once_at_a_time on app_public.patient_block (hospital_id, patient_id) where unblocked_at is null;
create index block_of_a_patient_by_time on app_public.patient_block (hospital_id, patient_id, blocked_at);
comment on table app_public.patient_block is 'A time during which a patient could not book, with why it began and why it ended.';
comment on column app_public.patient_block.patient_id is 'The patient.';
comment on column app_public.patient_block.reason is 'Why the patient was blocked.';
comment on column app_public.patient_block.is_automatic is 'Whether missed visits reached the hospital''s noShowBlockThreshold; false when somebody decided it.';
comment on column app_public.patient_block.blocked_by is 'Account that blocked; null when it happened by itself or an operator did.';
comment on column app_public.patient_block.blocked_at is 'When it began.';
comment on column app_public.patient_block.unblocked_by is 'Account that unblocked; null when it happened by itself or an operator did.';
comment on column app_public.patient_block.unblocked_at is 'When it ended; null while it lasts.';
comment on column app_public.patient_block.unblock_reason is 'Why it ended; null when an operator changed the patient by hand.';

-- Those who were blocked before blocks were written down.
insert into app_public.patient_block (hospital_id, patient_id, reason, is_automatic, blocked_at)
select hospital_id, id, blocked_reason, false, blocked_at
from app_public.patient
where status = 'blocked';

create table app_public.vitals_entry (
  hospital_id uuid not null constraint vitals_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  appointment_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid not null,
  corrects uuid,
  systolic integer constraint a_systolic_pressure_is_30_to_300 check (systolic between 30 and 300),
  diastolic integer constraint a_diastolic_pressure_is_10_to_250 check (diastolic between 10 and 250),
  heart_rate integer constraint a_heart_rate_is_10_to_350 check (heart_rate between 10 and 350),
  respiratory_rate integer constraint a_respiratory_rate_is_2_to_120 check (respiratory_rate between 2 and 120),
  oxygen_saturation integer constraint an_oxygen_saturation_is_30_to_100 check (oxygen_saturation between 30 and 100),
  temperature numeric(4, 1) constraint a_temperature_is_20_to_45 check (temperature between 20 and 45),
  weight numeric(6, 2) constraint a_weight_is_above_0_and_up_to_700 check (weight > 0 and weight <= 700),
  height numeric(5, 1) constraint a_height_is_15_to_280 check (height between 15 and 280),
  note text constraint a_vitals_note_has_at_most_2000_characters check (length(note) <= 2000),
  recorded_by uuid,
  recorded_at timestamptz not null,
  primary key (hospital_id, id),
  constraint vitals_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint vitals_for_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint vitals_recorded_by_an_account foreign key (hospital_id, recorded_by) references app_public.account (hospital_id, id),
  constraint vitals_correct_earlier_ones foreign key (hospital_id, corrects) references app_public.vitals_entry (hospital_id, id),
  constraint a_measurement_is_corrected_once unique (hospital_id, corrects),
  constraint vitals_measure_something check (
    num_nonnulls(systolic, diastolic, heart_rate, respiratory_rate, oxygen_saturation, temperature, weight, height) > 0),
  constraint a_blood_pressure_has_both_values check ((systolic is null) = (diastolic is null)),
  constraint a_systolic_pressure_is_the_higher check (systolic > diastolic)
);
create index vitals_of_an_appointment on app_public.vitals_entry (hospital_id, appointment_id, recorded_at);
create index vitals_of_a_patient_by_time on app_public.vitals_entry (hospital_id, patient_id, recorded_at);
comment on table app_public.vitals_entry is
  'Vital signs that were taken at a visit. Never changed: a mistake is corrected by a new row. Patients read their own here; staff read them with the patient''s record, which leaves a trace.';
comment on column app_public.vitals_entry.appointment_id is 'The appointment, which may have moved to the archive meanwhile.';
comment on column app_public.vitals_entry.patient_id is 'The patient.';
comment on column app_public.vitals_entry.doctor_id is 'Doctor of the appointment.';
comment on column app_public.vitals_entry.corrects is 'The earlier row that this one replaces.';
comment on column app_public.vitals_entry.systolic is 'Systolic blood pressure in mmHg.';
comment on column app_public.vitals_entry.diastolic is 'Diastolic blood pressure in mmHg.';
comment on column app_public.vitals_entry.heart_rate is 'Heart rate in beats a minute.';
comment on column app_public.vitals_entry.respiratory_rate is 'Breaths a minute.';
comment on column app_public.vitals_entry.oxygen_saturation is 'Oxygen saturation (SpO2) in percent.';
comment on column app_public.vitals_entry.temperature is 'Body temperature in degrees Celsius.';
comment on column app_public.vitals_entry.weight is 'Weight in kilograms.';
comment on column app_public.vitals_entry.height is 'Height in centimetres.';
comment on column app_public.vitals_entry.note is 'What else was seen.';
comment on column app_public.vitals_entry.recorded_by is 'Account that recorded them; null for an operator.';
comment on column app_public.vitals_entry.recorded_at is 'When they were recorded.';

create type app_public.no_show_statistic as (
  group_key text,
  group_name text,
  visits integer,
  no_shows integer,
  rate numeric
);
comment on type app_public.no_show_statistic is 'How many of some visits were missed.';
comment on column app_public.no_show_statistic.group_key is 'Key of the group: an id, a weekday 1 (Monday) to 7, an hour 0 to 23, or least days of lead time.';
comment on column app_public.no_show_statistic.group_name is 'Name of the group for people.';
comment on column app_public.no_show_statistic.visits is 'Visits that took place or were missed.';
comment on column app_public.no_show_statistic.no_shows is 'Those of them that were missed.';
comment on column app_public.no_show_statistic.rate is 'no_shows / visits, four decimals.';

alter type app_public.appointment_event_kind add value if not exists 'no_show_undone';

reset role;
