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
