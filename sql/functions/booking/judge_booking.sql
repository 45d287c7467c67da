-- The booking rules, all of them, here and nowhere else: booking, holding, requesting, accepting,
-- rescheduling and explain_booking ask this function. First the facts are gathered, each by a key of
-- its table, so that the cost does not grow with history: single look-ups, because one join over all
-- of them takes longer to set up than they take together. The list at the end turns facts into
-- verdicts, in their order. Without a slot it judges a request, for a doctor and a time: the rules up
-- to the doctor's absence. Lapsed holds do not count: whoever needs the seat next releases them.
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
#variable_conflict use_column
declare
  instant timestamptz := app_private.clock();
  is_request boolean := judge_booking.slot_id is null and judge_booking.doctor_id is not null;
  hospital app_public.hospital;
  patient app_public.patient;
  slot app_public.slot;
  doctor app_public.doctor;
  service app_public.service;
  doctor_day app_public.doctor_day;
  further record;
  visit tstzrange := wanted;
  visit_start timestamptz;
  visit_day date;
  last_day date;
  other_id uuid;
  fits boolean;
  is_working boolean;
  is_break boolean;
  hospital_is_open boolean;
  doctor_is_here boolean;
  is_offered boolean;
  is_unblocked boolean;
  has_room boolean;
  day_has_room boolean;
  service_is_offered boolean := judge_booking.service_id is null;
