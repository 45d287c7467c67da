-- Requests and their answers, the history of an appointment, series, and seats that staff add.

set local role app_owner;

-- One index of open requests: what is due is its beginning, a doctor's inbox a part of it.
drop index app_public.appointment_requested;
create index appointment_requested on app_public.appointment (hospital_id, starts_at, doctor_id) where status = 'requested';

-- An appointment is an occurrence of its own patient's series only.
alter table app_public.appointment_series
  add constraint a_series_is_of_one_patient unique (hospital_id, id, patient_id);
alter table app_public.appointment
  drop constraint appointment_of_a_series,
  add constraint appointment_of_a_series foreign key (hospital_id, series_id, patient_id)
    references app_public.appointment_series (hospital_id, id, patient_id);
alter table app_public.series_occurrence
  drop constraint occurrence_of_a_series,
  add constraint occurrence_of_a_series foreign key (hospital_id, series_id, patient_id)
    references app_public.appointment_series (hospital_id, id, patient_id);

create type app_private.wanted_occurrence as (
  number integer,
  starts_at timestamptz,
  day date,
  slot_id uuid
);
comment on type app_private.wanted_occurrence is 'An occurrence of a series as it is wished for, and the slot that begins then.';

create type app_public.occurrence_verdict as (
  number integer,
  starts_at timestamptz,
  slot_id uuid,
  scenario text,
  details jsonb
);
comment on type app_public.occurrence_verdict is 'What booking a series would say of one occurrence.';
comment on column app_public.occurrence_verdict.number is 'Which one, from 1.';
comment on column app_public.occurrence_verdict.starts_at is 'Its start: the local time of the first one.';
comment on column app_public.occurrence_verdict.slot_id is 'The slot that begins then; null when there is none, or when its day is not stored yet.';
comment on column app_public.occurrence_verdict.scenario is 'Why it would be refused; null when it can be booked.';
comment on column app_public.occurrence_verdict.details is 'Details of the refusal, all broken rules in violations.';

create type app_public.appointment_event_kind as enum (
  'requested', 'held', 'booked', 'accepted', 'proposed', 'declined', 'hold_confirmed', 'confirmed', 'moved',
  'checked_in', 'in_progress', 'completed', 'cancelled', 'no_show', 'expired', 'removed', 'changed');
comment on type app_public.appointment_event_kind is
  'What happened to an appointment: it was requested, held or booked; a request was accepted, declined or answered by another time (proposed); a hold was confirmed; it moved, changed its state, or was removed. Changed stands for everything else.';

create type app_public.appointment_event as (
  happened_at timestamptz,
  event app_public.appointment_event_kind,
  from_status app_public.appointment_status,
  to_status app_public.appointment_status,
  from_starts_at timestamptz,
  to_starts_at timestamptz,
  from_doctor_id uuid,
  to_doctor_id uuid,
  reason text,
  actor_role text,
  actor_account_id uuid,
  actor_name text
);
comment on type app_public.appointment_event is 'Something that happened to an appointment.';
comment on column app_public.appointment_event.happened_at is 'When it happened.';
comment on column app_public.appointment_event.event is 'What happened.';
comment on column app_public.appointment_event.from_status is 'State before; null when it was new.';
comment on column app_public.appointment_event.to_status is 'State after.';
comment on column app_public.appointment_event.from_starts_at is 'Start of the visit before; null when it was new.';
comment on column app_public.appointment_event.to_starts_at is 'Start of the visit after.';
comment on column app_public.appointment_event.from_doctor_id is 'Doctor before; null when it was new.';
comment on column app_public.appointment_event.to_doctor_id is 'Doctor after.';
comment on column app_public.appointment_event.reason is 'Why: of a new appointment why the patient comes, of a move or cancellation what was given as its reason.';
comment on column app_public.appointment_event.actor_role is 'Who acted: patient, doctor, nurse, receptionist, admin, worker (the system) or operator.';
comment on column app_public.appointment_event.actor_account_id is 'Account that acted; for staff only, null for jobs and operators.';
comment on column app_public.appointment_event.actor_name is 'Name of the account that acted; for staff only.';

--! include catalog/error_catalog.sql
--! include catalog/notification_template.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include functions/notifications/tell_of_appointment.sql
--! include policies/appointment_series.sql
--! include policies/series_occurrence.sql
--! include policies/added_seat.sql
--! include functions/booking/local_day.sql
--! include functions/booking/guard_instant.sql
--! include functions/booking/guard_question.sql
--! include functions/booking/guard_request_is_new.sql
--! include functions/booking/rule_violations.sql
--! include functions/booking/broken_rules.sql
--! include functions/booking/take_slot_at.sql
--! include functions/booking/leave_request.sql
--! include functions/booking/request_appointment.sql
--! include functions/booking/requests_to_answer.sql
--! include functions/booking/slot_of_request.sql
--! include functions/booking/answer_request.sql
--! include functions/booking/accept_appointment.sql
--! include functions/booking/decline_appointment.sql
--! include functions/booking/propose_slot.sql
--! include functions/booking/expire_lapsed_requests.sql
--! include functions/booking/explain_booking.sql
--! include functions/booking/explain_request.sql
--! include functions/booking/appointment_event_kind.sql
--! include functions/booking/read_appointment_history.sql
--! include functions/booking/appointment_history.sql
--! include functions/booking/guard_series.sql
--! include functions/booking/series_starts.sql
--! include functions/booking/lock_for_booking.sql
--! include functions/booking/replayed_series.sql
--! include functions/booking/admit_series.sql
--! include functions/booking/witness_occurrence.sql
--! include functions/booking/book_occurrence.sql
--! include functions/booking/book_series.sql
--! include functions/booking/explain_series.sql
--! include functions/booking/cancel_series.sql
--! include functions/booking/admit_added_seat.sql
--! include functions/booking/add_seat.sql

reset role;
