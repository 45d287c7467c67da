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
