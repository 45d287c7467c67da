--! Previous: sha1:b97fb31adc4055780e36db69ac8d0b84b68df955
--! Hash: sha1:daa80c6f96ee96d91f3870d4868334805a036399
--! Message: free-slots

--! split: 1-current.sql
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

--! Included functions/slots/slot_position.sql
-- A start and a doctor, which no two free slots share, as one text of fixed length: whole
-- microseconds since 1970, and the doctor's id. It orders as time does and says nothing else, so it
-- stays true whatever is booked or freed around it.
create or replace function app_private.slot_position(starts_at timestamptz, doctor_id uuid) returns text
language sql stable parallel safe
return lpad(to_hex((extract(epoch from starts_at) * 1000000)::bigint), 16, '0') || replace(doctor_id::text, '-', '');

comment on function app_private.slot_position(timestamptz, uuid) is 'Where a free slot stands among all: by time, then by doctor.';

revoke execute on function app_private.slot_position(timestamptz, uuid) from public;
grant execute on function app_private.slot_position(timestamptz, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/slot_position.sql
--! Included functions/slots/read_position.sql
-- The way back from slot_position. Whatever a client sends instead is refused before it is cast; the
-- first digits leave no room for an instant that Postgres could not hold (the last is in the year 2540).
create or replace function app_private.read_position(
  wanted text, out starts_at timestamptz, out doctor_id uuid)
language plpgsql immutable parallel safe
as $$
begin
  if wanted !~ '^00[0-3][0-9a-f]{45}$' then
    perform app_private.refuse('invalid_input', jsonb_build_object('beyond', 'is not the position of a free slot'));
  end if;
  starts_at := timestamptz 'epoch'
    + ('x' || substr(wanted, 1, 16))::bit(64)::bigint * interval '1 microsecond';
  doctor_id := substr(wanted, 17)::uuid;
end
$$;

comment on function app_private.read_position(text) is 'Start and doctor of a position; refuses what is none.';

revoke execute on function app_private.read_position(text) from public;
grant execute on function app_private.read_position(text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/read_position.sql
--! Included functions/slots/closed_times.sql
-- When the hospital or a doctor is closed on these days, for slots that are not stored yet: stored
-- ones carry it themselves. It runs as the owner, because patients may not read absences; it tells
-- when somebody is away, never why.
create or replace function app_private.closed_times(hospital_id uuid, doctor_ids uuid[], first_day date, last_day date)
returns table (doctor_id uuid, during tstzrange, holiday text)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
declare
  zone text;
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  select hospital.time_zone into zone
  from app_public.hospital
  where hospital.id = closed_times.hospital_id;

  return query
  select absence.doctor_id, absence.during, null::text
  from unnest(doctor_ids) as asked (id)
  join app_public.absence
    on absence.hospital_id = closed_times.hospital_id
    and absence.doctor_id = asked.id
    and absence.status = 'active'
    and absence.during && tstzrange(
      closed_times.first_day::timestamp at time zone zone,
      (closed_times.last_day + 1)::timestamp at time zone zone);

  return query
  select null::uuid,
    tstzrange(calendar.midnight at time zone zone, (calendar.midnight + interval '1 day') at time zone zone),
    holiday.name
  from app_public.holiday
  join generate_series(
    closed_times.first_day::timestamp, closed_times.last_day::timestamp, interval '1 day') as calendar (midnight)
    on holiday.month_day = extract(month from calendar.midnight)::integer * 100 + extract(day from calendar.midnight)::integer
    and (holiday.is_recurring or holiday.date = calendar.midnight::date)
  where holiday.hospital_id = closed_times.hospital_id and holiday.is_active;
end
$$;

comment on function app_private.closed_times(uuid, uuid[], date, date) is
  'Absences of these doctors and, without a doctor, holidays of the hospital that touch the local days from the first to the last.';

revoke execute on function app_private.closed_times(uuid, uuid[], date, date) from public;
grant execute on function app_private.closed_times(uuid, uuid[], date, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/closed_times.sql
--! Included functions/slots/lapsed_seats.sql
-- Seats on which lapsed holds still sit, in one look for all doctors of a search; lapsed_holds is the
-- same for one doctor. There are few at any time: the sweeper comes every minute. It runs as the
-- owner and tells a slot and a time, never whose hold it is. The order is nobody's wish: it makes the
-- index of holds the best plan even while the table is empty.
create or replace function app_private.lapsed_seats(hospital_id uuid)
returns table (slot_id uuid, doctor_id uuid, starts_at timestamptz, counts_day boolean)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select seat.slot_id, hold.doctor_id, hold.starts_at, seat.counts_day
  from (
    select appointment.id, appointment.slot_id, appointment.doctor_id, appointment.starts_at
    from app_public.appointment
    where appointment.hospital_id = lapsed_seats.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
    order by appointment.held_until
  ) as hold
  cross join lateral (
    select hold.slot_id, true as counts_day
    union all
    select appointment_seat.slot_id, false
    from app_public.appointment_seat
    where appointment_seat.hospital_id = lapsed_seats.hospital_id
      and appointment_seat.appointment_id = hold.id
  ) as seat;
end
$$;

comment on function app_private.lapsed_seats(uuid) is
  'Slots of the hospital''s lapsed holds, whose seats are free for whoever comes next; only the first slot of each counts in the doctor''s day.';

revoke execute on function app_private.lapsed_seats(uuid) from public;
grant execute on function app_private.lapsed_seats(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/lapsed_seats.sql
--! Included functions/slots/slots_of_days.sql
-- All slots of some doctors on some local days, whether they can be booked or not, and what stands
-- in the way of each. A day that has rows is told by them; one that has none, by its grid: the same
-- slots that cutting the day would store, so that asking needs to write nothing. What booking judges
-- beyond the slot itself comes along: is_covered (an active schedule still has it) and day_has_room
-- (the doctor's daily limit).
-- One look by index for each doctor and day, whatever the planner knows of the tables (offset 0 keeps
-- it from anything else): its plan lives as long as the connection, also when it was made while they
-- were empty.
create or replace function app_private.slots_of_days(hospital_id uuid, doctor_ids uuid[], days date[])
returns table (
  slot_id uuid, doctor_id uuid, location_id uuid, day date, starts_at timestamptz, ends_at timestamptz,
  capacity integer, seats_left integer, is_covered boolean, day_has_room boolean,
  obstacle app_public.no_slots_cause)
language plpgsql stable rows 500
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  instant timestamptz := app_private.clock();
  zone text;
  lapsed uuid[];
  lapsed_doctors uuid[];
  lapsed_days date[];
begin
  select hospital.time_zone into zone
  from app_public.hospital
  where hospital.id = slots_of_days.hospital_id;
  select array_agg(seat.slot_id),
    array_agg(seat.doctor_id) filter (where seat.counts_day),
    array_agg((seat.starts_at at time zone zone)::date) filter (where seat.counts_day)
  into lapsed, lapsed_doctors, lapsed_days
  from app_private.lapsed_seats(slots_of_days.hospital_id) as seat;

  return query
  with here as materialized (
    select doctor.id as doctor_id, calendar.day, calendar.weekday,
      case when doctor.is_active then doctor.slot_duration end as grid_step,
      hours.location_ids, hours.wholes, hours.breaks,
      coalesce(
        doctor_day.booked_count - case when lapsed_days is null then 0 else (
          select count(*)
          from unnest(lapsed_doctors, lapsed_days) as seat (doctor_id, day)
          where seat.doctor_id = doctor.id and seat.day = calendar.day) end
        < least(doctor_day.max_patients, doctor.max_patients_per_day), true) as day_has_room,
      slot.id as slot_id, slot.location_id, slot.during, slot.starts_at, slot.ends_at, slot.capacity,
      slot.booked_count, slot.status, slot.absence_id, slot.holiday_id, slot.is_retired
    from unnest(slots_of_days.doctor_ids) as asked (doctor_id)
    cross join lateral (
      select doctor.id, doctor.is_active, doctor.slot_duration, doctor.max_patients_per_day
      from app_public.doctor
      where doctor.hospital_id = slots_of_days.hospital_id and doctor.id = asked.doctor_id
      offset 0
    ) as doctor
    cross join (
      select asked_day.day, extract(isodow from asked_day.day)::smallint as weekday,
        asked_day.day::timestamp at time zone zone as starts_at,
        (asked_day.day + 1)::timestamp at time zone zone as ends_at
      from unnest(slots_of_days.days) as asked_day (day)
      offset 0
    ) as calendar
    cross join lateral (
      select array_agg(schedule.location_id) as location_ids,
        array_agg(hours_of_day.whole) as wholes,
        array_agg(case when schedule.break_start is null then 'empty' else hours_of_day.break_time end) as breaks
      from app_public.schedule
      cross join lateral app_private.hours_of_day(
        zone, calendar.day, schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time)
      where schedule.hospital_id = slots_of_days.hospital_id
        and schedule.doctor_id = doctor.id
        and schedule.weekday = calendar.weekday
        and schedule.is_active
        and schedule.effective_from <= calendar.day
        and (schedule.effective_until is null or schedule.effective_until >= calendar.day)
    ) as hours
    left join lateral (
      select doctor_day.booked_count, doctor_day.max_patients
      from app_public.doctor_day
      where doctor_day.hospital_id = slots_of_days.hospital_id
        and doctor_day.doctor_id = doctor.id
        and doctor_day.day = calendar.day
      offset 0
    ) as doctor_day on true
    left join lateral (
      select slot.id, slot.location_id, slot.during, slot.starts_at, slot.ends_at, slot.capacity,
        slot.booked_count, slot.status, slot.absence_id, slot.holiday_id, slot.is_retired
      from app_public.slot
      where slot.hospital_id = slots_of_days.hospital_id
        and slot.doctor_id = doctor.id
        and slot.starts_at >= calendar.starts_at
        and slot.starts_at < calendar.ends_at
        and slot.withdrawn_at is null
      offset 0
    ) as slot on true
  ), unstored as materialized (
    select here.doctor_id, here.day, here.weekday, here.grid_step, here.day_has_room
    from here
    where here.slot_id is null and here.wholes is not null and here.grid_step is not null
  ), closed as materialized (
    select closed_times.doctor_id, closed_times.during, closed_times.holiday
    from (select min(unstored.day) as first_day, max(unstored.day) as last_day from unstored) as span
    cross join lateral app_private.closed_times(
      slots_of_days.hospital_id, doctor_ids, span.first_day, span.last_day)
    where span.first_day is not null
  )
  select here.slot_id, here.doctor_id, here.location_id, here.day, here.starts_at, here.ends_at,
    here.capacity, room.seats_left,
    case
      when here.wholes is null then false
      when cardinality(here.wholes) = 1
        then here.location_id = here.location_ids[1] and here.during <@ here.wholes[1] and not here.during && here.breaks[1]
      else (
        select coalesce(bool_or(here.during <@ hours.whole), false) and not coalesce(bool_or(here.during && hours.pause), false)
        from unnest(here.location_ids, here.wholes, here.breaks) as hours (location_id, whole, pause)
        where hours.location_id = here.location_id)
    end,
    here.day_has_room,
    (case
      when here.status = 'available' then null
      when here.holiday_id is not null then 'hospital_holiday'
      when here.absence_id is not null then 'doctor_absent'
      when here.is_retired then 'no_working_hours'
      when here.status = 'blocked' then 'blocked'
      when room.seats_left <= 0 then 'full'
    end)::app_public.no_slots_cause
  from here
  cross join lateral (
    select here.capacity - here.booked_count + case when lapsed is null then 0 else (
      select count(*)::integer from unnest(lapsed) as seat (slot_id) where seat.slot_id = here.slot_id) end as seats_left
    offset 0
  ) as room
  where here.slot_id is not null
  union all
  select null, grid.doctor_id, grid.location_id, grid.day, lower(grid.during), upper(grid.during),
    grid.slot_capacity, grid.slot_capacity, true, grid.day_has_room,
    (case when grid.during && any (grid.absences) then 'doctor_absent' end)::app_public.no_slots_cause
  from (
    select unstored.doctor_id, schedule.location_id, unstored.day, unstored.day_has_room, schedule.slot_capacity,
      tstzrange(
        lower(part.during) + step.number * unstored.grid_step,
        lower(part.during) + (step.number + 1) * unstored.grid_step) as during,
      away.absences
    from unstored
    cross join lateral (
      select array_agg(closed.during) filter (where closed.doctor_id = unstored.doctor_id) as absences,
        bool_or(closed.doctor_id is null
          and closed.during @> (unstored.day::timestamp + interval '12 hours') at time zone zone) as is_holiday
      from closed
    ) as away
    cross join lateral (
      select schedule.location_id, schedule.slot_capacity, schedule.start_time, schedule.break_start,
        schedule.break_end, schedule.end_time
      from app_public.schedule
      join app_public.location
        on location.hospital_id = slots_of_days.hospital_id
        and location.id = schedule.location_id
        and location.is_active
      where schedule.hospital_id = slots_of_days.hospital_id
        and schedule.doctor_id = unstored.doctor_id
        and schedule.weekday = unstored.weekday
        and schedule.is_active
        and schedule.effective_from <= unstored.day
        and (schedule.effective_until is null or schedule.effective_until >= unstored.day)
      offset 0
    ) as schedule
    cross join lateral app_private.hours_of_day(
      zone, unstored.day, schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time) as hours
    cross join lateral (
      select hours.before_break as during
      union all
      select hours.after_break where schedule.break_start is not null
    ) as part
    cross join lateral generate_series(
      0,
      floor(extract(epoch from upper(part.during) - lower(part.during))
        / extract(epoch from unstored.grid_step))::int - 1) as step (number)
    where away.is_holiday is not true
  ) as grid
  where lower(grid.during) > instant;
end
$$;

comment on function app_private.slots_of_days(uuid, uuid[], date[]) is
  'Stored and not yet stored slots of these doctors on these local days, and what stands in the way of each.';

revoke execute on function app_private.slots_of_days(uuid, uuid[], date[]) from public;
grant execute on function app_private.slots_of_days(uuid, uuid[], date[])
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/slots_of_days.sql
--! Included functions/slots/bookable_starts.sql
-- What can be booked now on these days, by the same facts that booking judges: offered, ahead, within
-- the horizon, with room in the slot and in the doctor's day (lapsed holds leave room), still covered
-- by the schedule, of a doctor who takes appointments. With a service, only starts at which it fits:
-- the visit lies in free slots of one location without a gap, and no slot that its buffers touch is
-- taken. As needed_slots, it goes by slots that are there: a day that is not stored has its grid for
-- its own visits, and nothing to offer or to refuse to those of the days beside it.
create or replace function app_private.bookable_starts(
  hospital_id uuid, doctor_ids uuid[], days date[], service_id uuid default null)
returns table (
  slot_id uuid, doctor_id uuid, location_id uuid, day date, starts_at timestamptz, ends_at timestamptz,
  capacity integer, seats_left integer)
language plpgsql stable rows 500
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  instant timestamptz := app_private.clock();
  zone text;
  first_day date;
  last_day date;
  wanted app_public.service;
begin
  select hospital.time_zone,
    (instant at time zone hospital.time_zone)::date,
    (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days
  into zone, first_day, last_day
  from app_public.hospital
  where hospital.id = bookable_starts.hospital_id;
  if service_id is not null then
    select * into wanted
    from app_public.service
    where service.hospital_id = bookable_starts.hospital_id and service.id = bookable_starts.service_id
      and service.is_active;
    if not found then
      perform app_private.refuse('service_not_found', jsonb_build_object('service_id', service_id));
    end if;
  end if;
  days := array(
    select distinct asked.day from unnest(days) as asked (day) where asked.day between first_day and last_day);
  doctor_ids := array(
    select doctor.id
    from app_public.doctor
    where doctor.hospital_id = bookable_starts.hospital_id
      and doctor.id = any (bookable_starts.doctor_ids)
      and doctor.is_active
      and doctor.is_available);

  if wanted.duration is null
    and coalesce(wanted.buffer_before, interval '0') = interval '0'
    and coalesce(wanted.buffer_after, interval '0') = interval '0'
  then
    return query
    select slot.slot_id, slot.doctor_id, slot.location_id, slot.day, slot.starts_at, slot.ends_at,
      slot.capacity, slot.seats_left
    from app_private.slots_of_days(bookable_starts.hospital_id, doctor_ids, days) as slot
    where slot.is_covered and slot.obstacle is null and slot.day_has_room and slot.starts_at > instant;
    return;
  end if;

  return query
  with slot as (
    select here.*,
      here.starts_at + coalesce(wanted.duration, here.ends_at - here.starts_at) as visit_ends_at,
      coalesce(
        lead(here.starts_at) over following = here.ends_at
        and lead(here.location_id) over following = here.location_id
        and lead(here.obstacle) over following is null
        and (lead(here.day) over following = here.day or lead(here.slot_id) over following is not null),
        false) as goes_on
    from app_private.slots_of_days(
      bookable_starts.hospital_id,
      doctor_ids,
      array(
        select distinct near.day
        from unnest(days) as asked (day)
        cross join lateral (values (asked.day - 1), (asked.day), (asked.day + 1)) as near (day))) as here
    window following as (partition by here.doctor_id order by here.starts_at)
  ), looked_round as (
    select slot.*,
      max(slot.ends_at) filter (where slot.obstacle is not null and slot.slot_id is not null) over earlier
        as taken_until,
      max(slot.ends_at) filter (where slot.obstacle is not null and slot.slot_id is null) over earlier
        as computed_taken_until,
      min(slot.starts_at) filter (where slot.obstacle is not null and slot.slot_id is not null) over later
        as taken_from,
      min(slot.starts_at) filter (where slot.obstacle is not null and slot.slot_id is null) over later
        as computed_taken_from,
      min(slot.ends_at) filter (where not slot.goes_on)
        over (partition by slot.doctor_id order by slot.starts_at desc rows unbounded preceding) as free_until
    from slot
    window
      earlier as (partition by slot.doctor_id order by slot.starts_at rows between unbounded preceding and 1 preceding),
      later as (partition by slot.doctor_id order by slot.starts_at desc rows between unbounded preceding and 1 preceding)
  )
  select looked_round.slot_id, looked_round.doctor_id, looked_round.location_id, looked_round.day,
    looked_round.starts_at, looked_round.ends_at, looked_round.capacity, looked_round.seats_left
  from looked_round
  cross join lateral (
    select
      greatest(looked_round.taken_until, case
        when looked_round.computed_taken_until > looked_round.day::timestamp at time zone zone
        then looked_round.computed_taken_until end) as until,
      least(looked_round.taken_from, case
        when looked_round.computed_taken_from < (looked_round.day + 1)::timestamp at time zone zone
        then looked_round.computed_taken_from end) as since
  ) as taken
  where looked_round.day = any (days)
    and looked_round.is_covered
    and looked_round.obstacle is null
    and looked_round.day_has_room
    and looked_round.starts_at > instant
    and looked_round.free_until >= looked_round.visit_ends_at
    and coalesce(taken.until <= looked_round.starts_at - wanted.buffer_before, true)
    and coalesce(taken.since >= looked_round.visit_ends_at + wanted.buffer_after, true);
end
$$;

comment on function app_private.bookable_starts(uuid, uuid[], date[], uuid) is
  'Slots of these doctors on these local days in which a visit (of this service) can begin and be booked now, in no order.';

revoke execute on function app_private.bookable_starts(uuid, uuid[], date[], uuid) from public;
grant execute on function app_private.bookable_starts(uuid, uuid[], date[], uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/bookable_starts.sql
--! Included functions/slots/free_slots.sql
-- What can be booked with one doctor. Cost follows the range asked for, not history.
create or replace function app_public.free_slots(
  doctor_id uuid, starting_from timestamptz default null, starting_before timestamptz default null,
  service_id uuid default null)
returns setof app_public.free_slot
language plpgsql stable rows 100
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  days date[];
begin
  if starting_before <= starting_from then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('starting_from', starting_from, 'starting_before', starting_before));
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = hospital_of_request and doctor.id = free_slots.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;

  select array(
    select calendar.midnight::date
    from generate_series(
      (greatest(starting_from, instant) at time zone hospital.time_zone)::date::timestamp,
      least(
        (starting_before at time zone hospital.time_zone)::date,
        (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days)::timestamp,
      interval '1 day') as calendar (midnight))
  into days
  from app_public.hospital
  where hospital.id = hospital_of_request;

  return query
  select slot.slot_id, slot.doctor_id, slot.location_id, slot.starts_at, slot.ends_at, slot.capacity,
    slot.seats_left, app_private.slot_position(slot.starts_at, slot.doctor_id)
  from app_private.bookable_starts(
    hospital_of_request, array[free_slots.doctor_id], days, free_slots.service_id) as slot
  where (starting_from is null or slot.starts_at >= starting_from)
    and (starting_before is null or slot.starts_at < starting_before)
  order by slot.starts_at;
end
$$;

comment on function app_public.free_slots(uuid, timestamptz, timestamptz, uuid) is
  'What can be booked with a doctor now, soonest first, starting in [startingFrom, startingBefore): from now to the end of the booking horizon when these are not given. With a service, only starts at which it fits.';

revoke execute on function app_public.free_slots(uuid, timestamptz, timestamptz, uuid) from public;
grant execute on function app_public.free_slots(uuid, timestamptz, timestamptz, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/free_slots.sql
--! Included functions/slots/wished_doctors.sql
-- The doctors that a search is about, and the guards that both searches share. Each reference is looked
-- up in the hospital of the request, so that one of another hospital is as unknown as none.
create or replace function app_private.wished_doctors(
  hospital_id uuid, doctor_id uuid, specialty text, location_id uuid, service_id uuid,
  first_day date, last_day date, earliest_time time, latest_time time, weekdays integer[])
returns uuid[]
language plpgsql stable
as $$
begin
  if last_day < first_day or not isfinite(first_day) or not isfinite(last_day) then
    perform app_private.refuse('invalid_range', jsonb_build_object('first_day', first_day, 'last_day', last_day));
  end if;
  if latest_time < earliest_time then
    perform app_private.refuse('invalid_range',
      jsonb_build_object('earliest_time', earliest_time, 'latest_time', latest_time));
  end if;
  if weekdays <> '{}' and not weekdays <@ array[1, 2, 3, 4, 5, 6, 7] then
    perform app_private.refuse('invalid_input', jsonb_build_object('weekdays', 'are numbers from 1 (Monday) to 7 (Sunday)'));
  end if;
  if doctor_id is not null and not exists (
    select from app_public.doctor
    where doctor.hospital_id = wished_doctors.hospital_id and doctor.id = wished_doctors.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  if location_id is not null and not exists (
    select from app_public.location
    where location.hospital_id = wished_doctors.hospital_id and location.id = wished_doctors.location_id)
  then
    perform app_private.refuse('location_not_found', jsonb_build_object('location_id', location_id));
  end if;
  if service_id is not null and not exists (
    select from app_public.service
    where service.hospital_id = wished_doctors.hospital_id and service.id = wished_doctors.service_id
      and service.is_active)
  then
    perform app_private.refuse('service_not_found', jsonb_build_object('service_id', service_id));
  end if;

  if doctor_id is not null then
    return array(
      select doctor.id
      from app_public.doctor
      where doctor.hospital_id = wished_doctors.hospital_id
        and doctor.id = wished_doctors.doctor_id
        and (wished_doctors.specialty is null or doctor.specialty = wished_doctors.specialty));
  elsif specialty is not null then
    return array(
      select doctor.id
      from app_public.doctor
      where doctor.hospital_id = wished_doctors.hospital_id and doctor.specialty = wished_doctors.specialty);
  end if;
  return array(
    select doctor.id
    from app_public.doctor
    where doctor.hospital_id = wished_doctors.hospital_id);
end
$$;

comment on function app_private.wished_doctors(uuid, uuid, text, uuid, uuid, date, date, time, time, integer[]) is
  'Doctors of a search; refuses wishes that contradict themselves or name what is not there.';

revoke execute on function
  app_private.wished_doctors(uuid, uuid, text, uuid, uuid, date, date, time, time, integer[]) from public;
grant execute on function
  app_private.wished_doctors(uuid, uuid, text, uuid, uuid, date, date, time, time, integer[])
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/wished_doctors.sql
--! Included functions/slots/search_free_slots.sql
-- The soonest free slots over many doctors. It reads a day of all of them, then twice as many days, and
-- so on until the page is full: what it reads follows the page and the number of doctors, neither
-- history nor how many slots lie ahead. A position is a start and a doctor, so a page that is read on
-- from it neither repeats nor skips what stayed free.
create or replace function app_public.search_free_slots(
  doctor_id uuid default null,
  specialty text default null,
  location_id uuid default null,
  service_id uuid default null,
  first_day date default null,
  last_day date default null,
  earliest_time time default null,
  latest_time time default null,
  weekdays integer[] default null,
  page_size integer default 50,
  beyond text default null)
returns setof app_public.free_slot
language plpgsql stable rows 50
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  after_start timestamptz;
  after_doctor uuid;
  doctors uuid[];
  zone text;
  days date[];
  done integer := 0;
  step integer := 1;
  wanted integer := coalesce(page_size, 50);
  found_now integer;
begin
  if wanted not between 1 and 100 then
    perform app_private.refuse('invalid_input', jsonb_build_object('page_size', 'is between 1 and 100'));
  end if;
  if beyond is not null then
    select position.starts_at, position.doctor_id into after_start, after_doctor
    from app_private.read_position(beyond) as position;
  end if;
  doctors := app_private.wished_doctors(
    hospital_of_request, doctor_id, specialty, location_id, service_id,
    first_day, last_day, earliest_time, latest_time, weekdays);
  doctors := array(
    select doctor.id
    from app_public.doctor
    where doctor.hospital_id = hospital_of_request
      and doctor.id = any (doctors)
      and doctor.is_active
      and doctor.is_available);
  if search_free_slots.location_id is not null then
    doctors := array(
      select distinct schedule.doctor_id
      from app_public.schedule
      where schedule.hospital_id = hospital_of_request
        and schedule.doctor_id = any (doctors)
        and schedule.location_id = search_free_slots.location_id
        and schedule.is_active);
  end if;

  select hospital.time_zone, array(
    select calendar.midnight::date
    from generate_series(
      greatest(first_day, (greatest(after_start, instant) at time zone hospital.time_zone)::date)::timestamp,
      least(last_day, (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days)::timestamp,
      interval '1 day') as calendar (midnight)
    where coalesce(weekdays, '{}') = '{}'
      or extract(isodow from calendar.midnight)::integer = any (weekdays)
    order by calendar.midnight)
  into zone, days
  from app_public.hospital
  where hospital.id = hospital_of_request;

  while wanted > 0 and doctors <> '{}' and done < cardinality(days) loop
    return query
    select slot.slot_id, slot.doctor_id, slot.location_id, slot.starts_at, slot.ends_at, slot.capacity,
      slot.seats_left, app_private.slot_position(slot.starts_at, slot.doctor_id)
    from app_private.bookable_starts(
      hospital_of_request, doctors, days[done + 1:done + step], search_free_slots.service_id) as slot
    where (search_free_slots.location_id is null or slot.location_id = search_free_slots.location_id)
      and (earliest_time is null or (slot.starts_at at time zone zone)::time >= earliest_time)
      and (latest_time is null or (slot.starts_at at time zone zone)::time <= latest_time)
      and (after_start is null or (slot.starts_at, slot.doctor_id) > (after_start, after_doctor))
    order by slot.starts_at, slot.doctor_id
    limit wanted;
    get diagnostics found_now = row_count;
    wanted := wanted - found_now;
    done := done + step;
    step := step * 2;
  end loop;
end
$$;

comment on function
  app_public.search_free_slots(uuid, text, uuid, uuid, date, date, time, time, integer[], integer, text) is
  'What can be booked now in the hospital, soonest first over all doctors that the wishes leave; every wish may be left out. Days and times are local to the hospital. A page has at most pageSize rows; give the position of its last row as beyond to read on. A page with fewer rows is the last.';

revoke execute on function
  app_public.search_free_slots(uuid, text, uuid, uuid, date, date, time, time, integer[], integer, text) from public;
grant execute on function
  app_public.search_free_slots(uuid, text, uuid, uuid, date, date, time, time, integer[], integer, text)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/search_free_slots.sql
--! Included functions/slots/explain_no_slots.sql
-- For those whom a search leaves with nothing: each day of each doctor without a free slot, and why.
-- Of several reasons the one that no waiting or asking would change comes first: the day, the doctor,
-- the house, the hours; then what could still be done about it.
create or replace function app_public.explain_no_slots(
  doctor_id uuid default null,
  specialty text default null,
  location_id uuid default null,
  service_id uuid default null,
  first_day date default null,
  last_day date default null,
  earliest_time time default null,
  latest_time time default null,
  weekdays integer[] default null)
returns setof app_public.no_slots_reason
language plpgsql stable rows 100
as $$
declare
  most constant integer := 2000;
  hospital_of_request uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  doctors uuid[];
  zone text;
  today date;
  horizon date;
  days date[];
begin
  doctors := app_private.wished_doctors(
    hospital_of_request, doctor_id, specialty, location_id, service_id,
    first_day, last_day, earliest_time, latest_time, weekdays);
  select hospital.time_zone, (instant at time zone hospital.time_zone)::date,
    (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days
  into zone, today, horizon
  from app_public.hospital
  where hospital.id = hospital_of_request;
  first_day := coalesce(first_day, least(today, last_day));
  last_day := coalesce(last_day, greatest(horizon, first_day));
  if (last_day - first_day + 1)::bigint * greatest(cardinality(doctors), 1) > most then
    perform app_private.refuse('invalid_range', jsonb_build_object(
      'first_day', first_day, 'last_day', last_day, 'doctors', cardinality(doctors), 'most_doctor_days', most));
  end if;
  days := array(
    select calendar.midnight::date
    from generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') as calendar (midnight)
    where coalesce(weekdays, '{}') = '{}'
      or extract(isodow from calendar.midnight)::integer = any (weekdays));

  return query
  with bookable as materialized (
    select slot.doctor_id, slot.day,
      min(slot.starts_at) as first_start,
      bool_or(
        (earliest_time is null or (slot.starts_at at time zone zone)::time >= earliest_time)
        and (latest_time is null or (slot.starts_at at time zone zone)::time <= latest_time)) as is_wished
    from app_private.bookable_starts(hospital_of_request, doctors, days, explain_no_slots.service_id) as slot
    where explain_no_slots.location_id is null or slot.location_id = explain_no_slots.location_id
    group by 1, 2
  ), tally as materialized (
    select slot.doctor_id, slot.day,
      bool_and(slot.day_has_room) as day_has_room,
      count(*) filter (where slot.is_covered) as covered,
      count(*) filter (where slot.is_covered and slot.starts_at > instant) as ahead,
      count(*) filter (where slot.starts_at > instant and slot.obstacle is null and slot.is_covered) as free,
      count(*) filter (where slot.starts_at > instant and slot.obstacle = 'full') as booked,
      count(*) filter (where slot.starts_at > instant and slot.obstacle = 'blocked') as blocked,
      count(*) filter (where slot.starts_at > instant and slot.obstacle = 'doctor_absent') as absent
    from app_private.slots_of_days(
      hospital_of_request, doctors,
      array(select asked.day from unnest(days) as asked (day) where asked.day between today and horizon)) as slot
    where explain_no_slots.location_id is null or slot.location_id = explain_no_slots.location_id
    group by 1, 2
  ), working as materialized (
    select distinct schedule.doctor_id, asked.day
    from app_public.schedule
    join unnest(days) as asked (day)
      on schedule.weekday = extract(isodow from asked.day)::smallint
      and schedule.effective_from <= asked.day
      and (schedule.effective_until is null or schedule.effective_until >= asked.day)
    join app_public.location
      on location.hospital_id = hospital_of_request and location.id = schedule.location_id
    left join tally on tally.doctor_id = schedule.doctor_id and tally.day = asked.day
    where schedule.hospital_id = hospital_of_request
      and schedule.doctor_id = any (doctors)
      and schedule.is_active
      and (location.is_active or tally.covered > 0)
      and (explain_no_slots.location_id is null or schedule.location_id = explain_no_slots.location_id)
  ), holiday as materialized (
    select (lower(closed_times.during) at time zone zone)::date as day, closed_times.holiday as name
    from app_private.closed_times(hospital_of_request, '{}', first_day, last_day)
  )
  select asked.day, doctor.id, cause.reason::app_public.no_slots_cause, jsonb_strip_nulls(
    case cause.reason
      when 'beyond_horizon' then jsonb_build_object('last_day', horizon)
      when 'hospital_holiday' then jsonb_build_object('holiday', holiday.name)
      when 'no_working_hours' then jsonb_build_object('location_id', explain_no_slots.location_id)
      when 'daily_limit_reached' then jsonb_build_object('max_patients', day_limit.most)
      when 'outside_wished_hours' then jsonb_build_object('first_start', bookable.first_start)
      when 'too_short_for_service' then jsonb_build_object('service_id', explain_no_slots.service_id, 'free_slots', tally.free)
      when 'full' then jsonb_build_object('booked_slots', tally.booked, 'blocked_slots', nullif(tally.blocked, 0))
      when 'blocked' then jsonb_build_object('blocked_slots', tally.blocked)
      else '{}'
    end)
  from app_public.doctor
  cross join unnest(days) as asked (day)
  left join bookable on bookable.doctor_id = doctor.id and bookable.day = asked.day
  left join tally on tally.doctor_id = doctor.id and tally.day = asked.day
  left join working on working.doctor_id = doctor.id and working.day = asked.day
  left join holiday on holiday.day = asked.day
  left join app_public.doctor_day
    on doctor_day.hospital_id = hospital_of_request and doctor_day.doctor_id = doctor.id and doctor_day.day = asked.day
  cross join lateral (
    select least(doctor_day.max_patients, doctor.max_patients_per_day) as most
  ) as day_limit
  cross join lateral (
    select case
      when asked.day < today then 'past'
      when asked.day > horizon then 'beyond_horizon'
      when not doctor.is_active then 'doctor_inactive'
      when not doctor.is_available then 'doctor_unavailable'
      when bookable.day is not null then 'outside_wished_hours'
      when holiday.day is not null then 'hospital_holiday'
      when working.day is null then 'no_working_hours'
      when coalesce(tally.ahead, 0) = 0 then case
        when asked.day = today then 'past' else 'no_working_hours' end
      when tally.absent = tally.ahead then 'doctor_absent'
      when tally.free > 0 and not tally.day_has_room then 'daily_limit_reached'
      when tally.free > 0 then 'too_short_for_service'
      when tally.booked > 0 then 'full'
      when tally.blocked > 0 then 'blocked'
      when tally.absent > 0 then 'doctor_absent'
      else 'no_working_hours'
    end as reason
  ) as cause
  where doctor.hospital_id = hospital_of_request
    and doctor.id = any (doctors)
    and not coalesce(bookable.is_wished, false)
  order by asked.day, doctor.id;
end
$$;

comment on function
  app_public.explain_no_slots(uuid, text, uuid, uuid, date, date, time, time, integer[]) is
  'Why a search with these wishes finds nothing: each local day of each doctor without a free slot, with its reason. Days with a free slot are left out. At most 2,000 days of doctors at once.';

revoke execute on function
  app_public.explain_no_slots(uuid, text, uuid, uuid, date, date, time, time, integer[]) from public;
grant execute on function
  app_public.explain_no_slots(uuid, text, uuid, uuid, date, date, time, time, integer[])
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/explain_no_slots.sql
--! Included functions/jobs/claim_outbox.sql
-- The relay's claim: the oldest messages of the topics that it knows leave the outbox in the relay's own
-- transaction, and are there again when that fails. Relays side by side skip what another one is just
-- taking. Topics that nobody asks for stay where they are. Definer, because Postgres asks the right to
-- change a row of whoever locks it, and nobody may change a message; materialized, because a plan that
-- ran the subquery again would claim more than was asked for. It reads by the index of ids, whatever the
-- planner knows of a table that is empty most of the time.
create or replace function app_private.claim_outbox(topics text[], most integer)
returns setof app_private.outbox
language sql volatile security definer
set search_path = ''
set enable_seqscan = off
as $$
  with oldest as materialized (
    select message.hospital_id, message.id
    from app_private.outbox as message
    where message.topic = any (topics)
    order by message.id
    limit most
    for update skip locked
  )
  delete from app_private.outbox
  using oldest
  where outbox.hospital_id = oldest.hospital_id and outbox.id = oldest.id
  returning outbox.*;
$$;

comment on function app_private.claim_outbox(text[], integer) is
  'Takes the oldest messages of these topics out of the outbox, at most so many, and returns them.';

revoke execute on function app_private.claim_outbox(text[], integer) from public;
grant execute on function app_private.claim_outbox(text[], integer) to app_worker;
--! EndIncluded functions/jobs/claim_outbox.sql
--! Included functions/booking/needed_slots.sql
-- The further slots that a visit needs besides the one it begins in: all slots of the doctor that
-- its time with the buffers of its service touches. The visit itself has to lie in slots without a
-- gap, at one location; a buffer may reach into a break or past the end of work, where nobody can be
-- booked anyway. Without a service a visit stays within its slot.
create or replace function app_private.needed_slots(
  hospital_id uuid, slot_id uuid, service_id uuid, wanted tstzrange default null)
returns uuid[]
language plpgsql stable
as $$
declare
  needed record;
begin
  if service_id is null then
    return '{}'::uuid[];
  end if;
  select
    array_agg(further.id order by further.starts_at) filter (where further.id <> first.id) as slot_ids,
    range_agg(further.during) filter (where further.location_id = first.location_id) @> visit.during
      and first.during @> lower(visit.during) as fits
  into needed
  from app_public.slot as first
  left join app_public.service
    on service.hospital_id = needed_slots.hospital_id and service.id = needed_slots.service_id
  cross join lateral (
    select coalesce(needed_slots.wanted,
      tstzrange(first.starts_at, first.starts_at + coalesce(service.duration, first.ends_at - first.starts_at))) as during
  ) as visit
  cross join lateral (
    -- The bounds twice: no slot is longer than 8 hours, so the index by start finds the few that can
    -- overlap, where a planner without a number would read all slots of the doctor.
    select slot.id, slot.location_id, slot.during, slot.starts_at
    from app_public.slot
    where slot.hospital_id = needed_slots.hospital_id
      and slot.doctor_id = first.doctor_id
      and slot.during && tstzrange(
        lower(visit.during) - coalesce(service.buffer_before, interval '0'),
        upper(visit.during) + coalesce(service.buffer_after, interval '0'))
      and slot.starts_at > lower(visit.during) - coalesce(service.buffer_before, interval '0') - interval '8 hours'
      and slot.starts_at < upper(visit.during) + coalesce(service.buffer_after, interval '0')
      and slot.withdrawn_at is null
    offset 0
  ) as further
  where first.hospital_id = needed_slots.hospital_id and first.id = needed_slots.slot_id
  group by first.id, first.during, visit.during;
  return case when needed.fits then coalesce(needed.slot_ids, '{}') end;
end
$$;

comment on function app_private.needed_slots(uuid, uuid, uuid, tstzrange) is
  'The further slots that a visit beginning in this slot needs, soonest first; empty when the slot is enough, null when the visit does not fit.';

revoke execute on function app_private.needed_slots(uuid, uuid, uuid, tstzrange) from public;
grant execute on function app_private.needed_slots(uuid, uuid, uuid, tstzrange)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/needed_slots.sql

reset role;
