--! Previous: sha1:2b7fcd8e75f589d0baad97ff3b606cd9195a1e71
--! Hash: sha1:80d70c6da006c44351fc813ca0065c310f8d7008
--! Message: booking

--! split: 04-booking.sql
-- Booking: appointments, the transitions between their states, and their moves between slots.

set local role app_owner;

create type app_public.appointment_status as enum (
  'requested', 'held', 'scheduled', 'confirmed', 'checked_in', 'in_progress',
  'completed', 'cancelled', 'no_show', 'expired');
comment on type app_public.appointment_status is
  'State of an appointment. held, scheduled, confirmed, checked_in and in_progress hold a seat; completed, cancelled, no_show and expired are final.';

create type app_public.appointment_source as enum ('patient', 'staff', 'call', 'sync', 'import');
comment on type app_public.appointment_source is 'Through which door an appointment came.';

create table app_public.appointment_transition (
  from_status app_public.appointment_status,
  to_status app_public.appointment_status not null,
  roles text[] not null constraint a_transition_is_for_somebody check (cardinality(roles) > 0),
  constraint a_transition_is_listed_once unique nulls not distinct (from_status, to_status),
  constraint a_transition_leads_elsewhere check (from_status <> to_status)
);
comment on table app_public.appointment_transition is
  'The state machine of appointments: every change of state that is allowed, and to whom. What is not listed is refused for everybody.';
comment on column app_public.appointment_transition.from_status is 'State before; null for a new appointment.';
comment on column app_public.appointment_transition.to_status is 'State after.';
comment on column app_public.appointment_transition.roles is
  'Who may do it: patient (own), doctor (own), nurse, receptionist, admin, worker (background jobs). An operator in psql may do whatever is listed for anybody.';

