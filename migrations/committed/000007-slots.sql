--! Previous: sha1:bad39407fdc8636886beb44f1df1a2669438d476
--! Hash: sha1:b171110da12c8d62e52bfe613d2e3095d59046c0
--! Message: slots

--! split: 07-slots.sql
-- Slots: cut from schedules, offered, blocked, and told outside.

set local role app_owner;

--! Included functions/scheduling/announce_schedule.sql
-- A new or changed schedule wants its slots: the relay turns this message into one generation job
-- for the doctor, however many rows changed.
create or replace function app_private.announce_schedule() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'schedule', new.doctor_id::text, jsonb_build_object('doctor_id', new.doctor_id));
  return null;
end
$$;

comment on function app_private.announce_schedule() is 'Trigger: leaves a message in the outbox for a new or changed schedule.';

revoke execute on function app_private.announce_schedule() from public;

create or replace trigger schedule_is_announced
  after insert or update on app_public.schedule
  for each row execute function app_private.announce_schedule();
--! EndIncluded functions/scheduling/announce_schedule.sql
--! Included functions/scheduling/follow_daily_limit.sql
-- A doctor's new daily limit holds for today and all days ahead. A day that is already fuller keeps
-- what it has and takes no more. The days are locked in their order first, as bookings do. A day that
-- a booking is just creating is not seen here; take_seat minds the doctor's own limit, too.
create or replace function app_private.follow_daily_limit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = new.hospital_id;

  perform from app_public.doctor_day
  where doctor_day.hospital_id = new.hospital_id and doctor_day.doctor_id = new.id and doctor_day.day >= today
  order by doctor_day.day
  for no key update;

  update app_public.doctor_day
  set max_patients = greatest(new.max_patients_per_day, doctor_day.booked_count)
  where doctor_day.hospital_id = new.hospital_id and doctor_day.doctor_id = new.id and doctor_day.day >= today;
  return null;
end
$$;

comment on function app_private.follow_daily_limit() is 'Trigger: carries a doctor''s new daily limit to the days ahead.';

revoke execute on function app_private.follow_daily_limit() from public;

create or replace trigger doctor_days_follow_the_limit
  after update of max_patients_per_day on app_public.doctor
  for each row when (new.max_patients_per_day <> old.max_patients_per_day)
  execute function app_private.follow_daily_limit();
--! EndIncluded functions/scheduling/follow_daily_limit.sql
--! Included functions/scheduling/hours_of_day.sql
-- The one place where wall-clock working hours become instants. Each boundary is read on the wall
-- clock of the hospital's zone; a boundary that falls into the hour skipped in spring could come to
-- lie after the next one, so each is at least as late as the one before it. Everything between two
-- boundaries is absolute time, so no slot cut from it can be doubled or empty.
create or replace function app_private.hours_of_day(
  time_zone text, day date, start_time time, break_start time, break_end time, end_time time)
returns table (whole tstzrange, before_break tstzrange, break_time tstzrange, after_break tstzrange)
language sql immutable parallel safe
begin atomic
  select
    tstzrange(opening, closing),
    tstzrange(opening, coalesce(pausing, closing)),
    tstzrange(pausing, resuming),
    tstzrange(resuming, closing)
  from (
    select
      boundary.opening,
      case when boundary.pausing is not null then greatest(boundary.opening, boundary.pausing) end as pausing,
      case when boundary.resuming is not null then greatest(boundary.opening, boundary.pausing, boundary.resuming) end as resuming,
      greatest(boundary.opening, boundary.pausing, boundary.resuming, boundary.closing) as closing
    from (
      select
        (day + start_time) at time zone time_zone as opening,
        (day + break_start) at time zone time_zone as pausing,
        (day + break_end) at time zone time_zone as resuming,
        (day + end_time) at time zone time_zone as closing
    ) as boundary
  ) as ordered;
end;

comment on function app_private.hours_of_day(text, date, time, time, time, time) is
  'Working hours of one local day as ranges of instants: the whole, the part before the break, the break, the part after it (unbounded ranges where there is no break).';

