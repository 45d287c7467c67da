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
