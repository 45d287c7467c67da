--! Previous: sha1:adbb97d859c2265a0db018504e8dea885d31b519
--! Hash: sha1:2b7fcd8e75f589d0baad97ff3b606cd9195a1e71
--! Message: scheduling

--! split: 03-scheduling.sql
-- Scheduling: kinds of visit, weekly working hours, and the slots cut from them.

set local role app_owner;

create table app_public.service (
  hospital_id uuid not null constraint service_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  name text not null constraint a_service_has_a_name check (length(btrim(name)) between 1 and 200),
  duration interval
    constraint a_service_lasts_5_minutes_to_8_hours check (duration between interval '5 minutes' and interval '8 hours'),
  external_event_type text,
  is_active boolean not null default true,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint a_service_name_is_unique_in_its_hospital unique (hospital_id, name)
);
comment on table app_public.service is 'A kind of visit.';
comment on column app_public.service.name is 'Name for people, unique in the hospital.';
comment on column app_public.service.duration is 'How long the visit takes; null: as long as the slot.';
comment on column app_public.service.external_event_type is 'Event type of this service in an external calendar.';
comment on column app_public.service.is_active is 'False: not offered any more.';

create type app_private.time_range as range (subtype = time);
comment on type app_private.time_range is 'A stretch of local time within one day.';

create table app_public.schedule (
  hospital_id uuid not null constraint schedule_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  doctor_id uuid not null,
  location_id uuid not null,
  weekday smallint not null constraint a_weekday_is_1_monday_to_7_sunday check (weekday between 1 and 7),
  start_time time not null,
  end_time time not null,
  break_start time,
  break_end time,
  slot_capacity integer not null default 1
    constraint a_slot_capacity_is_1_to_100 check (slot_capacity between 1 and 100),
  effective_from date not null default '2000-01-01',
  effective_until date,
  is_active boolean not null default true,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint a_schedule_is_of_one_doctor_at_one_location unique (hospital_id, id, doctor_id, location_id),
  constraint schedule_of_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint schedule_at_a_location foreign key (hospital_id, location_id) references app_public.location (hospital_id, id),
  constraint a_schedule_starts_before_it_ends check (start_time < end_time),
  constraint a_break_has_both_ends check ((break_start is null) = (break_end is null)),
  constraint a_break_lies_within_the_working_hours check (
    break_start < break_end and break_start >= start_time and break_end <= end_time),
  constraint a_schedule_begins_before_it_expires check (effective_from <= effective_until),
  constraint schedules_of_a_doctor_never_overlap exclude using gist (
    hospital_id with =,
    doctor_id with =,
    weekday with =,
    (app_private.time_range(start_time, end_time)) with &&,
    (daterange(effective_from, effective_until, '[]')) with &&
  ) where (is_active)
);
create index schedule_of_a_doctor_by_weekday on app_public.schedule (hospital_id, doctor_id, weekday);
comment on table app_public.schedule is 'A doctor''s weekly working hours at a location.';
comment on column app_public.schedule.weekday is 'Day of the week by ISO 8601: 1 Monday to 7 Sunday.';
comment on column app_public.schedule.start_time is 'Local time at which work starts.';
comment on column app_public.schedule.end_time is 'Local time at which work ends, after the start and on the same day.';
comment on column app_public.schedule.break_start is 'Local time at which the break starts; null without a break.';
comment on column app_public.schedule.break_end is 'Local time at which the break ends; null without a break.';
comment on column app_public.schedule.slot_capacity is 'How many patients each slot takes.';
comment on column app_public.schedule.effective_from is 'First local date on which the schedule holds.';
comment on column app_public.schedule.effective_until is 'Last local date on which the schedule holds; null: no end.';
comment on column app_public.schedule.is_active is 'False: kept as history, generates nothing.';

create type app_public.slot_status as enum ('available', 'booked', 'blocked', 'withdrawn');
comment on type app_public.slot_status is
  'Whether a slot can be booked: available (room left), booked (no room left), blocked (kept free by hand), withdrawn (no longer offered).';