revoke execute on function app_private.hours_of_day(text, date, time, time, time, time) from public;
grant execute on function app_private.hours_of_day(text, date, time, time, time, time)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
--! EndIncluded functions/scheduling/hours_of_day.sql
--! Included functions/slots/announce_slot.sql
-- Slots that are blocked, unblocked, withdrawn or resized are told outside; bookings tell their own
-- slots, and generation tells one message a run.
create or replace function app_private.announce_slot() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'slots', new.doctor_id::text,
    jsonb_build_object('doctor_id', new.doctor_id, 'slot_ids', jsonb_build_array(new.id)));
  return null;
end
$$;

comment on function app_private.announce_slot() is 'Trigger: leaves a message in the outbox for a slot changed by hand.';

revoke execute on function app_private.announce_slot() from public;

create or replace trigger slot_is_announced
  after update of blocked_at, withdrawn_at, capacity on app_public.slot
  for each row execute function app_private.announce_slot();
--! EndIncluded functions/slots/announce_slot.sql
--! Included functions/slots/block_slot.sql
-- Keeps a slot free by hand. Appointments that are already in it stay.
create or replace function app_public.block_slot(slot_id uuid, reason text)
returns app_public.slot
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  blocked app_public.slot;
begin
  if length(btrim(coalesce(reason, ''))) = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('reason', 'is empty'));
  end if;
  update app_public.slot
  set blocked_at = app_private.clock(), blocked_reason = reason
  where slot.hospital_id = hospital and slot.id = slot_id and slot.blocked_at is null
  returning * into blocked;
  if not found then
    perform app_private.refuse_unreachable_slot(hospital, slot_id, is_blocked => true);
  end if;
  return blocked;
end
$$;

comment on function app_public.block_slot(uuid, text) is
  'Blocks a slot, so that nobody can book it any more; appointments already in it stay. For staff; doctors block their own slots.';

revoke execute on function app_public.block_slot(uuid, text) from public;
grant execute on function app_public.block_slot(uuid, text) to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/block_slot.sql
--! Included functions/slots/cut_slots.sql
-- Cuts slots from schedules, set-based: one statement for all doctors and days. Idempotent, because
-- what would overlap a slot that is still offered is left out; safe beside bookings, because it only
-- inserts; one at a time in a hospital, because two that insert the same slots would only wait for
-- each other. What begins in the past is not generated.
create or replace function app_private.cut_slots(
  hospital_id uuid, first_day date, last_day date, doctor_id uuid default null)
returns integer
language plpgsql
as $$
declare
  instant timestamptz := app_private.clock();
  generated integer;
begin
  perform pg_advisory_xact_lock(hashtextextended(concat('cut_slots', hospital_id), 0));

  insert into app_public.slot (hospital_id, doctor_id, location_id, schedule_id, during, capacity)
  select candidate.hospital_id, candidate.doctor_id, candidate.location_id, candidate.schedule_id,
    candidate.during, candidate.slot_capacity
  from (
    select schedule.hospital_id, schedule.doctor_id, schedule.location_id, schedule.id as schedule_id,
      schedule.slot_capacity,
      tstzrange(
        lower(part.during) + step.number * doctor.slot_duration,
        lower(part.during) + (step.number + 1) * doctor.slot_duration) as during
    from app_public.hospital
    cross join generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') as calendar (midnight)
    join app_public.schedule
      on schedule.hospital_id = cut_slots.hospital_id
      and schedule.is_active
      and schedule.weekday = extract(isodow from calendar.midnight)::smallint
      and schedule.effective_from <= calendar.midnight::date
      and (schedule.effective_until is null or schedule.effective_until >= calendar.midnight::date)
    join app_public.doctor
      on doctor.hospital_id = cut_slots.hospital_id
      and doctor.id = schedule.doctor_id
      and doctor.is_active
    join app_public.location
      on location.hospital_id = cut_slots.hospital_id
      and location.id = schedule.location_id
      and location.is_active
    cross join lateral app_private.hours_of_day(
      hospital.time_zone, calendar.midnight::date,
      schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time) as hours
    cross join lateral (
      select hours.before_break as during
      union all
      select hours.after_break where schedule.break_start is not null
    ) as part
    cross join lateral generate_series(
      0,
      floor(extract(epoch from upper(part.during) - lower(part.during))
        / extract(epoch from doctor.slot_duration))::int - 1) as step (number)
    where hospital.id = cut_slots.hospital_id
      and (cut_slots.doctor_id is null or schedule.doctor_id = cut_slots.doctor_id)
  ) as candidate
  where lower(candidate.during) > instant
    and not exists (
      select from app_public.slot
      where slot.hospital_id = cut_slots.hospital_id
        and slot.doctor_id = candidate.doctor_id
        and slot.during && candidate.during
        and slot.withdrawn_at is null)
  order by candidate.doctor_id, candidate.during
  on conflict do nothing;
  get diagnostics generated = row_count;

  if generated > 0 then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (hospital_id, 'slots', coalesce(doctor_id, hospital_id)::text,
      jsonb_build_object('doctor_id', doctor_id));
  end if;
  return generated;
