--! Previous: sha1:9847a2658ad76146883fe05a449ba7fbf52e34ef
--! Hash: sha1:f7a34fea5b1df337fe8cf4759d8d53e9ca888995
--! Message: calendar

--! split: 1-current.sql
-- The calendar: absences and holidays close slots, services have buffers, and every window says so.

set local role app_owner;

alter table app_public.hospital
  add column generated_days integer
    constraint slots_are_generated_1_to_365_days_ahead check (generated_days between 1 and 365),
  add column offer_duration interval not null default interval '2 hours'
    constraint an_offer_lasts_5_minutes_to_3_days check (offer_duration between interval '5 minutes' and interval '3 days'),
  add column kept_years integer not null default 1
    constraint past_years_are_kept_for_0_to_50_years check (kept_years between 0 and 50);
comment on column app_public.hospital.generated_days is
  'How many days ahead slots are stored; null: to the booking horizon. Later days are computed on demand.';
comment on column app_public.hospital.offer_duration is
  'How long a seat that was offered (a proposed time, a seat for the waitlist) waits for the patient''s answer.';
comment on column app_public.hospital.kept_years is
  'How many past calendar years ended appointments stay among the current ones before they move to the archive.';

alter table app_public.doctor
  add column staff_number text
    constraint a_staff_number_is_not_empty check (length(btrim(staff_number)) between 1 and 50),
  add constraint a_staff_number_is_unique_in_its_hospital unique (hospital_id, staff_number);
comment on column app_public.doctor.staff_number is 'The hospital''s own number of the doctor, unique in the hospital; imports name doctors by it.';

alter table app_public.service
  add column buffer_before interval not null default interval '0'
    constraint a_buffer_before_is_at_most_2_hours check (buffer_before between interval '0' and interval '2 hours'),
  add column buffer_after interval not null default interval '0'
    constraint a_buffer_after_is_at_most_2_hours check (buffer_after between interval '0' and interval '2 hours');
comment on column app_public.service.buffer_before is 'Time of the doctor kept free before the visit.';
comment on column app_public.service.buffer_after is 'Time of the doctor kept free after the visit.';

create type app_public.absence_type as enum (
  'annual_leave', 'sick_leave', 'conference', 'training', 'personal', 'emergency', 'other');
comment on type app_public.absence_type is
  'Why a doctor is away; emergency cancels the appointments that it touches, the others leave them for people to move.';
create type app_public.absence_status as enum ('active', 'cancelled');
comment on type app_public.absence_status is 'Whether an absence holds.';

create table app_public.absence (
  hospital_id uuid not null constraint absence_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  doctor_id uuid not null,
  type app_public.absence_type not null,
  first_day date not null,
  last_day date not null,
  start_time time,
  end_time time,
  during tstzrange not null
    constraint an_absence_is_a_bounded_stretch_of_time check (
      not isempty(during) and not lower_inf(during) and not upper_inf(during) and lower_inc(during) and not upper_inc(during)),
  reason text constraint an_absence_reason_is_at_most_2000_characters check (length(reason) <= 2000),
  status app_public.absence_status not null default 'active',
  created_by uuid,
  created_at timestamptz not null default app_private.clock(),
  cancelled_by uuid,
  cancelled_at timestamptz,
  primary key (hospital_id, id),
  constraint an_absence_is_of_one_doctor unique (hospital_id, id, doctor_id),
  constraint absence_of_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint absence_created_by_an_account foreign key (hospital_id, created_by) references app_public.account (hospital_id, id),
  constraint absence_cancelled_by_an_account foreign key (hospital_id, cancelled_by) references app_public.account (hospital_id, id),
  constraint an_absence_starts_before_it_ends check (first_day <= last_day),
  constraint an_absence_lasts_at_most_two_years check (last_day - first_day <= 731),
  constraint hours_of_an_absence_have_both_ends check ((start_time is null) = (end_time is null)),
  constraint hours_of_an_absence_are_of_one_day check (start_time is null or (first_day = last_day and start_time < end_time)),
  constraint a_cancelled_absence_has_a_time check ((status = 'cancelled') = (cancelled_at is not null)),
  constraint only_a_cancelled_absence_has_a_canceller check (status = 'cancelled' or cancelled_by is null),
  constraint absences_of_a_doctor_never_overlap exclude using gist (
    hospital_id with =, doctor_id with =, during with &&
  ) where (status = 'active')
);
comment on table app_public.absence is 'Time that a doctor is away: whole days, or hours of one day.';
comment on column app_public.absence.type is 'Kind of absence.';
comment on column app_public.absence.first_day is 'First local date.';
comment on column app_public.absence.last_day is 'Last local date, included.';
comment on column app_public.absence.start_time is 'Local time from which, for hours of one day; null: whole days.';
comment on column app_public.absence.end_time is 'Local time until which, for hours of one day; null: whole days.';
comment on column app_public.absence.during is 'From its start (included) to its end (excluded), in the hospital''s time zone.';
comment on column app_public.absence.reason is 'Why, for the staff.';
comment on column app_public.absence.status is 'Whether it holds.';
comment on column app_public.absence.created_by is 'Account that entered it; null when an operator did.';
comment on column app_public.absence.created_at is 'When it was entered.';
comment on column app_public.absence.cancelled_by is 'Account that cancelled it; null when an operator did.';
comment on column app_public.absence.cancelled_at is 'When it was cancelled.';

