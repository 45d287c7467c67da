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
