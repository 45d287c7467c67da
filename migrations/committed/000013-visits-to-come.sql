--! Previous: sha1:f7a34fea5b1df337fe8cf4759d8d53e9ca888995
--! Hash: sha1:bc8e77ebcb55863f3d56625341b6fe9ce68c28e9
--! Message: visits-to-come

--! split: 1-current.sql
-- Further seats, requests, series, the waitlist, and what people are told of all that.

set local role app_owner;

create type app_public.cancellation_cause as enum (
  'patient', 'staff', 'declined', 'doctor_emergency', 'doctor_unavailable', 'system');
comment on type app_public.cancellation_cause is
  'What ended an appointment: the patient, the staff, a declined request, a doctor''s emergency, a doctor who takes no appointments any more, or the system.';

create table app_public.appointment_series (
  hospital_id uuid not null constraint appointment_series_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  patient_id uuid not null,
  doctor_id uuid not null,
  service_id uuid,
  first_starts_at timestamptz not null,
  every_days integer not null constraint a_series_repeats_every_1_to_366_days check (every_days between 1 and 366),
  occurrence_count integer not null constraint a_series_has_2_to_52_occurrences check (occurrence_count between 2 and 52),
  is_all_or_nothing boolean not null,
  reason text constraint a_series_reason_is_at_most_2000_characters check (length(reason) <= 2000),
  created_by uuid,
  created_at timestamptz not null,
  idempotency_key uuid not null default gen_random_uuid(),
  request_fingerprint text,
  primary key (hospital_id, id),
  constraint series_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint series_with_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint series_for_a_service foreign key (hospital_id, service_id) references app_public.service (hospital_id, id),
  constraint series_created_by_an_account foreign key (hospital_id, created_by) references app_public.account (hospital_id, id),
  constraint a_series_key_is_used_once_by_an_account unique nulls not distinct (hospital_id, idempotency_key, created_by)
);
create index series_of_a_patient_in_order on app_public.appointment_series (hospital_id, patient_id, created_at);
comment on table app_public.appointment_series is 'A wish for the same visit every so many days, at the same local time.';
comment on column app_public.appointment_series.first_starts_at is 'Start of the first occurrence.';
comment on column app_public.appointment_series.every_days is 'Days from one occurrence to the next.';
comment on column app_public.appointment_series.occurrence_count is 'How many occurrences were wished for.';
comment on column app_public.appointment_series.is_all_or_nothing is 'True: one that could not be booked refused all; false: those that could be were booked.';
comment on column app_public.appointment_series.reason is 'Why the patient comes.';
comment on column app_public.appointment_series.created_by is 'Account that booked it; null when an operator did.';
comment on column app_public.appointment_series.created_at is 'When it was booked.';
comment on column app_public.appointment_series.idempotency_key is 'Key that the client gave its request.';
comment on column app_public.appointment_series.request_fingerprint is 'What was asked under the key, hashed.';

alter table app_public.appointment
  add column series_id uuid,
  add column cancellation_cause app_public.cancellation_cause,
  add constraint appointment_of_a_series foreign key (hospital_id, series_id) references app_public.appointment_series (hospital_id, id),
  add constraint a_cancellation_has_a_cause check (status = 'cancelled' or cancellation_cause is null),
  add constraint a_patient_asks_a_doctor_once_for_a_time exclude using btree (
    hospital_id with =, patient_id with =, doctor_id with =, starts_at with =
  ) where (status = 'requested');
create index appointment_of_a_series_in_order on app_public.appointment (hospital_id, series_id, starts_at) where series_id is not null;
create index appointment_requested on app_public.appointment (hospital_id, starts_at) where status = 'requested';
create index appointment_moved_from_a_slot on app_public.appointment (hospital_id, rescheduled_from) where rescheduled_from is not null;
create index move_from_a_slot_in_order on app_public.appointment_move (hospital_id, from_slot_id);
create index move_to_a_slot_in_order on app_public.appointment_move (hospital_id, to_slot_id);
comment on column app_public.appointment.series_id is 'The series that it is an occurrence of.';
comment on column app_public.appointment.cancellation_cause is 'What ended it.';