create table app_public.holiday (
  hospital_id uuid not null constraint holiday_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  name text not null constraint a_holiday_has_a_name check (length(btrim(name)) between 1 and 200),
  date date not null,
  is_recurring boolean not null default false,
  is_active boolean not null default true,
  created_at timestamptz not null default app_private.clock(),
  month_day integer not null generated always as (
    extract(month from date)::integer * 100 + extract(day from date)::integer) stored,
  primary key (hospital_id, id),
  constraint two_holidays_never_fall_on_one_day exclude using gist (
    hospital_id with =,
    month_day with =,
    (case when is_recurring then daterange(null, null) else daterange(date, date, '[]') end) with &&
  ) where (is_active)
);
comment on table app_public.holiday is 'A day on which the whole hospital is closed, once or every year.';
comment on column app_public.holiday.name is 'Name for people.';
comment on column app_public.holiday.date is 'The local date; of a recurring holiday its month and day count, in every year that has them (29 February only in leap years).';
comment on column app_public.holiday.is_recurring is 'Whether it returns every year.';
comment on column app_public.holiday.is_active is 'False: kept as history, closes nothing.';
comment on column app_public.holiday.month_day is 'Month and day as one number (1225 for 25 December); derived, never written.';

-- Why a slot is closed stands in the slot, so that one guarded update of it sees everything.
-- The status follows; a derived column cannot be changed in place on every supported version.
alter table app_public.slot drop column status;
alter table app_public.slot
  add column absence_id uuid,
  add column holiday_id uuid,
  add column is_retired boolean not null default false,
  add column status app_public.slot_status not null generated always as (
    case
      when withdrawn_at is not null or is_retired then 'withdrawn'::app_public.slot_status
      when blocked_at is not null or absence_id is not null or holiday_id is not null then 'blocked'::app_public.slot_status
      when booked_count >= capacity then 'booked'::app_public.slot_status
      else 'available'::app_public.slot_status
    end) stored,
  add constraint slot_in_an_absence_of_its_doctor foreign key (hospital_id, absence_id, doctor_id)
    references app_public.absence (hospital_id, id, doctor_id),
  add constraint slot_on_a_holiday foreign key (hospital_id, holiday_id) references app_public.holiday (hospital_id, id);
create index slot_of_an_absence on app_public.slot (hospital_id, absence_id) where absence_id is not null;
create index slot_of_a_holiday on app_public.slot (hospital_id, holiday_id) where holiday_id is not null;
create index slot_of_a_schedule on app_public.slot (hospital_id, schedule_id);
comment on column app_public.slot.absence_id is 'The absence of its doctor that closes it; null when none does.';
comment on column app_public.slot.holiday_id is 'The holiday that closes it; null when none does.';
comment on column app_public.slot.is_retired is
  'True: the schedule no longer has it; it keeps its appointments, takes no other, and is withdrawn when the last one leaves.';