end
$$;

comment on function app_private.cut_slots(uuid, date, date, uuid) is
  'Generates the missing slots of a hospital (or of one doctor) on the local days from the first to the last; returns how many.';

revoke execute on function app_private.cut_slots(uuid, date, date, uuid) from public;
grant execute on function app_private.cut_slots(uuid, date, date, uuid) to app_worker, app_admin;
--! EndIncluded functions/slots/cut_slots.sql
--! Included functions/slots/extend_slot_horizon.sql
-- Every hospital's slots reach as far as its booking horizon: from its today to its last bookable day.
create or replace function app_private.extend_slot_horizon(hospital_id uuid, doctor_id uuid default null)
returns integer
language plpgsql
as $$
declare
  today date;
  horizon integer;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date, hospital.booking_horizon_days
  into today, horizon
  from app_public.hospital
  where hospital.id = hospital_id;
  return app_private.cut_slots(hospital_id, today, today + horizon, doctor_id);
end
$$;

comment on function app_private.extend_slot_horizon(uuid, uuid) is
  'Generates the missing slots of a hospital (or of one doctor) from today to its booking horizon; returns how many.';

revoke execute on function app_private.extend_slot_horizon(uuid, uuid) from public;
grant execute on function app_private.extend_slot_horizon(uuid, uuid) to app_worker, app_admin;
--! EndIncluded functions/slots/extend_slot_horizon.sql
--! Included functions/slots/free_slots.sql
-- What can be booked now, by the same facts that booking judges: offered, ahead, within the horizon,
-- with room in the slot and in the day (a lapsed hold leaves room), of a doctor who takes
-- appointments. Cost follows the range asked for, not history: one index range of one doctor.
create or replace function app_public.free_slots(
  doctor_id uuid, starting_from timestamptz default null, starting_before timestamptz default null)