create table app_public.series_occurrence (
  hospital_id uuid not null constraint series_occurrence_of_a_hospital references app_public.hospital (id),
  series_id uuid not null,
  number integer not null constraint an_occurrence_is_numbered_from_1 check (number between 1 and 52),
  patient_id uuid not null,
  doctor_id uuid not null,
  starts_at timestamptz not null,
  appointment_id uuid,
  scenario text,
  details jsonb,
  primary key (hospital_id, series_id, number),
  constraint occurrence_of_a_series foreign key (hospital_id, series_id) references app_public.appointment_series (hospital_id, id),
  constraint occurrence_booked_as_an_appointment foreign key (hospital_id, appointment_id)
    references app_public.appointment (hospital_id, id) on delete cascade,
  constraint an_occurrence_is_booked_or_refused check ((appointment_id is null) <> (scenario is null))
);
create index occurrence_of_an_appointment on app_public.series_occurrence (hospital_id, appointment_id) where appointment_id is not null;
comment on table app_public.series_occurrence is 'What became of one occurrence of a series when it was booked.';
comment on column app_public.series_occurrence.number is 'Which one, from 1.';
comment on column app_public.series_occurrence.patient_id is 'Patient of the series.';
comment on column app_public.series_occurrence.doctor_id is 'Doctor of the series.';
comment on column app_public.series_occurrence.starts_at is 'Start that was wished for: the local time of the first one.';
comment on column app_public.series_occurrence.appointment_id is 'Its appointment; null when it was refused.';
comment on column app_public.series_occurrence.scenario is 'Why it was refused; null when it was booked.';
comment on column app_public.series_occurrence.details is 'Details of the refusal.';

create table app_public.appointment_seat (
  hospital_id uuid not null constraint appointment_seat_of_a_hospital references app_public.hospital (id),
  appointment_id uuid not null,
  slot_id uuid not null,
  doctor_id uuid not null,
  location_id uuid not null,
  primary key (hospital_id, appointment_id, slot_id),
  constraint seat_of_an_appointment foreign key (hospital_id, appointment_id)
    references app_public.appointment (hospital_id, id) on delete cascade,
  constraint seat_in_a_slot foreign key (hospital_id, slot_id, doctor_id, location_id)
    references app_public.slot (hospital_id, id, doctor_id, location_id)
);
create index appointment_seat_in_a_slot on app_public.appointment_seat (hospital_id, slot_id);
comment on table app_public.appointment_seat is
  'A seat in a further slot, held by an appointment whose visit or buffers need more than one; there as long as the appointment holds its seat.';
comment on column app_public.appointment_seat.slot_id is 'The further slot.';
comment on column app_public.appointment_seat.doctor_id is 'Doctor of the slot.';
comment on column app_public.appointment_seat.location_id is 'Location of the slot.';

create type app_public.waitlist_status as enum ('waiting', 'offered', 'booked', 'cancelled', 'expired');
comment on type app_public.waitlist_status is
  'State of a place on the waitlist: waiting, offered (a seat is held for the patient''s answer), booked, cancelled, expired (its days have passed).';
create type app_public.offer_outcome as enum ('open', 'accepted', 'declined', 'lapsed');
comment on type app_public.offer_outcome is 'What became of an offered seat.';

