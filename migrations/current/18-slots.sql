-- Free slots: of one doctor, of a search, of days that are not stored yet; and why there are none.

set local role app_owner;

create type app_public.free_slot as (
  slot_id uuid,
  doctor_id uuid,
  location_id uuid,
  starts_at timestamptz,
  ends_at timestamptz,
  capacity integer,
  seats_left integer,
  position text
);
comment on type app_public.free_slot is 'A time at which a visit can be booked now.';
comment on column app_public.free_slot.slot_id is
  'The slot to book with bookAppointment; null while its day is not stored yet: book it with requestAppointment, by doctor and start.';
comment on column app_public.free_slot.doctor_id is 'Doctor of the slot.';
comment on column app_public.free_slot.location_id is 'Where the doctor is.';
comment on column app_public.free_slot.starts_at is 'Start of the slot, and of the visit.';
comment on column app_public.free_slot.ends_at is 'End of the slot; a longer service takes the slots after it, too.';
comment on column app_public.free_slot.capacity is 'How many patients the slot takes.';
comment on column app_public.free_slot.seats_left is 'How many more it takes now.';
comment on column app_public.free_slot.position is
  'Where it stands among the free slots; given as beyond to searchFreeSlots, the search reads on after it.';

create type app_public.no_slots_cause as enum (
  'past', 'beyond_horizon', 'doctor_inactive', 'doctor_unavailable', 'hospital_holiday', 'no_working_hours',
  'daily_limit_reached', 'outside_wished_hours', 'too_short_for_service', 'full', 'blocked', 'doctor_absent');
comment on type app_public.no_slots_cause is
  'Why a doctor''s day has nothing to book: it is over (past), too far ahead (beyond_horizon); the doctor no longer works here (doctor_inactive), takes no appointments at present (doctor_unavailable), does not work then or there (no_working_hours), is away (doctor_absent), or has seen enough patients (daily_limit_reached); the hospital is closed (hospital_holiday); all slots are booked (full) or kept free by hand (blocked); those that are free are too few in a row (too_short_for_service), or at other hours than asked for (outside_wished_hours).';

create type app_public.no_slots_reason as (
  day date,
  doctor_id uuid,
  reason app_public.no_slots_cause,
  details jsonb
);
comment on type app_public.no_slots_reason is 'Why one doctor has nothing to book on one day.';
comment on column app_public.no_slots_reason.day is 'Local date.';
comment on column app_public.no_slots_reason.doctor_id is 'The doctor.';
comment on column app_public.no_slots_reason.reason is 'Why.';
comment on column app_public.no_slots_reason.details is 'What belongs to the reason, such as the name of the holiday or the first start outside the wished hours.';

drop function app_public.free_slots(uuid, timestamptz, timestamptz);

--! include functions/slots/slot_position.sql
--! include functions/slots/read_position.sql
--! include functions/slots/closed_times.sql
--! include functions/slots/lapsed_seats.sql
--! include functions/slots/slots_of_days.sql
--! include functions/slots/bookable_starts.sql
--! include functions/slots/free_slots.sql
--! include functions/slots/wished_doctors.sql
--! include functions/slots/search_free_slots.sql
--! include functions/slots/explain_no_slots.sql
--! include functions/jobs/claim_outbox.sql
--! include functions/booking/needed_slots.sql

reset role;
