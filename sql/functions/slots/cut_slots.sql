-- Cuts slots from schedules, set-based: one statement for all doctors and days. Idempotent, because
-- what would overlap a slot that is still offered is left out; safe beside bookings, because it only
-- inserts; in turn with everything else that writes this calendar. What begins in the past and what
-- falls on a holiday is not generated; what falls into an absence exists, but is closed by it.
create or replace function app_private.cut_slots(
  hospital_id uuid, first_day date, last_day date, doctor_id uuid default null)
returns integer
language plpgsql
as $$
declare
  instant timestamptz := app_private.clock();
  zone text;
  beginning timestamptz;
  ending timestamptz;
  hours app_private.working_hours[];
  closed date[];
  away uuid[];
  generated integer;
begin
  perform app_private.lock_calendar(hospital_id, doctor_id);

  select hospital.time_zone into zone from app_public.hospital where hospital.id = cut_slots.hospital_id;
  beginning := first_day::timestamp at time zone zone;
  ending := (last_day + 1)::timestamp at time zone zone;
  hours := app_private.working_hours_from(hospital_id, doctor_id, first_day);
  select array_agg(closed_days.day) into closed
  from app_private.closed_days(cut_slots.hospital_id, first_day, last_day);
  select array_agg(distinct absence.doctor_id) into away
  from app_public.absence
  where absence.hospital_id = cut_slots.hospital_id
    and absence.status = 'active'
    and absence.during && tstzrange(beginning, ending)
    and (cut_slots.doctor_id is null or absence.doctor_id = cut_slots.doctor_id);

  -- What each doctor has in these days, joined to few long stretches: looking a slot up in them costs
  -- next to nothing, where looking for each among all of the doctor's would cost the square of them.
  with taken as materialized (
    select working.doctor_id, (
      select range_agg(slot.during)
      from app_public.slot
      where slot.hospital_id = cut_slots.hospital_id
        and slot.doctor_id = working.doctor_id
        and slot.starts_at > beginning - interval '1 day'
        and slot.starts_at < ending
        and slot.withdrawn_at is null) as during
    from (select distinct schedule.doctor_id from unnest(hours) as schedule) as working
  )
  insert into app_public.slot (hospital_id, doctor_id, location_id, schedule_id, during, capacity, absence_id)
  select cut_slots.hospital_id, wanted.doctor_id, wanted.location_id, wanted.schedule_id, wanted.during, wanted.capacity,
    case when wanted.doctor_id = any (away) then (
      select absence.id
      from app_public.absence
      where absence.hospital_id = cut_slots.hospital_id
        and absence.doctor_id = wanted.doctor_id
        and absence.status = 'active'
        and absence.during && wanted.during
      order by absence.during
      limit 1)
    end
  from app_private.wanted_slots(cut_slots.hospital_id, zone, hours, first_day, last_day) as wanted
  left join taken on taken.doctor_id = wanted.doctor_id
  where lower(wanted.during) > instant
    and (closed is null or wanted.day <> all (closed))
    and not coalesce(taken.during && wanted.during, false)
  order by wanted.doctor_id, wanted.during
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