create table app_public.appointment (
  hospital_id uuid not null constraint appointment_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  slot_id uuid,
  doctor_id uuid not null,
  patient_id uuid not null,
  location_id uuid,
  service_id uuid,
  during tstzrange not null
    constraint an_appointment_is_a_bounded_stretch_of_time check (
      not isempty(during) and not lower_inf(during) and not upper_inf(during) and lower_inc(during) and not upper_inc(during)),
  status app_public.appointment_status not null,
  source app_public.appointment_source not null,
  reason text constraint a_reason_is_at_most_2000_characters check (length(reason) <= 2000),
  notes text constraint notes_are_at_most_10000_characters check (length(notes) <= 10000),
  held_until timestamptz,
  checked_in_at timestamptz,
  vitals_recorded_at timestamptz,
  completed_at timestamptz,
  cancelled_at timestamptz,
  cancelled_by uuid,
  cancellation_reason text
    constraint a_cancellation_reason_is_at_most_2000_characters check (length(cancellation_reason) <= 2000),
  rescheduled_from uuid,
  created_by uuid,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  idempotency_key uuid not null default gen_random_uuid(),
  request_fingerprint text,
  starts_at timestamptz not null generated always as (lower(during)) stored,
  ends_at timestamptz not null generated always as (upper(during)) stored,
  holds_seat boolean not null generated always as (
    status in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress')) stored,
  primary key (hospital_id, id),
  constraint appointment_in_a_slot foreign key (hospital_id, slot_id, doctor_id, location_id)
    references app_public.slot (hospital_id, id, doctor_id, location_id),
  constraint appointment_with_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint appointment_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint appointment_at_a_location foreign key (hospital_id, location_id) references app_public.location (hospital_id, id),
  constraint appointment_for_a_service foreign key (hospital_id, service_id) references app_public.service (hospital_id, id),
  constraint appointment_came_from_a_slot foreign key (hospital_id, rescheduled_from) references app_public.slot (hospital_id, id),
  constraint appointment_created_by_an_account foreign key (hospital_id, created_by) references app_public.account (hospital_id, id),
  constraint appointment_cancelled_by_an_account foreign key (hospital_id, cancelled_by) references app_public.account (hospital_id, id),
  constraint an_idempotency_key_is_used_once_by_an_account
    unique nulls not distinct (hospital_id, idempotency_key, created_by),
  constraint a_seat_is_held_in_a_slot check (not holds_seat or (slot_id is not null and location_id is not null)),
  constraint a_request_has_no_slot_yet check (status <> 'requested' or slot_id is null),
  constraint a_hold_has_an_end check (status <> 'held' or held_until is not null),
  constraint a_checked_in_patient_has_a_time check (status not in ('checked_in', 'in_progress') or checked_in_at is not null),
  constraint vitals_come_after_check_in check (vitals_recorded_at >= checked_in_at),
  constraint a_completed_visit_has_a_time check ((status = 'completed') = (completed_at is not null)),
  constraint a_cancellation_has_a_time check ((status = 'cancelled') = (cancelled_at is not null)),
  constraint only_a_cancellation_has_a_canceller check (status = 'cancelled' or (cancelled_by is null and cancellation_reason is null)),
  constraint a_patient_is_in_one_place_at_a_time exclude using gist (
    hospital_id with =, patient_id with =, during with &&
  ) where (holds_seat)
) with (fillfactor = 90);
create index appointment_of_a_slot on app_public.appointment (hospital_id, slot_id);
create index appointment_of_a_patient_by_time on app_public.appointment (hospital_id, patient_id, starts_at);
create index appointment_of_a_doctor_by_time on app_public.appointment (hospital_id, doctor_id, starts_at);
create index appointment_held on app_public.appointment (hospital_id, held_until) where status = 'held';
comment on table app_public.appointment is 'A patient''s claim on a seat of a slot, or a request for one.';
comment on column app_public.appointment.slot_id is 'The slot whose seat it holds or held; null while only requested.';
comment on column app_public.appointment.service_id is 'The kind of visit.';
comment on column app_public.appointment.during is 'From the start of the visit (included) to its end (excluded); within the slot.';
comment on column app_public.appointment.status is 'State; changed only by the functions named after the transitions.';
comment on column app_public.appointment.source is 'Through which door it came.';
comment on column app_public.appointment.reason is 'Why the patient comes, in their own words.';
comment on column app_public.appointment.notes is 'Notes of the staff.';
comment on column app_public.appointment.held_until is 'Until when a held seat waits for its confirmation.';
comment on column app_public.appointment.checked_in_at is 'When the patient was checked in.';
comment on column app_public.appointment.vitals_recorded_at is 'When the vital signs were taken.';
comment on column app_public.appointment.completed_at is 'When the visit was completed.';
comment on column app_public.appointment.cancelled_at is 'When it was cancelled.';
comment on column app_public.appointment.cancelled_by is 'Account that cancelled it; null when a job or an operator did.';
comment on column app_public.appointment.cancellation_reason is 'Why it was cancelled.';
comment on column app_public.appointment.rescheduled_from is 'The slot that it was moved from last.';
comment on column app_public.appointment.created_by is 'Account that booked it; null when a job or an operator did.';
comment on column app_public.appointment.created_at is 'When it was booked.';
comment on column app_public.appointment.updated_at is 'When it changed last.';
comment on column app_public.appointment.idempotency_key is 'Key that the client gave its request; the same key and request again return this appointment.';
comment on column app_public.appointment.request_fingerprint is 'What was asked under the key, hashed.';
comment on column app_public.appointment.starts_at is 'Start of the visit.';
comment on column app_public.appointment.ends_at is 'End of the visit.';
comment on column app_public.appointment.holds_seat is 'Whether its state holds a seat.';

create table app_public.appointment_move (
  hospital_id uuid not null constraint appointment_move_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  appointment_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid not null,
  from_slot_id uuid not null,
  to_slot_id uuid not null,
  reason text constraint a_move_reason_is_at_most_2000_characters check (length(reason) <= 2000),
  moved_by uuid,
  moved_at timestamptz not null,
  idempotency_key uuid not null default gen_random_uuid(),
  request_fingerprint text,
  primary key (hospital_id, id),
  constraint move_of_an_appointment foreign key (hospital_id, appointment_id) references app_public.appointment (hospital_id, id) on delete cascade,
  constraint move_from_a_slot foreign key (hospital_id, from_slot_id) references app_public.slot (hospital_id, id),
  constraint move_to_a_slot foreign key (hospital_id, to_slot_id) references app_public.slot (hospital_id, id),
  constraint move_by_an_account foreign key (hospital_id, moved_by) references app_public.account (hospital_id, id),
  constraint a_move_leads_to_another_slot check (from_slot_id <> to_slot_id),
  constraint a_move_key_is_used_once_by_an_account unique nulls not distinct (hospital_id, idempotency_key, moved_by)
);
create index move_of_an_appointment_in_order on app_public.appointment_move (hospital_id, appointment_id, moved_at);
comment on table app_public.appointment_move is 'A rescheduling: the appointment stayed the same and moved from one slot to another.';
comment on column app_public.appointment_move.patient_id is 'Patient of the appointment.';
comment on column app_public.appointment_move.doctor_id is 'Doctor of the slot that it moved to.';
comment on column app_public.appointment_move.from_slot_id is 'Slot whose seat was given up.';
comment on column app_public.appointment_move.to_slot_id is 'Slot whose seat was taken.';
comment on column app_public.appointment_move.reason is 'Why it was moved.';
comment on column app_public.appointment_move.moved_by is 'Account that moved it; null when an operator did.';
comment on column app_public.appointment_move.moved_at is 'When it was moved.';
comment on column app_public.appointment_move.idempotency_key is 'Key that the client gave its request.';
comment on column app_public.appointment_move.request_fingerprint is 'What was asked under the key, hashed.';

create type app_public.booking_verdict as (
  rule smallint,
  scenario text,
  is_satisfied boolean,
  details jsonb
);
comment on type app_public.booking_verdict is 'What one booking rule says of one wish.';
comment on column app_public.booking_verdict.rule is 'Number of the rule, in the order in which they are judged.';
comment on column app_public.booking_verdict.scenario is 'Scenario with which booking is refused when the rule is broken.';
comment on column app_public.booking_verdict.is_satisfied is 'True: the rule is met; false: broken; null: cannot be judged because something it needs was not found.';
comment on column app_public.booking_verdict.details is 'The facts that the verdict rests on, when the rule is broken.';

create table app_private.worker_heartbeat (
  worker_id text primary key,
  started_at timestamptz not null,
  beaten_at timestamptz not null
);
comment on table app_private.worker_heartbeat is 'One row a living worker process; a row that is no longer beaten is a dead worker whose jobs are unlocked.';

reset role;