create table app_public.waitlist_entry (
  hospital_id uuid not null constraint waitlist_entry_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  patient_id uuid not null,
  doctor_id uuid,
  specialty text constraint a_wished_specialty_is_not_empty check (length(btrim(specialty)) between 1 and 100),
  service_id uuid,
  location_id uuid,
  first_day date not null,
  last_day date not null,
  earliest_time time,
  latest_time time,
  reason text constraint a_waitlist_reason_is_at_most_2000_characters check (length(reason) <= 2000),
  status app_public.waitlist_status not null default 'waiting',
  created_by uuid,
  created_at timestamptz not null default app_private.clock(),
  ended_at timestamptz,
  primary key (hospital_id, id),
  constraint waitlist_entry_of_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint waitlist_entry_for_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint waitlist_entry_for_a_service foreign key (hospital_id, service_id) references app_public.service (hospital_id, id),
  constraint waitlist_entry_for_a_location foreign key (hospital_id, location_id) references app_public.location (hospital_id, id),
  constraint waitlist_entry_created_by_an_account foreign key (hospital_id, created_by) references app_public.account (hospital_id, id),
  constraint a_patient_waits_for_a_doctor_or_a_specialty check ((doctor_id is null) <> (specialty is null)),
  constraint a_wait_begins_before_it_ends check (first_day <= last_day),
  constraint a_wait_lasts_at_most_a_year check (last_day - first_day <= 366),
  constraint wished_hours_begin_before_they_end check (earliest_time < latest_time),
  constraint an_ended_wait_has_a_time check ((status in ('waiting', 'offered')) = (ended_at is null)),
  constraint a_patient_waits_once_for_a_doctor_or_a_specialty exclude using gist (
    hospital_id with =, patient_id with =, (coalesce(doctor_id::text, specialty)) with =,
    (daterange(first_day, last_day, '[]')) with &&
  ) where (status in ('waiting', 'offered'))
);
create index waitlist_of_a_doctor on app_public.waitlist_entry (hospital_id, doctor_id, id) where status = 'waiting';
create index waitlist_of_a_specialty on app_public.waitlist_entry (hospital_id, specialty, id) where status = 'waiting';
comment on table app_public.waitlist_entry is 'A patient who waits for a seat with a doctor or in a specialty; first come, first offered.';
comment on column app_public.waitlist_entry.doctor_id is 'The doctor waited for; null when any of the specialty will do.';
comment on column app_public.waitlist_entry.specialty is 'The specialty waited for; null when it is one doctor.';
comment on column app_public.waitlist_entry.service_id is 'The kind of visit.';
comment on column app_public.waitlist_entry.location_id is 'Only there; null: anywhere in the hospital.';
comment on column app_public.waitlist_entry.first_day is 'First local day that suits.';
comment on column app_public.waitlist_entry.last_day is 'Last local day that suits.';
comment on column app_public.waitlist_entry.earliest_time is 'Earliest local start that suits; null: any.';
comment on column app_public.waitlist_entry.latest_time is 'Latest local start that suits; null: any.';
comment on column app_public.waitlist_entry.reason is 'Why the patient comes.';
comment on column app_public.waitlist_entry.status is 'State; changed only by functions and by the answers to offers.';
comment on column app_public.waitlist_entry.created_by is 'Account that entered it; null when an operator did.';
comment on column app_public.waitlist_entry.created_at is 'Since when the patient waits.';
comment on column app_public.waitlist_entry.ended_at is 'When the wait ended.';

create table app_public.waitlist_offer (
  hospital_id uuid not null constraint waitlist_offer_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  entry_id uuid not null,
  patient_id uuid not null,
  doctor_id uuid not null,
  slot_id uuid not null,
  appointment_id uuid not null,
  outcome app_public.offer_outcome not null default 'open',
  offered_at timestamptz not null,
  decided_at timestamptz,
  primary key (hospital_id, id),
  constraint offer_to_a_waitlist_entry foreign key (hospital_id, entry_id) references app_public.waitlist_entry (hospital_id, id),
  constraint offer_of_a_slot foreign key (hospital_id, slot_id) references app_public.slot (hospital_id, id) on delete cascade,
  constraint offer_held_as_an_appointment foreign key (hospital_id, appointment_id)
    references app_public.appointment (hospital_id, id) on delete cascade,
  constraint an_appointment_is_one_offer unique (hospital_id, appointment_id),
  constraint a_slot_is_offered_once_to_an_entry unique (hospital_id, entry_id, slot_id),
  constraint a_decided_offer_has_a_time check ((outcome = 'open') = (decided_at is null))
);
create index offer_of_a_slot_in_order on app_public.waitlist_offer (hospital_id, slot_id);
comment on table app_public.waitlist_offer is 'A seat that was held for a patient on the waitlist, and what became of it.';
comment on column app_public.waitlist_offer.patient_id is 'Patient of the entry.';
comment on column app_public.waitlist_offer.doctor_id is 'Doctor of the slot.';
comment on column app_public.waitlist_offer.slot_id is 'The slot that was offered.';
comment on column app_public.waitlist_offer.appointment_id is 'The held appointment: confirmHold accepts the offer, cancelAppointment declines it.';
comment on column app_public.waitlist_offer.outcome is 'What became of it.';
comment on column app_public.waitlist_offer.offered_at is 'When it was offered.';
comment on column app_public.waitlist_offer.decided_at is 'When it was accepted, declined or lapsed.';

