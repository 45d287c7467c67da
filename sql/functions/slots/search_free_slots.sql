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