comment on column app_public.slot.status is 'Derived from the other columns; never written.';
comment on type app_public.slot_status is
  'Whether a slot can be booked: available (room left), booked (no room left), blocked (kept free by hand, by an absence or a holiday), withdrawn (no longer offered).';

create table app_public.added_seat (
  hospital_id uuid not null constraint added_seat_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  slot_id uuid not null,
  doctor_id uuid not null,
  reason text not null constraint an_added_seat_has_a_reason check (length(btrim(reason)) between 1 and 2000),
  added_by uuid,
  added_at timestamptz not null,
  primary key (hospital_id, id),
  constraint seat_added_to_a_slot foreign key (hospital_id, slot_id) references app_public.slot (hospital_id, id) on delete cascade,
  constraint seat_added_to_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint seat_added_by_an_account foreign key (hospital_id, added_by) references app_public.account (hospital_id, id)
);
create index added_seat_of_a_slot on app_public.added_seat (hospital_id, slot_id);
comment on table app_public.added_seat is 'A seat that staff added to a slot beyond its schedule, and why.';
comment on column app_public.added_seat.doctor_id is 'Doctor of the slot.';
comment on column app_public.added_seat.reason is 'Why it was added.';
comment on column app_public.added_seat.added_by is 'Account that added it; null when an operator did.';
comment on column app_public.added_seat.added_at is 'When it was added.';

-- What a change of the calendar does, or would do: the same words for the change and its preview.
create type app_public.alternative_seat as (
  doctor_id uuid,
  doctor_name text,
  slot_id uuid,
  starts_at timestamptz
);
comment on type app_public.alternative_seat is 'A free seat with another doctor of the same specialty at the same time.';
comment on column app_public.alternative_seat.doctor_id is 'The doctor who could take the patient.';
comment on column app_public.alternative_seat.doctor_name is 'Name of the doctor.';
comment on column app_public.alternative_seat.slot_id is 'The slot with a free seat.';
comment on column app_public.alternative_seat.starts_at is 'Start of the slot.';

create type app_public.affected_appointment as (
  appointment_id uuid,
  patient_id uuid,
  doctor_id uuid,
  starts_at timestamptz,
  ends_at timestamptz,
  status app_public.appointment_status,
  alternatives app_public.alternative_seat[]
);
comment on type app_public.affected_appointment is 'An appointment that a change of the calendar touches, and who else could take it.';
comment on column app_public.affected_appointment.appointment_id is 'The appointment.';
comment on column app_public.affected_appointment.patient_id is 'Its patient.';
comment on column app_public.affected_appointment.doctor_id is 'Its doctor.';
comment on column app_public.affected_appointment.starts_at is 'Start of the visit.';
comment on column app_public.affected_appointment.ends_at is 'End of the visit.';
comment on column app_public.affected_appointment.status is 'Its state before the change.';
comment on column app_public.affected_appointment.alternatives is 'Seats with other doctors that are free at this time.';

create type app_public.calendar_change as (
  closed_slots integer,
  opened_slots integer,
  deleted_slots integer,
  withdrawn_slots integer,
  kept_slots integer,
  generated_slots integer,
  cancelled_appointments integer,
  notified_patients integer,
  affected_appointments app_public.affected_appointment[]
);
comment on type app_public.calendar_change is 'What a change of the calendar did, or would do.';
comment on column app_public.calendar_change.closed_slots is 'Slots that it closes.';
comment on column app_public.calendar_change.opened_slots is 'Slots that it opens again.';
comment on column app_public.calendar_change.deleted_slots is 'Slots ahead that nobody ever booked and that it deletes.';
comment on column app_public.calendar_change.withdrawn_slots is 'Empty slots with a history that it withdraws.';
comment on column app_public.calendar_change.kept_slots is 'Slots outside the new hours that stay for the appointments in them and take no others.';
comment on column app_public.calendar_change.generated_slots is 'New slots.';
comment on column app_public.calendar_change.cancelled_appointments is 'Appointments that it cancels.';
comment on column app_public.calendar_change.notified_patients is 'Patients who are told.';
comment on column app_public.calendar_change.affected_appointments is 'The appointments that it touches, soonest first.';

reset role;