create type app_public.notification_priority as enum ('normal', 'high');
comment on type app_public.notification_priority is 'How urgent a notification is.';

create table app_public.notification_template (
  event text not null constraint an_event_is_a_snake_case_word check (event ~ '^[a-z][a-z_]*$'),
  audience text not null constraint an_audience_is_patient_doctor_or_staff check (audience in ('patient', 'doctor', 'staff')),
  priority app_public.notification_priority not null,
  channels text[] not null
    constraint channels_are_in_app_email_and_sms check (cardinality(channels) > 0 and channels <@ array['in_app', 'email', 'sms']),
  title text not null constraint a_template_has_a_title check (length(btrim(title)) > 0),
  body text not null constraint a_template_has_a_body check (length(btrim(body)) > 0),
  primary key (event, audience)
);
comment on table app_public.notification_template is
  'The words of every notification, by event and audience. {patient}, {doctor}, {location}, {starts_at} and other names in braces stand for facts of the event.';
comment on column app_public.notification_template.event is 'What happened.';
comment on column app_public.notification_template.audience is 'Who is told.';
comment on column app_public.notification_template.priority is 'How urgent it is.';
comment on column app_public.notification_template.channels is 'By which channels it goes out.';
comment on column app_public.notification_template.title is 'Title, with names in braces for facts.';
comment on column app_public.notification_template.body is 'Text, with names in braces for facts.';

-- Written only by triggers and flows, from rows that have their hospital by a foreign key; the
-- recipient's key carries it here, and one check less is one check less in every booking.
create table app_public.notification (
  hospital_id uuid not null,
  id uuid not null default app_private.new_id(),
  patient_id uuid,
  doctor_id uuid,
  account_id uuid,
  event text not null,
  priority app_public.notification_priority not null,
  channels text[] not null,
  title text not null,
  body text not null,
  appointment_id uuid,
  created_at timestamptz not null,
  read_at timestamptz,
  primary key (hospital_id, id),
  constraint notification_to_a_patient foreign key (hospital_id, patient_id) references app_public.patient (hospital_id, id),
  constraint notification_to_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint notification_to_an_account foreign key (hospital_id, account_id) references app_public.account (hospital_id, id),
  constraint notification_of_an_appointment foreign key (hospital_id, appointment_id)
    references app_public.appointment (hospital_id, id) on delete cascade,
  constraint a_notification_has_one_recipient check (num_nonnulls(patient_id, doctor_id, account_id) = 1)
);
create index notification_of_a_patient on app_public.notification (hospital_id, patient_id, id) where patient_id is not null;
create index notification_of_a_doctor on app_public.notification (hospital_id, doctor_id, id) where doctor_id is not null;
create index notification_of_an_account on app_public.notification (hospital_id, account_id, id) where account_id is not null;
create index notification_about_an_appointment on app_public.notification (hospital_id, appointment_id) where appointment_id is not null;
comment on table app_public.notification is 'Something that a patient, a doctor or a member of the staff is told: a row of their inbox.';
comment on column app_public.notification.patient_id is 'The patient who is told.';
comment on column app_public.notification.doctor_id is 'The doctor who is told.';
comment on column app_public.notification.account_id is 'The member of the staff who is told.';
comment on column app_public.notification.event is 'What happened; names its template.';
comment on column app_public.notification.priority is 'How urgent it is.';
comment on column app_public.notification.channels is 'By which channels it goes out.';
comment on column app_public.notification.title is 'Title.';
comment on column app_public.notification.body is 'Text; times are local times of the hospital.';
comment on column app_public.notification.appointment_id is 'The appointment that it is about.';
comment on column app_public.notification.created_at is 'When it happened.';
comment on column app_public.notification.read_at is 'When its reader marked it as read; null while unread.';

-- The log and the outbox are written by triggers only, from rows whose hospital a foreign key has
-- checked already; checking it again costs every booking two look-ups.
alter table app_public.audit_entry drop constraint audit_entry_of_a_hospital;
alter table app_private.outbox drop constraint outbox_of_a_hospital;

reset role;