create table app_public.slot (
  hospital_id uuid not null constraint slot_of_a_hospital references app_public.hospital (id),
  id uuid not null default app_private.new_id(),
  doctor_id uuid not null,
  location_id uuid not null,
  schedule_id uuid,
  during tstzrange not null
    constraint a_slot_is_a_bounded_stretch_of_time check (
      not isempty(during) and not lower_inf(during) and not upper_inf(during) and lower_inc(during) and not upper_inc(during)),
  capacity integer not null default 1,
  booked_count integer not null default 0,
  blocked_at timestamptz,
  blocked_reason text,
  withdrawn_at timestamptz,
  starts_at timestamptz not null generated always as (lower(during)) stored,
  ends_at timestamptz not null generated always as (upper(during)) stored,
  status app_public.slot_status not null generated always as (
    case
      when withdrawn_at is not null then 'withdrawn'::app_public.slot_status
      when blocked_at is not null then 'blocked'::app_public.slot_status
      when booked_count >= capacity then 'booked'::app_public.slot_status
      else 'available'::app_public.slot_status
    end) stored,
  created_at timestamptz not null default app_private.clock(),
  primary key (hospital_id, id),
  constraint a_slot_is_of_one_doctor_at_one_location unique (hospital_id, id, doctor_id, location_id),
  constraint slot_of_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint slot_at_a_location foreign key (hospital_id, location_id) references app_public.location (hospital_id, id),
  constraint slot_from_a_schedule foreign key (hospital_id, schedule_id, doctor_id, location_id)
    references app_public.schedule (hospital_id, id, doctor_id, location_id),
  constraint a_slot_has_room_for_1_to_100 check (capacity between 1 and 100),
  constraint a_slot_never_holds_more_than_its_capacity check (booked_count between 0 and capacity),
  constraint a_withdrawn_slot_is_empty check (withdrawn_at is null or booked_count = 0),
  constraint a_blocked_slot_has_a_time_and_a_reason check ((blocked_at is null) = (blocked_reason is null)),
  constraint slots_of_a_doctor_never_overlap exclude using gist (
    hospital_id with =, doctor_id with =, during with &&
  ) where (withdrawn_at is null)
) with (fillfactor = 80);
create index slot_of_a_doctor_by_time on app_public.slot (hospital_id, doctor_id, starts_at);
comment on table app_public.slot is 'A bookable stretch of a doctor''s time at a location, with room for one or more patients.';
comment on column app_public.slot.schedule_id is 'The schedule that it was cut from.';
comment on column app_public.slot.during is 'From its start (included) to its end (excluded).';
comment on column app_public.slot.capacity is 'How many patients it takes.';
comment on column app_public.slot.booked_count is 'How many seats are taken; changed only by appointments.';
comment on column app_public.slot.blocked_at is 'Since when the slot is blocked by hand; null when it is not.';
comment on column app_public.slot.blocked_reason is 'Why the slot is blocked.';
comment on column app_public.slot.withdrawn_at is 'Since when the slot is no longer offered; null while it is.';
comment on column app_public.slot.starts_at is 'Start of the slot.';
comment on column app_public.slot.ends_at is 'End of the slot.';
comment on column app_public.slot.status is 'Derived from the other columns; never written.';

create table app_public.doctor_day (
  hospital_id uuid not null constraint doctor_day_of_a_hospital references app_public.hospital (id),
  doctor_id uuid not null,
  day date not null,
  booked_count integer not null default 0,
  max_patients integer not null,
  primary key (hospital_id, doctor_id, day),
  constraint day_of_a_doctor foreign key (hospital_id, doctor_id) references app_public.doctor (hospital_id, id),
  constraint a_day_never_holds_more_than_its_limit check (booked_count between 0 and max_patients)
) with (fillfactor = 80);
comment on table app_public.doctor_day is 'A doctor''s local day: how many appointments it holds, and how many it may.';
comment on column app_public.doctor_day.day is 'Date in the hospital''s time zone.';
comment on column app_public.doctor_day.booked_count is 'Appointments that hold a seat on this day; changed only by appointments.';
comment on column app_public.doctor_day.max_patients is
  'The doctor''s daily limit; a day that was already fuller when the limit sank keeps what it has.';

reset role;