begin
  select * into hospital from app_public.hospital where hospital.id = judge_booking.hospital_id;
  select * into patient from app_public.patient
  where patient.hospital_id = judge_booking.hospital_id and patient.id = judge_booking.patient_id;
  select * into slot from app_public.slot
  where slot.hospital_id = judge_booking.hospital_id and slot.id = judge_booking.slot_id;
  select * into doctor from app_public.doctor
  where doctor.hospital_id = judge_booking.hospital_id
    and doctor.id = coalesce(slot.doctor_id, judge_booking.doctor_id);
  if judge_booking.service_id is not null then
    select * into service from app_public.service
    where service.hospital_id = judge_booking.hospital_id and service.id = judge_booking.service_id;
    service_is_offered := coalesce(service.is_active, false);
    visit := coalesce(visit, tstzrange(slot.starts_at, slot.starts_at + service.duration));
  end if;
  if visit is null or isempty(visit) or upper_inf(visit) then
    visit := slot.during;
  end if;
  visit_start := coalesce(slot.starts_at, lower(visit));
  visit_day := (visit_start at time zone hospital.time_zone)::date;
  last_day := (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days;

  select appointment.id into other_id
  from app_public.appointment
  where appointment.hospital_id = judge_booking.hospital_id
    and appointment.patient_id = judge_booking.patient_id
    and appointment.during && visit
    and appointment.holds_seat
    and (appointment.status <> 'held' or appointment.held_until > instant)
    and appointment.id is distinct from judge_booking.except_appointment_id
  limit 1;

  if is_request then
    hospital_is_open := (app_private.holiday_on(judge_booking.hospital_id, visit_day)).id is null;
    doctor_is_here := not app_private.is_absent(judge_booking.hospital_id, judge_booking.doctor_id, visit);
  elsif slot.id is not null then
    select
      coalesce(bool_or(hours_of_day.whole @> slot.during), false),
      coalesce(bool_or(schedule.break_start is not null and hours_of_day.break_time && slot.during), false)
    into is_working, is_break
    from app_public.schedule
    cross join lateral app_private.hours_of_day(
      hospital.time_zone, visit_day,
      schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time)
    where schedule.hospital_id = judge_booking.hospital_id
      and schedule.doctor_id = slot.doctor_id
      and schedule.location_id = slot.location_id
      and schedule.weekday = extract(isodow from visit_day)::smallint
      and schedule.is_active
      and schedule.effective_from <= visit_day
      and (schedule.effective_until is null or schedule.effective_until >= visit_day);

    hospital_is_open := slot.holiday_id is null;
    doctor_is_here := slot.absence_id is null;
    is_offered := slot.withdrawn_at is null and not slot.is_retired;
    is_unblocked := slot.blocked_at is null;
    has_room := slot.booked_count < slot.capacity
      or exists (
        select from app_private.lapsed_holds(judge_booking.hospital_id, slot.doctor_id) as hold
        where hold.slot_id = slot.id);
    fits := visit <@ slot.during;

    -- Only a service can need more than its slot; only then the others are looked at.
    if judge_booking.service_id is not null and not (
      fits
      and lower(visit) - service.buffer_before >= slot.starts_at
      and upper(visit) + service.buffer_after <= slot.ends_at)
    then
      select * into further
      from app_private.judge_further_slots(
        judge_booking.hospital_id, judge_booking.slot_id, judge_booking.service_id, judge_booking.wanted);
      fits := further.fits;
      hospital_is_open := hospital_is_open and further.are_open;
      doctor_is_here := doctor_is_here and further.are_attended;
      is_offered := is_offered and further.are_offered;
      is_unblocked := is_unblocked and further.are_unblocked;
      has_room := has_room and further.have_room;
    end if;

    select * into doctor_day from app_public.doctor_day
    where doctor_day.hospital_id = judge_booking.hospital_id
      and doctor_day.doctor_id = slot.doctor_id and doctor_day.day = visit_day;
    day_has_room := doctor_day.day is null
      or doctor_day.booked_count < least(doctor_day.max_patients, doctor.max_patients_per_day)
      or doctor_day.booked_count - (
          select count(*)
          from app_private.lapsed_holds(judge_booking.hospital_id, slot.doctor_id) as hold
          where hold.counts_day and (hold.starts_at at time zone hospital.time_zone)::date = visit_day)
        < least(doctor_day.max_patients, doctor.max_patients_per_day);
  end if;

  if only_broken
    and patient.is_active and patient.status = 'active' and other_id is null
    and doctor.is_available and doctor.is_active
    and visit_start > instant and visit_day <= last_day and hospital_is_open and doctor_is_here
    and service_is_offered
    and (is_request or is_working and not is_break and is_offered and is_unblocked
      and has_room and fits and day_has_room)
  then
    return;
  end if;

  return query
  select verdict.rule::smallint, verdict.scenario, verdict.is_satisfied,
    case when not verdict.is_satisfied then jsonb_strip_nulls(verdict.details) end
  from (values
    (0, 'slot_not_found', case when not is_request then slot.id is not null end,
      jsonb_build_object('slot_id', judge_booking.slot_id)),
    (1, 'patient_not_found', patient.id is not null,
      jsonb_build_object('patient_id', judge_booking.patient_id)),
    (2, 'patient_inactive', patient.is_active,
      jsonb_build_object('patient_id', judge_booking.patient_id)),
    (2, 'patient_blocked', patient.status = 'active',
      jsonb_build_object('patient_id', judge_booking.patient_id, 'reason', patient.blocked_reason)),
    (3, 'patient_double_booked',
      case when patient.id is not null and visit is not null then other_id is null end,
      jsonb_build_object('appointment_id', other_id)),
    (4, 'doctor_not_found', case when slot.id is not null or is_request then doctor.id is not null end,
      jsonb_build_object('doctor_id', judge_booking.doctor_id)),
    (5, 'doctor_unavailable', doctor.is_available,
      '{}'::jsonb),
    (6, 'doctor_inactive', doctor.is_active,
      '{}'::jsonb),
    (7, 'slot_in_past', visit_start > instant,
      jsonb_build_object('starts_at', visit_start, 'now', instant)),
    (8, 'beyond_booking_horizon', visit_day <= last_day,
      jsonb_build_object('day', visit_day, 'last_day', last_day)),
    (9, 'hospital_holiday', hospital_is_open,
      case when not hospital_is_open then jsonb_build_object('day', visit_day,
        'holiday', (app_private.holiday_on(judge_booking.hospital_id, visit_day)).name) end),
    (10, 'doctor_absent', case when doctor.id is not null then doctor_is_here end,
      jsonb_build_object('starts_at', visit_start, 'time_zone', hospital.time_zone)),
    (11, 'outside_schedule', is_working,
      jsonb_build_object('starts_at', visit_start, 'time_zone', hospital.time_zone)),
    (12, 'during_break', not is_break,
      jsonb_build_object('starts_at', visit_start, 'time_zone', hospital.time_zone)),
    (13, 'slot_withdrawn', is_offered,
      '{}'::jsonb),
    (13, 'slot_blocked', is_unblocked,
      jsonb_build_object('reason', slot.blocked_reason)),
    (13, 'slot_booked', has_room,
      jsonb_build_object('capacity', slot.capacity)),
    (13, 'service_not_found', service_is_offered,
      jsonb_build_object('service_id', judge_booking.service_id)),
    (13, 'time_outside_slot', fits,
      jsonb_build_object('starts_at', lower(visit), 'ends_at', upper(visit))),
    (14, 'daily_limit_reached', day_has_room,
      jsonb_build_object('day', visit_day, 'max_patients', doctor.max_patients_per_day))
  ) as verdict (rule, scenario, is_satisfied, details)
  where not only_broken or not verdict.is_satisfied;
end
$$;

comment on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean, uuid) is
  'Verdicts of all booking rules on one wish, in the order of the rules; only the broken ones on demand. Without a slot: on a request for a doctor and a time.';

revoke execute on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean, uuid) from public;
grant execute on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
