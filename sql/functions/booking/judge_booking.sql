-- The booking rules, all of them, here and nowhere else: booking, holding, requesting, accepting,
-- rescheduling and explain_booking ask this function. One select gathers the facts (each by a key of
-- its table, so the cost does not grow with history); the list below turns facts into verdicts, in
-- their order. Without a slot it judges a request, for a doctor and a time: the rules up to the
-- doctor's absence. Lapsed holds do not count: whoever needs the seat next releases them.
-- A verdict is null where it cannot be told because the thing it speaks of was not found.
create or replace function app_private.judge_booking(
  hospital_id uuid,
  slot_id uuid,
  patient_id uuid,
  service_id uuid,
  wanted tstzrange default null,
  except_appointment_id uuid default null,
  only_broken boolean default false,
  doctor_id uuid default null)
returns setof app_public.booking_verdict
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
  is_request boolean := judge_booking.slot_id is null and judge_booking.doctor_id is not null;
  fact record;
  further record;
begin
  select
    hospital.time_zone,
    hospital.booking_horizon_days,
    (instant at time zone hospital.time_zone)::date as today,
    patient.id is not null as patient_exists,
    patient.is_active as patient_is_active,
    patient.status = 'active' as patient_may_book,
    patient.blocked_reason,
    other.id is null as patient_is_free,
    other.id as other_id,
    slot.id is not null as slot_exists,
    doctor.id as doctor_id,
    doctor.is_available as doctor_is_available,
    doctor.is_active as doctor_is_active,
    visit.starts_at,
    visit.starts_at > instant as is_ahead,
    visit.day,
    visit.day <= (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days as is_within_horizon,
    case when is_request then (app_private.holiday_on(judge_booking.hospital_id, visit.day)).id is null
      else slot.holiday_id is null end as hospital_is_open,
    case when is_request
      then not app_private.is_absent(judge_booking.hospital_id, judge_booking.doctor_id, visit.during)
      else slot.absence_id is null end as doctor_is_here,
    coalesce(hours.is_working, false) as is_working,
    coalesce(hours.is_break, false) as is_break,
    slot.withdrawn_at is null and not slot.is_retired as is_offered,
    slot.blocked_at is null as is_unblocked,
    slot.blocked_reason as slot_blocked_reason,
    slot.capacity,
    case
      when slot.booked_count < slot.capacity then true
      else exists (
        select from app_private.lapsed_holds(judge_booking.hospital_id, slot.doctor_id) as hold
        where hold.slot_id = judge_booking.slot_id)
    end as has_room,
    judge_booking.service_id is null or coalesce(service.is_active, false) as service_is_offered,
    visit.occupied <@ slot.during as fits,
    visit.during,
    doctor.max_patients_per_day,
    case
      when coalesce(doctor_day.booked_count < least(doctor_day.max_patients, doctor.max_patients_per_day), true)
        then true
      else doctor_day.booked_count - (
          select count(*)
          from app_private.lapsed_holds(judge_booking.hospital_id, slot.doctor_id) as hold
          where hold.counts_day and (hold.starts_at at time zone hospital.time_zone)::date = visit.day)
        < least(doctor_day.max_patients, doctor.max_patients_per_day)
    end as day_has_room
  into fact
  from app_public.hospital
  left join app_public.patient
    on patient.hospital_id = judge_booking.hospital_id and patient.id = judge_booking.patient_id
  left join app_public.slot
    on slot.hospital_id = judge_booking.hospital_id and slot.id = judge_booking.slot_id
  left join app_public.doctor
    on doctor.hospital_id = judge_booking.hospital_id
    and doctor.id = coalesce(slot.doctor_id, judge_booking.doctor_id)
  left join app_public.service
    on service.hospital_id = judge_booking.hospital_id and service.id = judge_booking.service_id
  cross join lateral (
    select
      coalesce(slot.starts_at, lower(judge_booking.wanted)) as starts_at,
      ranges.during,
      case when service.id is null then ranges.during else tstzrange(
        lower(ranges.during) - service.buffer_before, upper(ranges.during) + service.buffer_after) end as occupied,
      (coalesce(slot.starts_at, lower(judge_booking.wanted)) at time zone hospital.time_zone)::date as day
    from (
      select coalesce(judge_booking.wanted, case when slot.id is not null then
        tstzrange(slot.starts_at, slot.starts_at + coalesce(service.duration, slot.ends_at - slot.starts_at))
      end) as during
    ) as ranges
    offset 0 -- computed once, not once a use
  ) as visit
  left join app_public.doctor_day
    on doctor_day.hospital_id = judge_booking.hospital_id
    and doctor_day.doctor_id = slot.doctor_id and doctor_day.day = visit.day
  left join lateral (
    select
      bool_or(hours_of_day.whole @> slot.during) as is_working,
      bool_or(schedule.break_start is not null and hours_of_day.break_time && slot.during) as is_break
    from app_public.schedule
    cross join lateral app_private.hours_of_day(
      hospital.time_zone, visit.day,
      schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time)
    where schedule.hospital_id = judge_booking.hospital_id
      and schedule.doctor_id = slot.doctor_id
      and schedule.location_id = slot.location_id
      and schedule.weekday = extract(isodow from visit.day)::smallint
      and schedule.is_active
      and schedule.effective_from <= visit.day
      and (schedule.effective_until is null or schedule.effective_until >= visit.day)
  ) as hours on true
  left join lateral (
    select appointment.id
    from app_public.appointment
    where appointment.hospital_id = judge_booking.hospital_id
      and appointment.patient_id = judge_booking.patient_id
      and appointment.during && visit.during
      and appointment.holds_seat
      and (appointment.status <> 'held' or appointment.held_until > instant)
      and appointment.id is distinct from judge_booking.except_appointment_id
    limit 1
  ) as other on true
  where hospital.id = judge_booking.hospital_id;

  -- Only a service can need more than its slot; only then the others are looked at.
  if fact.slot_exists and not fact.fits and judge_booking.service_id is not null then
    select * into further
    from app_private.judge_further_slots(
      judge_booking.hospital_id, judge_booking.slot_id, judge_booking.service_id, judge_booking.wanted);
    fact.fits := further.fits;
    fact.hospital_is_open := fact.hospital_is_open and further.are_open;
    fact.doctor_is_here := fact.doctor_is_here and further.are_attended;
    fact.is_offered := fact.is_offered and further.are_offered;
    fact.is_unblocked := fact.is_unblocked and further.are_unblocked;
    fact.has_room := fact.has_room and further.have_room;
  end if;

  if only_broken
    and fact.patient_exists and fact.patient_is_active and fact.patient_may_book and fact.patient_is_free
    and fact.doctor_is_available and fact.doctor_is_active
    and fact.is_ahead and fact.is_within_horizon and fact.hospital_is_open and fact.doctor_is_here
    and fact.service_is_offered
    and (is_request
      or fact.slot_exists and fact.is_working and not fact.is_break and fact.is_offered
        and fact.is_unblocked and fact.has_room and fact.fits and fact.day_has_room)
  then
    return;
  end if;

  return query
  select verdict.rule::smallint, verdict.scenario, verdict.is_satisfied,
    case when not verdict.is_satisfied then jsonb_strip_nulls(verdict.details) end
  from (values
    (0, 'slot_not_found', case when not is_request then coalesce(fact.slot_exists, false) end,
      jsonb_build_object('slot_id', judge_booking.slot_id)),
    (1, 'patient_not_found', coalesce(fact.patient_exists, false),
      jsonb_build_object('patient_id', judge_booking.patient_id)),
    (2, 'patient_inactive', fact.patient_is_active,
      jsonb_build_object('patient_id', judge_booking.patient_id)),
    (2, 'patient_blocked', fact.patient_may_book,
      jsonb_build_object('patient_id', judge_booking.patient_id, 'reason', fact.blocked_reason)),
    (3, 'patient_double_booked',
      case when fact.patient_exists and (fact.slot_exists or is_request) then fact.patient_is_free end,
      jsonb_build_object('appointment_id', fact.other_id)),
    (4, 'doctor_not_found', case when fact.slot_exists or is_request then fact.doctor_id is not null end,
      jsonb_build_object('doctor_id', judge_booking.doctor_id)),
    (5, 'doctor_unavailable', fact.doctor_is_available,
      '{}'::jsonb),
    (6, 'doctor_inactive', fact.doctor_is_active,
      '{}'::jsonb),
    (7, 'slot_in_past', fact.is_ahead,
      jsonb_build_object('starts_at', fact.starts_at, 'now', instant)),
    (8, 'beyond_booking_horizon', fact.is_within_horizon,
      jsonb_build_object('day', fact.day, 'last_day', fact.today + fact.booking_horizon_days)),
    (9, 'hospital_holiday', case when fact.slot_exists or is_request then fact.hospital_is_open end,
      case when not fact.hospital_is_open then jsonb_build_object('day', fact.day,
        'holiday', (app_private.holiday_on(judge_booking.hospital_id, fact.day)).name) end),
    (10, 'doctor_absent', case when fact.doctor_id is not null then fact.doctor_is_here end,
      jsonb_build_object('starts_at', fact.starts_at, 'time_zone', fact.time_zone)),
    (11, 'outside_schedule', case when fact.slot_exists then fact.is_working end,
      jsonb_build_object('starts_at', fact.starts_at, 'time_zone', fact.time_zone)),
    (12, 'during_break', case when fact.slot_exists then not fact.is_break end,
      jsonb_build_object('starts_at', fact.starts_at, 'time_zone', fact.time_zone)),
    (13, 'slot_withdrawn', case when fact.slot_exists then fact.is_offered end,
      '{}'::jsonb),
    (13, 'slot_blocked', case when fact.slot_exists then fact.is_unblocked end,
      jsonb_build_object('reason', fact.slot_blocked_reason)),
    (13, 'slot_booked', case when fact.slot_exists then fact.has_room end,
      jsonb_build_object('capacity', fact.capacity)),
    (13, 'service_not_found', coalesce(fact.service_is_offered, false),
      jsonb_build_object('service_id', judge_booking.service_id)),
    (13, 'time_outside_slot', case when fact.slot_exists then fact.fits end,
      jsonb_build_object('starts_at', lower(fact.during), 'ends_at', upper(fact.during))),
    (14, 'daily_limit_reached', case when fact.slot_exists then fact.day_has_room end,
      jsonb_build_object('day', fact.day, 'max_patients', fact.max_patients_per_day))
  ) as verdict (rule, scenario, is_satisfied, details)
  where not only_broken or not verdict.is_satisfied;
end
$$;

comment on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean, uuid) is
  'Verdicts of all booking rules on one wish, in the order of the rules; only the broken ones on demand. Without a slot: on a request for a doctor and a time.';

revoke execute on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean, uuid) from public;
grant execute on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