returns setof app_public.slot
language plpgsql stable rows 100
as $$
declare
  hospital_of_request uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  zone text;
  horizon timestamptz;
  lapsed uuid[];
  lapsed_days date[];
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

  select hospital.time_zone,
    ((instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days + 1)::timestamp
      at time zone hospital.time_zone
  into zone, horizon
  from app_public.hospital
  where hospital.id = hospital_of_request;

  select array_agg(hold.slot_id), array_agg((hold.starts_at at time zone zone)::date)
  into lapsed, lapsed_days
  from app_private.lapsed_holds(hospital_of_request, free_slots.doctor_id) as hold;

  return query
  select slot.*
  from app_public.slot
  join app_public.doctor
    on doctor.hospital_id = hospital_of_request and doctor.id = slot.doctor_id
    and doctor.is_available and doctor.is_active
  left join app_public.doctor_day
    on doctor_day.hospital_id = hospital_of_request and doctor_day.doctor_id = slot.doctor_id
    and doctor_day.day = (slot.starts_at at time zone zone)::date
  where slot.hospital_id = hospital_of_request
    and slot.doctor_id = free_slots.doctor_id
    and slot.starts_at > instant
    and slot.starts_at >= coalesce(starting_from, instant)
    and slot.starts_at < least(starting_before, horizon)
    and (slot.status = 'available' or slot.status = 'booked' and slot.id = any (lapsed))
    and coalesce(
      doctor_day.booked_count - (
        select count(*) from unnest(lapsed_days) as lapsed_day where lapsed_day = doctor_day.day)
      < least(doctor_day.max_patients, doctor.max_patients_per_day), true)
  order by slot.starts_at;
end
$$;

comment on function app_public.free_slots(uuid, timestamptz, timestamptz) is
  'Slots of a doctor that can be booked now, soonest first, starting in [startingFrom, startingBefore): from now to the end of the booking horizon when these are not given.';

revoke execute on function app_public.free_slots(uuid, timestamptz, timestamptz) from public;
grant execute on function app_public.free_slots(uuid, timestamptz, timestamptz)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/free_slots.sql
--! Included functions/slots/generate_slots.sql
-- For admins who do not want to wait for the night: the same generation, in their own hospital.
create or replace function app_public.generate_slots(first_day date, last_day date, doctor_id uuid default null)
returns integer
language plpgsql volatile
as $$
begin
  if last_day < first_day or last_day - first_day > 366 then
    perform app_private.refuse('invalid_range', jsonb_build_object('first_day', first_day, 'last_day', last_day));
  end if;
  return app_private.cut_slots(app_private.request_hospital_id(), first_day, last_day, doctor_id);
end
$$;

comment on function app_public.generate_slots(date, date, uuid) is
  'Generates the missing slots from schedules on the local days from the first to the last, of one doctor or of all; returns how many. Repeating it changes nothing. For admins.';

revoke execute on function app_public.generate_slots(date, date, uuid) from public;
grant execute on function app_public.generate_slots(date, date, uuid) to app_admin;
--! EndIncluded functions/slots/generate_slots.sql
--! Included functions/slots/refuse_unreachable_slot.sql
-- Why a block or unblock reached no slot: there is none, it is already so, or it is not this
-- caller's to change.
create or replace function app_private.refuse_unreachable_slot(hospital_id uuid, slot_id uuid, is_blocked boolean)
returns void
language plpgsql stable
as $$
declare
  present app_public.slot;
begin
  select * into present
  from app_public.slot
  where slot.hospital_id = refuse_unreachable_slot.hospital_id and slot.id = refuse_unreachable_slot.slot_id;
  perform app_private.refuse(
    case
      when present.id is null then 'slot_not_found'
      when (present.blocked_at is not null) <> is_blocked then 'forbidden'
      when is_blocked then 'slot_is_blocked'
      else 'slot_is_not_blocked'
    end,
    jsonb_build_object('slot_id', slot_id));
end
$$;

comment on function app_private.refuse_unreachable_slot(uuid, uuid, boolean) is
  'Refuses with the reason why a slot could not be blocked or unblocked; never returns.';

revoke execute on function app_private.refuse_unreachable_slot(uuid, uuid, boolean) from public;
grant execute on function app_private.refuse_unreachable_slot(uuid, uuid, boolean)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/refuse_unreachable_slot.sql
--! Included functions/slots/unblock_slot.sql
-- Offers a slot again that was blocked by hand.
create or replace function app_public.unblock_slot(slot_id uuid)
returns app_public.slot
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  unblocked app_public.slot;
begin
  update app_public.slot
  set blocked_at = null, blocked_reason = null
  where slot.hospital_id = hospital and slot.id = slot_id and slot.blocked_at is not null
  returning * into unblocked;
  if not found then
    perform app_private.refuse_unreachable_slot(hospital, slot_id, is_blocked => false);
  end if;
  return unblocked;
end
$$;

comment on function app_public.unblock_slot(uuid) is
  'Unblocks a slot that was blocked by hand. For staff; doctors unblock their own slots.';

revoke execute on function app_public.unblock_slot(uuid) from public;
grant execute on function app_public.unblock_slot(uuid) to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/slots/unblock_slot.sql

reset role;
