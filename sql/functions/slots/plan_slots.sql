-- What becomes of the slots ahead when these weekly hours hold in this zone: one plan, which a change
-- carries out and a preview only counts, so that the two can never say different things.
-- A slot that the hours still have, at the same time and place, stays and follows them; another one is
-- retired while appointments hold seats in it, withdrawn when somebody ever had to do with it, deleted
-- when nobody had. Missing ones are generated where slots are stored: up to the generated days, and on
-- later days that have rows already. Where a retired slot stays in the way, nothing is generated; what
-- was blocked by hand stays blocked. Seats that staff added stay on top of the schedule's capacity.
create or replace function app_private.plan_slots(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date,
  hours app_private.working_hours[], time_zone text)
returns setof app_private.planned_slot
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
  -- A slot of a day can reach over its ends where zones change; none is longer than this.
  margin constant interval := interval '1 day';
  beginning timestamptz;
  ending timestamptz;
  generated_until date;
  wanted_until date;
begin
  select (instant at time zone plan_slots.time_zone)::date
    + coalesce(hospital.generated_days, hospital.booking_horizon_days)
  into generated_until
  from app_public.hospital
  where hospital.id = plan_slots.hospital_id;
  beginning := greatest(instant, first_day::timestamp at time zone plan_slots.time_zone);
  ending := (last_day + 1)::timestamp at time zone plan_slots.time_zone;

  select greatest(generated_until, (max(slot.starts_at) at time zone plan_slots.time_zone)::date) into wanted_until
  from app_public.slot
  where slot.hospital_id = plan_slots.hospital_id
    and (plan_slots.doctor_id is null or slot.doctor_id = plan_slots.doctor_id)
    and slot.starts_at > instant
    and slot.withdrawn_at is null;
  wanted_until := least(wanted_until, last_day);

  return query
  with away as materialized (
    select absence.id, absence.doctor_id,
      app_private.absence_time(
        plan_slots.time_zone, absence.first_day, absence.last_day, absence.start_time, absence.end_time) as during
    from app_public.absence
    where absence.hospital_id = plan_slots.hospital_id
      and absence.status = 'active'
      and absence.last_day >= plan_slots.first_day - 1
      and (plan_slots.doctor_id is null or absence.doctor_id = plan_slots.doctor_id)
  ),
  away_ranges as materialized (
    select away.doctor_id, range_agg(away.during) as during from away group by away.doctor_id
  ),
  wished as (
    select wanted_slots.doctor_id, wanted_slots.location_id, wanted_slots.schedule_id, wanted_slots.day,
      wanted_slots.during, wanted_slots.capacity,
      max(upper(wanted_slots.during)) over (
        partition by wanted_slots.doctor_id
        order by lower(wanted_slots.during), wanted_slots.schedule_id
        rows between unbounded preceding and 1 preceding) as taken_until
    from app_private.wanted_slots(
      plan_slots.hospital_id, plan_slots.time_zone, hours, plan_slots.first_day, wanted_until) as wanted_slots
    where lower(wanted_slots.during) > instant
      and (plan_slots.doctor_id is null or wanted_slots.doctor_id = plan_slots.doctor_id)
  ),
  -- Two schedules that only seem apart on a day on which the clocks change give no slot twice.
  wanted as materialized (
    select wished.*, closed.holiday_id,
      case when away_ranges.during && wished.during then (
        select away.id from away
        where away.doctor_id = wished.doctor_id and away.during && wished.during
        order by away.during limit 1)
      end as absence_id
    from wished
    left join away_ranges on away_ranges.doctor_id = wished.doctor_id
    left join app_private.closed_days(plan_slots.hospital_id, plan_slots.first_day, wanted_until) as closed
      on closed.day = wished.day
    where wished.taken_until is null or wished.taken_until <= lower(wished.during)
  ),
  present as materialized (
    select slot.id, slot.doctor_id, slot.location_id, slot.schedule_id, slot.during,
      (slot.starts_at at time zone plan_slots.time_zone)::date as day,
      slot.capacity, slot.booked_count, slot.is_retired, slot.absence_id, slot.holiday_id,
      slot.blocked_at, slot.blocked_reason,
      slot.starts_at > instant and slot.starts_at >= beginning
        and (ending is null or slot.starts_at < ending) as is_judged
    from app_public.slot
    where slot.hospital_id = plan_slots.hospital_id
      and (plan_slots.doctor_id is null or slot.doctor_id = plan_slots.doctor_id)
      and slot.starts_at > beginning - margin
      and (ending is null or slot.starts_at < ending + margin)
      and slot.withdrawn_at is null
  ),
  judged as materialized (
    select present.id, present.doctor_id, present.location_id, present.during,
      present.blocked_at, present.blocked_reason,
      case
        when not present.is_judged then 'stay'
        when wanted.during is null and present.booked_count > 0 then
          case when present.is_retired then 'stay' else 'retire' end
        when wanted.during is null then
          case
            when exists (
                select from app_public.appointment
                where appointment.hospital_id = plan_slots.hospital_id and appointment.slot_id = present.id)
              or exists (
                select from app_public.appointment
                where appointment.hospital_id = plan_slots.hospital_id and appointment.rescheduled_from = present.id)
              or exists (
                select from app_public.appointment_move
                where appointment_move.hospital_id = plan_slots.hospital_id and appointment_move.from_slot_id = present.id)
              or exists (
                select from app_public.appointment_move
                where appointment_move.hospital_id = plan_slots.hospital_id and appointment_move.to_slot_id = present.id)
              or exists (
                select from app_public.appointment_seat
                where appointment_seat.hospital_id = plan_slots.hospital_id and appointment_seat.slot_id = present.id)
              or exists (
                select from app_public.added_seat
                where added_seat.hospital_id = plan_slots.hospital_id and added_seat.slot_id = present.id)
              or exists (
                select from app_public.waitlist_offer
                where waitlist_offer.hospital_id = plan_slots.hospital_id and waitlist_offer.slot_id = present.id)
            then 'withdraw'
            else 'delete'
          end
        when present.is_retired then 'restore'
        when (present.schedule_id, present.capacity, present.absence_id, present.holiday_id)
          is distinct from (wanted.schedule_id, room.capacity, wanted.absence_id, wanted.holiday_id) then 'follow'
        else 'stay'
      end as fate,
      wanted.schedule_id,
      room.capacity,
      wanted.absence_id,
      wanted.holiday_id,
      present.absence_id is not null or present.holiday_id is not null as was_closed
    from present
    left join wanted
      on wanted.doctor_id = present.doctor_id
      and wanted.during = present.during
      and wanted.location_id = present.location_id
      and present.is_judged
    left join lateral (
      select greatest(present.booked_count, least(100, wanted.capacity + (
        select count(*)::integer from app_public.added_seat
        where added_seat.hospital_id = plan_slots.hospital_id and added_seat.slot_id = present.id))) as capacity
      where wanted.during is not null
    ) as room on true
  ),
  kept_ranges as materialized (
    select judged.doctor_id, range_agg(judged.during) as during
    from judged
    where judged.fate not in ('withdraw', 'delete')
    group by judged.doctor_id
  ),
  blocked as materialized (
    select judged.doctor_id, judged.during, judged.blocked_at, judged.blocked_reason
    from judged
    where judged.fate in ('withdraw', 'delete') and judged.blocked_at is not null
  )
  select judged.id, judged.fate, judged.doctor_id, judged.location_id, judged.schedule_id, judged.during,
    judged.capacity, judged.absence_id, judged.holiday_id, null::timestamptz, null::text, judged.was_closed
  from judged
  where judged.fate <> 'stay'
  union all
  select null, 'generate', wanted.doctor_id, wanted.location_id, wanted.schedule_id, wanted.during,
    wanted.capacity, wanted.absence_id, null, block.blocked_at, block.blocked_reason, false
  from wanted
  left join kept_ranges on kept_ranges.doctor_id = wanted.doctor_id
  left join lateral (
    select blocked.blocked_at, blocked.blocked_reason
    from blocked
    where blocked.doctor_id = wanted.doctor_id and blocked.during && wanted.during
    order by blocked.during
    limit 1
  ) as block on true
  where wanted.holiday_id is null
    and (wanted.day <= generated_until or (wanted.doctor_id, wanted.day) in (
      select present.doctor_id, present.day from present where present.is_judged))
    and not coalesce(kept_ranges.during && wanted.during, false);
end
$$;

comment on function app_private.plan_slots(uuid, uuid, date, date, app_private.working_hours[], text) is
  'What would become of each slot ahead of a doctor (or of all) between two local days if these weekly hours held in this zone; slots that stay as they are are left out.';

revoke execute on function app_private.plan_slots(uuid, uuid, date, date, app_private.working_hours[], text) from public;
