--! Previous: sha1:5fe686990414f66d1edd441ef3a824a41818a51b
--! Hash: sha1:b97fb31adc4055780e36db69ac8d0b84b68df955
--! Message: closures

--! split: 1-current.sql
-- Absences, holidays and availability: what closes slots, and what happens to the appointments in them.

set local role app_owner;

create index absence_of_a_doctor_by_day on app_public.absence (hospital_id, doctor_id, first_day);
create index holiday_by_day on app_public.holiday (hospital_id, date);

create type app_public.entered_absence as (
  absence_id uuid,
  change app_public.calendar_change
);
comment on type app_public.entered_absence is 'An absence that was entered, and what that did.';
comment on column app_public.entered_absence.absence_id is 'The absence.';
comment on column app_public.entered_absence.change is 'What it did to the calendar.';

create type app_public.entered_holiday as (
  holiday_id uuid,
  change app_public.calendar_change
);
comment on type app_public.entered_holiday is 'A holiday that was entered, and what that did.';
comment on column app_public.entered_holiday.holiday_id is 'The holiday.';
comment on column app_public.entered_holiday.change is 'What it did to the calendar.';

--! Included functions/foundation/keep_columns.sql
-- Keeps columns as they were stored, for every client: a row never moves to another hospital, and
-- what identifies it never changes under those who refer to it.
-- Trigger arguments: the table's name, then the columns to keep (hospital_id and id always are).
create or replace function app_private.keep_columns() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  before jsonb := to_jsonb(old);
  after jsonb := to_jsonb(new);
  kept text;
begin
  foreach kept in array array['hospital_id', 'id'] || tg_argv[1:] loop
    if before -> kept is distinct from after -> kept then
      perform app_private.refuse('immutable_column',
        jsonb_build_object('table', tg_argv[0], 'column', kept));
    end if;
  end loop;
  return new;
end
$$;

comment on function app_private.keep_columns() is
  'Trigger: refuses a change of the columns named as arguments, of hospital_id and of id.';

revoke execute on function app_private.keep_columns() from public;

-- The function is entered only by a statement that names one of these columns, so that updates of
-- everything else cost nothing.
create or replace trigger hospital_keeps_its_identity
  before update of id on app_public.hospital
  for each row execute function app_private.keep_columns('hospital');

create or replace trigger location_keeps_its_identity
  before update of hospital_id, id on app_public.location
  for each row execute function app_private.keep_columns('location');

create or replace trigger doctor_keeps_its_identity
  before update of hospital_id, id on app_public.doctor
  for each row execute function app_private.keep_columns('doctor');

create or replace trigger patient_keeps_its_identity
  before update of hospital_id, id, created_at on app_public.patient
  for each row execute function app_private.keep_columns('patient', 'created_at');

create or replace trigger account_keeps_its_identity
  before update of hospital_id, id, created_at on app_public.account
  for each row execute function app_private.keep_columns('account', 'created_at');

create or replace trigger service_keeps_its_identity
  before update of hospital_id, id on app_public.service
  for each row execute function app_private.keep_columns('service');

create or replace trigger schedule_keeps_its_identity
  before update of hospital_id, id, doctor_id, location_id, created_at on app_public.schedule
  for each row execute function app_private.keep_columns('schedule', 'doctor_id', 'location_id', 'created_at');

-- A slot that a new schedule still has follows it: schedule_id may change, to a schedule of the same
-- doctor at the same place, as its foreign key says.
create or replace trigger slot_keeps_its_identity
  before update of hospital_id, id, doctor_id, location_id, during, created_at on app_public.slot
  for each row execute function app_private.keep_columns('slot', 'doctor_id', 'location_id', 'during', 'created_at');

create or replace trigger appointment_keeps_its_identity
  before update of hospital_id, id, patient_id, service_id, series_id, created_by, created_at, idempotency_key, request_fingerprint on app_public.appointment
  for each row execute function app_private.keep_columns('appointment', 'patient_id', 'service_id', 'series_id', 'created_by', 'created_at', 'idempotency_key', 'request_fingerprint');

create or replace trigger appointment_move_keeps_its_identity
  before update of hospital_id, id, appointment_id, from_slot_id, to_slot_id, moved_by, moved_at, idempotency_key, request_fingerprint on app_public.appointment_move
  for each row execute function app_private.keep_columns('appointment_move', 'appointment_id', 'from_slot_id', 'to_slot_id', 'moved_by', 'moved_at', 'idempotency_key', 'request_fingerprint');

create or replace trigger doctor_day_keeps_its_identity
  before update of hospital_id, doctor_id, day on app_public.doctor_day
  for each row execute function app_private.keep_columns('doctor_day', 'doctor_id', 'day');

create or replace trigger notification_keeps_all_but_its_reading
  before update of hospital_id, id, patient_id, doctor_id, account_id, event, priority, channels, title, body, appointment_id, created_at on app_public.notification
  for each row execute function app_private.keep_columns('notification', 'patient_id', 'doctor_id', 'account_id', 'event', 'priority', 'channels', 'title', 'body', 'appointment_id', 'created_at');

create or replace trigger absence_keeps_its_identity
  before update of hospital_id, id, doctor_id, type, first_day, last_day, start_time, end_time, created_by, created_at on app_public.absence
  for each row execute function app_private.keep_columns('absence', 'doctor_id', 'type', 'first_day', 'last_day', 'start_time', 'end_time', 'created_by', 'created_at');

create or replace trigger holiday_keeps_its_identity
  before update of hospital_id, id, date, is_recurring, created_at on app_public.holiday
  for each row execute function app_private.keep_columns('holiday', 'date', 'is_recurring', 'created_at');
create or replace trigger waitlist_entry_keeps_its_identity
  before update of hospital_id, id, patient_id, doctor_id, specialty, created_by, created_at on app_public.waitlist_entry
  for each row execute function app_private.keep_columns('waitlist_entry', 'patient_id', 'doctor_id', 'specialty', 'created_by', 'created_at');

create or replace trigger waitlist_offer_keeps_its_identity
  before update of hospital_id, id, entry_id, patient_id, doctor_id, slot_id, appointment_id, offered_at on app_public.waitlist_offer
  for each row execute function app_private.keep_columns('waitlist_offer', 'entry_id', 'patient_id', 'doctor_id', 'slot_id', 'appointment_id', 'offered_at');

create or replace trigger import_run_keeps_its_identity
  before update of hospital_id, id, kind, file_name, row_count, fingerprint, created_by, imported_at on app_public.import_run
  for each row execute function app_private.keep_columns('import_run', 'kind', 'file_name', 'row_count', 'fingerprint', 'created_by', 'imported_at');

create or replace trigger imported_row_keeps_its_identity
  before update of hospital_id, run_id, row_number, record_id, external_id on app_public.imported_row
  for each row execute function app_private.keep_columns('imported_row', 'run_id', 'row_number', 'record_id', 'external_id');

create or replace trigger import_row_keeps_its_identity
  before update of hospital_id, run_id, row_number on app_private.import_row
  for each row execute function app_private.keep_columns('import_row', 'run_id', 'row_number');

create or replace trigger appointment_series_keeps_its_identity
  before update of hospital_id, id, patient_id, doctor_id, service_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing, created_by, created_at, idempotency_key, request_fingerprint on app_public.appointment_series
  for each row execute function app_private.keep_columns('appointment_series', 'patient_id', 'doctor_id', 'service_id', 'first_starts_at', 'every_days', 'occurrence_count', 'is_all_or_nothing', 'created_by', 'created_at', 'idempotency_key', 'request_fingerprint');

create or replace trigger series_occurrence_keeps_what_happened
  before update of hospital_id, series_id, number, patient_id, doctor_id, starts_at, appointment_id, scenario, details on app_public.series_occurrence
  for each row execute function app_private.keep_columns('series_occurrence', 'series_id', 'number', 'patient_id', 'doctor_id', 'starts_at', 'appointment_id', 'scenario', 'details');

create or replace trigger added_seat_keeps_what_happened
  before update of hospital_id, id, slot_id, doctor_id, reason, added_by, added_at on app_public.added_seat
  for each row execute function app_private.keep_columns('added_seat', 'slot_id', 'doctor_id', 'reason', 'added_by', 'added_at');
--! EndIncluded functions/foundation/keep_columns.sql
--! Included functions/scheduling/absence_time.sql
-- The one place where the local days or hours of an absence become instants. Both ends are read on the
-- wall clock of the hospital's zone, as working hours are, so a day on which the clocks change is
-- closed from its first instant to its last, be it 23 or 25 hours long. An end that falls into the hour
-- skipped in spring comes no earlier than the start; hours that the day does not have are empty.
create or replace function app_private.absence_time(
  time_zone text, first_day date, last_day date, start_time time, end_time time)
returns tstzrange
language sql immutable parallel safe
begin atomic
  select tstzrange(boundary.starts_at, greatest(boundary.starts_at, boundary.ends_at))
  from (
    select
      (first_day + coalesce(start_time, '00:00')) at time zone time_zone as starts_at,
      case when end_time is null then (last_day + 1)::timestamp else last_day + end_time end at time zone time_zone as ends_at
  ) as boundary;
end;

comment on function app_private.absence_time(text, date, date, time, time) is
  'Local days, or hours of one day, as a range of instants of this time zone.';

revoke execute on function app_private.absence_time(text, date, date, time, time) from public;
grant execute on function app_private.absence_time(text, date, date, time, time)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/absence_time.sql
--! Included functions/scheduling/judge_absence.sql
-- What an absence has to be like, for the table's door and for the preview alike: it begins today or
-- later in the hospital's zone, its days and hours make sense, and no other one is in its way. Returns
-- its time. Safe against a second absence at the same moment only under lock_calendar, which the door
-- takes first; the exclusion constraint is the last line.
create or replace function app_private.judge_absence(
  hospital_id uuid, doctor_id uuid, first_day date, last_day date, start_time time, end_time time)
returns tstzrange
language plpgsql stable
as $$
declare
  zone text;
  today date;
  away tstzrange;
  faults jsonb;
  other app_public.absence;
begin
  select hospital.time_zone, (app_private.clock() at time zone hospital.time_zone)::date
  into zone, today
  from app_public.hospital
  where hospital.id = judge_absence.hospital_id;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = judge_absence.hospital_id and doctor.id = judge_absence.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;

  faults := jsonb_strip_nulls(jsonb_build_object(
    'first_day', case when first_day is null then 'is missing' when not isfinite(first_day) then 'is not a day' end,
    'last_day', case
      when last_day is null then 'is missing'
      when not isfinite(last_day) then 'is not a day'
      when last_day < first_day then 'is before the first day'
      when isfinite(first_day) and last_day - first_day > 731 then 'is more than two years after the first day' end,
    'start_time', case
      when start_time is null and end_time is not null then 'is missing'
      when start_time is not null and first_day <> last_day then 'is for hours of one day only' end,
    'end_time', case
      when end_time is null and start_time is not null then 'is missing'
      when end_time <= start_time then 'is not after the start time' end));
  if faults <> '{}' then
    perform app_private.refuse('invalid_input', faults);
  end if;
  if first_day < today then
    perform app_private.refuse('absence_in_past', jsonb_build_object('first_day', first_day, 'today', today));
  end if;

  away := app_private.absence_time(zone, first_day, last_day, start_time, end_time);
  if isempty(away) then
    perform app_private.refuse('invalid_input', jsonb_build_object('start_time', 'does not exist on this day: the clocks change'));
  end if;

  select absence.* into other
  from app_public.absence
  where absence.hospital_id = judge_absence.hospital_id
    and absence.doctor_id = judge_absence.doctor_id
    and absence.during && away
    and absence.status = 'active'
  order by absence.first_day
  limit 1;
  if found then
    perform app_private.refuse('absence_overlaps', jsonb_strip_nulls(jsonb_build_object(
      'absence_id', other.id, 'type', other.type, 'first_day', other.first_day, 'last_day', other.last_day,
      'start_time', other.start_time, 'end_time', other.end_time)));
  end if;
  return away;
end
$$;

comment on function app_private.judge_absence(uuid, uuid, date, date, time, time) is
  'The time of an absence that could be entered, or its refusal.';

revoke execute on function app_private.judge_absence(uuid, uuid, date, date, time, time) from public;
grant execute on function app_private.judge_absence(uuid, uuid, date, date, time, time)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/judge_absence.sql
--! Included functions/scheduling/find_alternatives.sql
-- Who else could see a patient at this time: the other active and available doctors of the same
-- specialty, each with the free seat nearest to the time, the nearest first, five at most. Who is
-- absent, closed or full by the day has none. One look into the slots of each colleague, at one time.
create or replace function app_private.find_alternatives(hospital_id uuid, doctor_id uuid, during tstzrange)
returns app_public.alternative_seat[]
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select row(colleague.id, colleague.display_name, seat.id, seat.starts_at)::app_public.alternative_seat
    from app_public.hospital
    join app_public.doctor
      on doctor.hospital_id = find_alternatives.hospital_id and doctor.id = find_alternatives.doctor_id
    join app_public.doctor as colleague
      on colleague.hospital_id = find_alternatives.hospital_id
      and colleague.specialty = doctor.specialty
      and colleague.id <> doctor.id
      and colleague.is_active and colleague.is_available
    cross join lateral (
      select slot.id, slot.starts_at, abs(extract(epoch from slot.starts_at - lower(find_alternatives.during))) as distance
      from app_public.slot
      left join app_public.doctor_day
        on doctor_day.hospital_id = find_alternatives.hospital_id
        and doctor_day.doctor_id = slot.doctor_id
        and doctor_day.day = (slot.starts_at at time zone hospital.time_zone)::date
      where slot.hospital_id = find_alternatives.hospital_id
        and slot.doctor_id = colleague.id
        and slot.during && find_alternatives.during
        and slot.withdrawn_at is null
        and slot.status = 'available'
        and slot.starts_at > instant
        and coalesce(
          doctor_day.booked_count < least(doctor_day.max_patients, colleague.max_patients_per_day), true)
      order by distance
      limit 1
    ) as seat
    where hospital.id = find_alternatives.hospital_id
    order by seat.distance, colleague.display_name, colleague.id
    limit 5);
end
$$;

comment on function app_private.find_alternatives(uuid, uuid, tstzrange) is
  'Free seats with other doctors of the same specialty at a time, at most five.';

revoke execute on function app_private.find_alternatives(uuid, uuid, tstzrange) from public;
grant execute on function app_private.find_alternatives(uuid, uuid, tstzrange)
  to app_worker, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/find_alternatives.sql
--! Included functions/scheduling/find_affected.sql
-- The appointments that a change of the calendar touches: those that hold a seat, and open requests,
-- whose time overlaps. A lapsed hold is nobody's appointment any more. No visit lasts a day (services
-- and slots last 8 hours at most), so one short range of the index of each doctor has them all, and
-- the cost follows them and not the history; the subquery stays one look a doctor.
create or replace function app_private.find_affected(
  hospital_id uuid, doctor_id uuid, during tstzrange, with_alternatives boolean default true)
returns setof app_public.affected_appointment
language plpgsql stable rows 20
as $$
declare
  instant timestamptz := app_private.clock();
begin
  if isempty(during) then
    return;
  end if;
  return query
  select visit.id, visit.patient_id, visit.doctor_id, visit.starts_at, visit.ends_at, visit.status,
    case when with_alternatives
      then app_private.find_alternatives(find_affected.hospital_id, visit.doctor_id, visit.during)
      else '{}' end
  from app_public.doctor
  cross join lateral (
    select appointment.*
    from app_public.appointment
    where appointment.hospital_id = find_affected.hospital_id
      and appointment.doctor_id = doctor.id
      and appointment.starts_at > coalesce(lower(find_affected.during) - interval '1 day', '-infinity')
      and appointment.starts_at < coalesce(upper(find_affected.during), 'infinity')
      and appointment.during && find_affected.during
      and (appointment.holds_seat or appointment.status = 'requested')
      and (appointment.status <> 'held' or appointment.held_until > instant)
    offset 0
  ) as visit
  where doctor.hospital_id = find_affected.hospital_id
    and (find_affected.doctor_id is null or doctor.id = find_affected.doctor_id)
  order by visit.starts_at, visit.id;
end
$$;

comment on function app_private.find_affected(uuid, uuid, tstzrange, boolean) is
  'Appointments with a seat and open requests that overlap a time, of one doctor or of all, soonest first, and who else could take each.';

revoke execute on function app_private.find_affected(uuid, uuid, tstzrange, boolean) from public;
grant execute on function app_private.find_affected(uuid, uuid, tstzrange, boolean)
  to app_worker, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/find_affected.sql
--! Included functions/scheduling/closing_change.sql
-- What a closure did, or would do, in the words that the change and its preview share. What can be
-- cancelled the state machine knows; every patient concerned is told once, however many visits it is.
create or replace function app_private.closing_change(
  closed_slots integer, affected app_public.affected_appointment[], is_cancelling boolean, is_telling boolean)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  change app_public.calendar_change;
begin
  change.closed_slots := closing_change.closed_slots;
  change.opened_slots := 0;
  change.deleted_slots := 0;
  change.withdrawn_slots := 0;
  change.kept_slots := 0;
  change.generated_slots := 0;
  change.cancelled_appointments := case when is_cancelling then (
    select count(*)
    from unnest(affected) as visit
    join app_public.appointment_transition
      on appointment_transition.from_status = visit.status and appointment_transition.to_status = 'cancelled')
    else 0 end;
  change.notified_patients := case when is_telling then (
    select count(distinct visit.patient_id) from unnest(affected) as visit) else 0 end;
  change.affected_appointments := affected;
  return change;
end
$$;

comment on function app_private.closing_change(integer, app_public.affected_appointment[], boolean, boolean) is
  'A change of the calendar that closes so many slots and touches these appointments.';

revoke execute on function app_private.closing_change(integer, app_public.affected_appointment[], boolean, boolean) from public;
grant execute on function app_private.closing_change(integer, app_public.affected_appointment[], boolean, boolean)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/closing_change.sql
--! Included functions/scheduling/report_change.sql
-- A trigger that changes the calendar has no answer of its own to give; what it did is left here, for
-- the function that caused it to read in the same transaction. Counting again afterwards would count
-- what others did meanwhile, and could not know the states before.
create or replace function app_private.report_change(change app_public.calendar_change)
returns void
language plpgsql
as $$
begin
  perform set_config('calendar.change', to_jsonb(change)::text, true);
end
$$;

comment on function app_private.report_change(app_public.calendar_change) is
  'Leaves what a trigger did to the calendar for the rest of the transaction.';

revoke execute on function app_private.report_change(app_public.calendar_change) from public;
--! EndIncluded functions/scheduling/report_change.sql
--! Included functions/scheduling/reported_change.sql
-- The other end of report_change: what the statement just before did to the calendar.
create or replace function app_private.reported_change()
returns app_public.calendar_change
language plpgsql stable
as $$
begin
  return jsonb_populate_record(null::app_public.calendar_change, current_setting('calendar.change')::jsonb);
end
$$;

comment on function app_private.reported_change() is 'What the last trigger of this transaction did to the calendar.';

revoke execute on function app_private.reported_change() from public;
grant execute on function app_private.reported_change() to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/reported_change.sql
--! Included functions/scheduling/seats_of.sql
-- All slots in which these appointments sit, first and further ones.
create or replace function app_private.seats_of(hospital_id uuid, appointment_ids uuid[])
returns uuid[]
language plpgsql stable
as $$
begin
  return array(
    select appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = seats_of.hospital_id
      and appointment.id = any (seats_of.appointment_ids)
      and appointment.holds_seat
    union
    select appointment_seat.slot_id
    from app_public.appointment_seat
    where appointment_seat.hospital_id = seats_of.hospital_id
      and appointment_seat.appointment_id = any (seats_of.appointment_ids));
end
$$;

comment on function app_private.seats_of(uuid, uuid[]) is 'Slots in which appointments hold their seats.';

revoke execute on function app_private.seats_of(uuid, uuid[]) from public;
--! EndIncluded functions/scheduling/seats_of.sql
--! Included functions/scheduling/lock_affected.sql
-- Locks what a closure that cancels will change, so that nothing slips through: the appointments first,
-- while nothing else is held but the calendar, then all slots concerned by id, then the days. A booking
-- that was under way when the appointments were collected has either got its seat by the time the slots
-- are ours, and is found by the second look, or finds the slots closed. For such a newcomer nobody is
-- waited for: whoever holds it may be waiting for one of our slots. If it is not to be had at once, or
-- sits in a slot that was not locked in its turn, the savepoint lets all of it go and the collecting
-- starts again, waiting for the newcomer in the right order now.
create or replace function app_private.lock_affected(hospital_id uuid, doctor_id uuid, during tstzrange)
returns void
language plpgsql
as $$
declare
  attempts integer := 0;
  appointment_ids uuid[];
  newcomer_ids uuid[];
  taken_ids uuid[];
  slot_ids uuid[];
begin
  loop
    attempts := attempts + 1;
    begin
      appointment_ids := array(
        select affected.appointment_id
        from app_private.find_affected(
          lock_affected.hospital_id, lock_affected.doctor_id, lock_affected.during, with_alternatives => false) as affected);
      perform from app_public.appointment
      where appointment.hospital_id = lock_affected.hospital_id and appointment.id = any (appointment_ids)
      order by appointment.id
      for no key update;

      slot_ids := app_private.seats_of(lock_affected.hospital_id, appointment_ids) || array(
        select slot.id
        from app_public.slot
        where slot.hospital_id = lock_affected.hospital_id
          and slot.doctor_id = lock_affected.doctor_id
          and slot.during && lock_affected.during
          and slot.withdrawn_at is null);
      perform from app_public.slot
      where slot.hospital_id = lock_affected.hospital_id and slot.id = any (slot_ids)
      order by slot.id
      for no key update;

      newcomer_ids := array(
        select affected.appointment_id
        from app_private.find_affected(
          lock_affected.hospital_id, lock_affected.doctor_id, lock_affected.during, with_alternatives => false) as affected
        where affected.appointment_id <> all (appointment_ids));
      taken_ids := array(
        select appointment.id
        from app_public.appointment
        where appointment.hospital_id = lock_affected.hospital_id and appointment.id = any (newcomer_ids)
        order by appointment.id
        for no key update skip locked);
      if cardinality(taken_ids) < cardinality(newcomer_ids)
        or not app_private.seats_of(lock_affected.hospital_id, newcomer_ids) <@ slot_ids
      then
        perform app_private.refuse('try_again');
      end if;

      perform from app_public.doctor_day
      where doctor_day.hospital_id = lock_affected.hospital_id
        and doctor_day.doctor_id = lock_affected.doctor_id
        and doctor_day.day in (
          select (slot.starts_at at time zone hospital.time_zone)::date
          from app_public.slot
          join app_public.hospital on hospital.id = lock_affected.hospital_id
          where slot.hospital_id = lock_affected.hospital_id
            and slot.id = any (app_private.seats_of(lock_affected.hospital_id, appointment_ids || newcomer_ids)))
      order by doctor_day.day
      for no key update;
      return;
    exception when sqlstate 'SK409' then
      if attempts >= 10 then
        raise;
      end if;
    end;
  end loop;
end
$$;

comment on function app_private.lock_affected(uuid, uuid, tstzrange) is
  'Locks a doctor''s appointments within a time, all slots concerned and their days, in the order that every booking keeps.';

revoke execute on function app_private.lock_affected(uuid, uuid, tstzrange) from public;
--! EndIncluded functions/scheduling/lock_affected.sql
--! Included functions/scheduling/cancel_affected.sql
-- Cancels those of the appointments that the state machine lets be cancelled; who is checked in or in
-- the room is the staff's to look after. Their rows, slots and days are locked already, so the order of
-- the update does not matter; seats, log and messages are the work of the appointment's own triggers.
create or replace function app_private.cancel_affected(
  hospital_id uuid, affected app_public.affected_appointment[], cause app_public.cancellation_cause, reason text)
returns void
language plpgsql
as $$
begin
  update app_public.appointment
  set status = 'cancelled', cancellation_cause = cancel_affected.cause, cancellation_reason = cancel_affected.reason
  where appointment.hospital_id = cancel_affected.hospital_id
    and appointment.id in (
      select visit.appointment_id
      from unnest(affected) as visit
      join app_public.appointment_transition
        on appointment_transition.from_status = visit.status and appointment_transition.to_status = 'cancelled');
end
$$;

comment on function app_private.cancel_affected(uuid, app_public.affected_appointment[], app_public.cancellation_cause, text) is
  'Cancels the appointments that a change of the calendar touches, as far as they can be cancelled.';

revoke execute on function app_private.cancel_affected(uuid, app_public.affected_appointment[], app_public.cancellation_cause, text) from public;
--! EndIncluded functions/scheduling/cancel_affected.sql
--! Included functions/scheduling/tell_affected.sql
-- Tells the patient of every appointment among these that still stands.
create or replace function app_private.tell_affected(
  hospital_id uuid, event text, affected app_public.affected_appointment[], facts jsonb default null)
returns void
language plpgsql
as $$
declare
  visit app_public.appointment;
begin
  for visit in
    select appointment.*
    from app_public.appointment
    where appointment.hospital_id = tell_affected.hospital_id
      and appointment.id in (select each.appointment_id from unnest(affected) as each)
      and appointment.status <> 'cancelled'
    order by appointment.starts_at, appointment.id
  loop
    perform app_private.notify_of_appointment(event, 'patient', visit, facts);
  end loop;
end
$$;

comment on function app_private.tell_affected(uuid, text, app_public.affected_appointment[], jsonb) is
  'Leaves a notification for the patient of each of these appointments that still stands.';

revoke execute on function app_private.tell_affected(uuid, text, app_public.affected_appointment[], jsonb) from public;
--! EndIncluded functions/scheduling/tell_affected.sql
--! Included functions/scheduling/announce_calendar.sql
-- One message for whoever watches free slots, however many slots a change of the calendar touched: it
-- names a doctor, or nobody when it is the whole hospital, and says by that to read again.
create or replace function app_private.announce_calendar(hospital_id uuid, doctor_id uuid default null)
returns void
language plpgsql
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (hospital_id, 'slots', coalesce(doctor_id, hospital_id)::text, jsonb_build_object('doctor_id', doctor_id));
end
$$;

comment on function app_private.announce_calendar(uuid, uuid) is
  'Leaves a message in the outbox: slots of a doctor, or of the whole hospital, were closed or opened.';

revoke execute on function app_private.announce_calendar(uuid, uuid) from public;
--! EndIncluded functions/scheduling/announce_calendar.sql
--! Included functions/scheduling/admit_absence.sql
-- The door of the absence table, for every client: the calendar is locked before anything is looked at,
-- so that two absences, or an absence and the generation of slots, come in turn. Its time follows from
-- its days and is never taken from a client. It runs before row-level security looks at the row, so it
-- repeats the walls that matter for what a refusal may tell.
create or replace function app_private.admit_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'doctor' and new.doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.lock_calendar(new.hospital_id, new.doctor_id);

  new.during := app_private.judge_absence(
    new.hospital_id, new.doctor_id, new.first_day, new.last_day, new.start_time, new.end_time);
  new.status := 'active';
  new.created_by := app_private.claim_account_id();
  new.created_at := app_private.clock();
  new.cancelled_by := null;
  new.cancelled_at := null;
  return new;
end
$$;

comment on function app_private.admit_absence() is 'Trigger: admits a new absence with its time, or refuses it with its scenario.';

revoke execute on function app_private.admit_absence() from public;

create or replace trigger absence_is_admitted
  before insert on app_public.absence
  for each row execute function app_private.admit_absence();
--! EndIncluded functions/scheduling/admit_absence.sql
--! Included functions/scheduling/close_for_absence.sql
-- A new absence closes the slots that it touches, as far as they are still ahead, and says so in the
-- slots, where every booking looks. The slots are locked by id first: a booking that has one of them
-- is finished, and counted, before the appointments are looked at; one that comes later finds it closed.
-- An emergency cancels what it touches; any other absence leaves the visits for people to move.
create or replace function app_private.close_for_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  is_emergency boolean := new.type = 'emergency';
  ahead tstzrange := new.during * tstzrange(app_private.clock(), null);
  affected app_public.affected_appointment[];
  closed integer;
begin
  if is_emergency then
    perform app_private.lock_affected(new.hospital_id, new.doctor_id, ahead);
  else
    perform from app_public.slot
    where slot.hospital_id = new.hospital_id
      and slot.doctor_id = new.doctor_id
      and slot.during && ahead
      and slot.withdrawn_at is null
    order by slot.id
    for no key update;
  end if;
  affected := array(
    select visit from app_private.find_affected(new.hospital_id, new.doctor_id, ahead) as visit);

  update app_public.slot
  set absence_id = new.id
  where slot.hospital_id = new.hospital_id
    and slot.doctor_id = new.doctor_id
    and slot.during && ahead
    and slot.withdrawn_at is null
    and slot.absence_id is null;
  get diagnostics closed = row_count;
  if closed > 0 then
    perform app_private.announce_calendar(new.hospital_id, new.doctor_id);
  end if;

  if is_emergency then
    perform app_private.cancel_affected(
      new.hospital_id, affected, 'doctor_emergency', 'Auto-cancelled due to doctor emergency');
  end if;
  perform app_private.tell_affected(new.hospital_id, 'doctor_absent', affected);
  perform app_private.report_change(
    app_private.closing_change(closed, affected, is_cancelling => is_emergency, is_telling => true));
  return null;
end
$$;

comment on function app_private.close_for_absence() is
  'Trigger: closes the slots of a new absence, and cancels or tells the appointments in them.';

revoke execute on function app_private.close_for_absence() from public;

create or replace trigger absence_closes_its_slots
  after insert on app_public.absence
  for each row execute function app_private.close_for_absence();
--! EndIncluded functions/scheduling/close_for_absence.sql
--! Included functions/scheduling/end_absence.sql
-- An absence ends by being cancelled, once and for good. The row is locked by the update before the
-- calendar is; nobody waits for an absence while holding a calendar, so the two never wait in a circle.
create or replace function app_private.end_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if old.status = 'cancelled' then
    perform app_private.refuse('absence_is_cancelled', jsonb_build_object('absence_id', old.id));
  end if;
  if new.status = 'cancelled' then
    perform app_private.lock_calendar(old.hospital_id, old.doctor_id);
    new.cancelled_by := app_private.claim_account_id();
    new.cancelled_at := app_private.clock();
  end if;
  return new;
end
$$;

comment on function app_private.end_absence() is 'Trigger: lets an absence be cancelled once, with its time and its account.';

revoke execute on function app_private.end_absence() from public;

create or replace trigger absence_ends_for_good
  before update of status on app_public.absence
  for each row execute function app_private.end_absence();
--! EndIncluded functions/scheduling/end_absence.sql
--! Included functions/scheduling/open_after_absence.sql
-- A cancelled absence opens the slots that it closed and nothing else: a slot that is blocked by hand,
-- on a holiday or withdrawn stays so, because each reason has a column of its own. A slot that another
-- absence touches as well is handed to that one. The slots are locked by id first.
create or replace function app_private.open_after_absence() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  change app_public.calendar_change := app_private.closing_change(0, '{}', is_cancelling => false, is_telling => false);
begin
  perform from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.absence_id = new.id
  order by slot.id
  for no key update;

  with opened as (
    update app_public.slot
    set absence_id = (
      select absence.id
      from app_public.absence
      where absence.hospital_id = new.hospital_id
        and absence.doctor_id = new.doctor_id
        and absence.during && slot.during
        and absence.status = 'active'
      limit 1)
    where slot.hospital_id = new.hospital_id and slot.absence_id = new.id
    returning slot.status)
  select count(*) filter (where opened.status not in ('blocked', 'withdrawn')) into change.opened_slots
  from opened;

  perform app_private.announce_calendar(new.hospital_id, new.doctor_id);
  perform app_private.report_change(change);
  return null;
end
$$;

comment on function app_private.open_after_absence() is 'Trigger: opens the slots that a cancelled absence had closed.';

revoke execute on function app_private.open_after_absence() from public;

create or replace trigger cancelled_absence_opens_its_slots
  after update of status on app_public.absence
  for each row when (old.status = 'active' and new.status = 'cancelled')
  execute function app_private.open_after_absence();
--! EndIncluded functions/scheduling/open_after_absence.sql
--! Included functions/scheduling/create_absence.sql
-- Everything happens in the triggers of the table, for psql as for this function; it asks, and passes
-- on what they report.
create or replace function app_public.create_absence(
  doctor_id uuid,
  type app_public.absence_type,
  first_day date,
  last_day date,
  start_time time default null,
  end_time time default null,
  reason text default null)
returns app_public.entered_absence
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  entered app_public.entered_absence;
begin
  insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day, start_time, end_time, reason)
  values (hospital, doctor_id, type, first_day, last_day, start_time, end_time, reason)
  returning absence.id into entered.absence_id;
  entered.change := app_private.reported_change();
  return entered;
end
$$;

comment on function app_public.create_absence(uuid, app_public.absence_type, date, date, time, time, text) is
  'Enters an absence of a doctor: whole local days, or hours of one day. It closes the slots that it touches, as far as they are still ahead. The patients of affected appointments are told and their appointments stay, to be moved; an emergency cancels them. For receptionists and admins; doctors enter their own. previewAbsence tells beforehand what it would do.';

revoke execute on function app_public.create_absence(uuid, app_public.absence_type, date, date, time, time, text) from public;
grant execute on function app_public.create_absence(uuid, app_public.absence_type, date, date, time, time, text)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/create_absence.sql
--! Included functions/scheduling/declare_emergency.sql
-- An emergency from now on, in the hospital's own days. To the end of today it begins at this minute, so
-- that an absence earlier today is not in its way; in the hour that the clocks repeat, this minute could
-- be read as an hour later, and the whole day is taken. What has passed is untouched either way.
create or replace function app_public.declare_emergency(
  doctor_id uuid, last_day date default null, reason text default null)
returns app_public.entered_absence
language plpgsql volatile
as $$
declare
  tenant uuid := app_private.request_hospital_id();
  instant timestamptz := app_private.clock();
  zone text;
  today date;
  minute time;
begin
  select hospital.time_zone, (instant at time zone hospital.time_zone)::date,
    date_trunc('minute', instant at time zone hospital.time_zone)::time
  into zone, today, minute
  from app_public.hospital
  where hospital.id = tenant;

  if coalesce(last_day, today) <> today or (today + minute) at time zone zone > instant then
    minute := null;
  end if;
  return app_public.create_absence(
    doctor_id, 'emergency', today, coalesce(last_day, today), minute, case when minute is not null then '24:00'::time end, reason);
end
$$;

comment on function app_public.declare_emergency(uuid, date, text) is
  'A doctor has to leave now: an emergency absence from this moment to the end of today, or of lastDay. Affected appointments are cancelled and their patients told at once. For receptionists and admins; doctors for themselves.';

revoke execute on function app_public.declare_emergency(uuid, date, text) from public;
grant execute on function app_public.declare_emergency(uuid, date, text) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/declare_emergency.sql
--! Included functions/scheduling/cancel_absence.sql
-- The opening is the work of the table's triggers.
create or replace function app_public.cancel_absence(absence_id uuid)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  update app_public.absence
  set status = 'cancelled'
  where absence.hospital_id = hospital and absence.id = cancel_absence.absence_id;
  if not found then
    perform app_private.refuse(
      case when exists (
        select from app_public.absence
        where absence.hospital_id = hospital and absence.id = cancel_absence.absence_id)
      then 'forbidden' else 'absence_not_found' end,
      jsonb_build_object('absence_id', absence_id));
  end if;
  return app_private.reported_change();
end
$$;

comment on function app_public.cancel_absence(uuid) is
  'Cancels an absence for good and opens the slots that it closed; what is blocked by hand or on a holiday stays closed, and appointments that were cancelled stay cancelled. For receptionists and admins; doctors cancel their own.';

revoke execute on function app_public.cancel_absence(uuid) from public;
grant execute on function app_public.cancel_absence(uuid) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/cancel_absence.sql
--! Included functions/scheduling/preview_absence.sql
-- The same judge, the same appointments and the same words as the absence itself; only the slots are
-- counted instead of closed.
create or replace function app_public.preview_absence(
  doctor_id uuid,
  type app_public.absence_type,
  first_day date,
  last_day date,
  start_time time default null,
  end_time time default null)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  ahead tstzrange;
  closed integer;
begin
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  ahead := tstzrange(app_private.clock(), null) * app_private.judge_absence(
    hospital, doctor_id, first_day, last_day, start_time, end_time);

  select count(*) into closed
  from app_public.slot
  where slot.hospital_id = hospital
    and slot.doctor_id = preview_absence.doctor_id
    and slot.during && ahead
    and slot.withdrawn_at is null
    and slot.absence_id is null;
  return app_private.closing_change(
    closed,
    array(select visit from app_private.find_affected(hospital, doctor_id, ahead) as visit),
    is_cancelling => type = 'emergency', is_telling => true);
end
$$;

comment on function app_public.preview_absence(uuid, app_public.absence_type, date, date, time, time) is
  'What createAbsence with these arguments would do and which appointments it would touch, with other doctors who could take each; nothing is changed. Refused as createAbsence would be.';

revoke execute on function app_public.preview_absence(uuid, app_public.absence_type, date, date, time, time) from public;
grant execute on function app_public.preview_absence(uuid, app_public.absence_type, date, date, time, time)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/preview_absence.sql
--! Included functions/scheduling/judge_holiday.sql
-- What a holiday has to be like, for the table's door and for the preview alike. Once: today or later in
-- the hospital's zone; every year: any date, of which month and day count. Safe against a second holiday
-- at the same moment only under lock_calendar, which the door takes first; the exclusion constraint is
-- the last line.
create or replace function app_private.judge_holiday(hospital_id uuid, name text, date date, is_recurring boolean)
returns void
language plpgsql stable
as $$
declare
  today date;
  faults jsonb;
  other app_public.holiday;
begin
  faults := jsonb_strip_nulls(jsonb_build_object(
    'name', case when length(btrim(coalesce(name, ''))) not between 1 and 200 then 'is empty or longer than 200 characters' end,
    'date', case when date is null then 'is missing' when not isfinite(date) then 'is not a day' end,
    'is_recurring', case when is_recurring is null then 'is missing' end));
  if faults <> '{}' then
    perform app_private.refuse('invalid_input', faults);
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = judge_holiday.hospital_id;
  if not is_recurring and date < today then
    perform app_private.refuse('holiday_in_past', jsonb_build_object('date', date, 'today', today));
  end if;

  select holiday.* into other
  from app_public.holiday
  where holiday.hospital_id = judge_holiday.hospital_id
    and holiday.month_day = extract(month from judge_holiday.date)::integer * 100 + extract(day from judge_holiday.date)::integer
    and (holiday.is_recurring or judge_holiday.is_recurring or holiday.date = judge_holiday.date)
    and holiday.is_active
  order by holiday.date
  limit 1;
  if found then
    perform app_private.refuse('holiday_overlaps', jsonb_build_object(
      'holiday_id', other.id, 'name', other.name, 'date', other.date, 'is_recurring', other.is_recurring));
  end if;
end
$$;

comment on function app_private.judge_holiday(uuid, text, date, boolean) is 'Refuses a holiday that could not be entered.';

revoke execute on function app_private.judge_holiday(uuid, text, date, boolean) from public;
grant execute on function app_private.judge_holiday(uuid, text, date, boolean) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/judge_holiday.sql
--! Included functions/scheduling/days_of_holiday.sql
-- The local days on which a holiday closes something: from today to the last day that has slots or can
-- be booked. A recurring one falls on its month and day of every year that has them, so 29 February on
-- leap years only. Of today, what is still ahead. The last slot is found by one look a doctor.
create or replace function app_private.days_of_holiday(hospital_id uuid, date date, is_recurring boolean)
returns table (day date, during tstzrange)
language plpgsql stable rows 2
as $$
declare
  instant timestamptz := app_private.clock();
  zone text;
  today date;
  last_day date;
begin
  select hospital.time_zone, (instant at time zone hospital.time_zone)::date,
    (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days
  into zone, today, last_day
  from app_public.hospital
  where hospital.id = days_of_holiday.hospital_id;

  select greatest(last_day, (max(latest.starts_at) at time zone zone)::date) into last_day
  from app_public.doctor
  cross join lateral (
    select slot.starts_at
    from app_public.slot
    where slot.hospital_id = days_of_holiday.hospital_id and slot.doctor_id = doctor.id
    order by slot.starts_at desc
    limit 1
  ) as latest
  where doctor.hospital_id = days_of_holiday.hospital_id;

  return query
  select occurrence.day,
    tstzrange(occurrence.day::timestamp at time zone zone, (occurrence.day + 1)::timestamp at time zone zone)
      * tstzrange(instant, null)
  from (
    select days_of_holiday.date as day
    where not is_recurring
    union all
    select (days_of_holiday.date + make_interval(years => year - extract(year from days_of_holiday.date)::integer))::date
    from generate_series(extract(year from today)::integer, extract(year from last_day)::integer) as year
    where is_recurring
  ) as occurrence
  where occurrence.day between today and last_day
    and extract(day from occurrence.day) = extract(day from days_of_holiday.date);
end
$$;

comment on function app_private.days_of_holiday(uuid, date, boolean) is
  'Local days ahead on which a holiday falls, with what is still ahead of each, as far as slots reach.';

revoke execute on function app_private.days_of_holiday(uuid, date, boolean) from public;
grant execute on function app_private.days_of_holiday(uuid, date, boolean) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/days_of_holiday.sql
--! Included functions/scheduling/slots_of_holiday.sql
-- The slots that a holiday closes: those of its local days in the whole hospital, as far as they are
-- still ahead, by one short range of the index of each doctor.
create or replace function app_private.slots_of_holiday(hospital_id uuid, date date, is_recurring boolean)
returns uuid[]
language plpgsql stable
as $$
begin
  return array(
    select seat.id
    from app_private.days_of_holiday(slots_of_holiday.hospital_id, slots_of_holiday.date, slots_of_holiday.is_recurring) as holiday
    join app_public.hospital on hospital.id = slots_of_holiday.hospital_id
    join app_public.doctor on doctor.hospital_id = slots_of_holiday.hospital_id
    cross join lateral (
      select slot.id
      from app_public.slot
      where slot.hospital_id = slots_of_holiday.hospital_id
        and slot.doctor_id = doctor.id
        and slot.starts_at >= holiday.day::timestamp at time zone hospital.time_zone
        and slot.starts_at < (holiday.day + 1)::timestamp at time zone hospital.time_zone
        and slot.ends_at > lower(holiday.during)
        and slot.withdrawn_at is null
        and slot.holiday_id is null
      offset 0
    ) as seat);
end
$$;

comment on function app_private.slots_of_holiday(uuid, date, boolean) is 'Slots ahead that a holiday closes.';

revoke execute on function app_private.slots_of_holiday(uuid, date, boolean) from public;
grant execute on function app_private.slots_of_holiday(uuid, date, boolean) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/slots_of_holiday.sql
--! Included functions/scheduling/affected_by_holiday.sql
-- The appointments on the days of a holiday, soonest first. Nobody in the hospital could take them then,
-- so no alternatives are looked for.
create or replace function app_private.affected_by_holiday(hospital_id uuid, date date, is_recurring boolean)
returns app_public.affected_appointment[]
language plpgsql stable
as $$
begin
  return array(
    select visit
    from app_private.days_of_holiday(
      affected_by_holiday.hospital_id, affected_by_holiday.date, affected_by_holiday.is_recurring) as holiday
    cross join lateral app_private.find_affected(
      affected_by_holiday.hospital_id, null, holiday.during, with_alternatives => false) as visit
    order by visit.starts_at, visit.appointment_id);
end
$$;

comment on function app_private.affected_by_holiday(uuid, date, boolean) is 'Appointments and open requests on the days of a holiday.';

revoke execute on function app_private.affected_by_holiday(uuid, date, boolean) from public;
grant execute on function app_private.affected_by_holiday(uuid, date, boolean) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/affected_by_holiday.sql
--! Included functions/scheduling/admit_holiday.sql
-- The door of the holiday table, for every client: the calendar of the whole hospital is locked before
-- anything is looked at. It runs before row-level security looks at the row, so it repeats the wall
-- between hospitals.
create or replace function app_private.admit_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), new.hospital_id);
  perform app_private.lock_calendar(new.hospital_id);
  perform app_private.judge_holiday(new.hospital_id, new.name, new.date, new.is_recurring);
  new.is_active := true;
  new.created_at := app_private.clock();
  return new;
end
$$;

comment on function app_private.admit_holiday() is 'Trigger: admits a new holiday, or refuses it with its scenario.';

revoke execute on function app_private.admit_holiday() from public;

create or replace trigger holiday_is_admitted
  before insert on app_public.holiday
  for each row execute function app_private.admit_holiday();
--! EndIncluded functions/scheduling/admit_holiday.sql
--! Included functions/scheduling/close_for_holiday.sql
-- A new holiday closes the slots of its days in the whole hospital and says so in the slots, where every
-- booking looks. They are locked by id first: a booking that has one of them is finished, and counted,
-- before the appointments are looked at; one that comes later finds it closed. Appointments stay, for
-- people to move; their patients are told.
create or replace function app_private.close_for_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  slot_ids uuid[] := app_private.slots_of_holiday(new.hospital_id, new.date, new.is_recurring);
  affected app_public.affected_appointment[];
  closed integer;
begin
  perform from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.id = any (slot_ids)
  order by slot.id
  for no key update;
  affected := app_private.affected_by_holiday(new.hospital_id, new.date, new.is_recurring);

  update app_public.slot
  set holiday_id = new.id
  where slot.hospital_id = new.hospital_id and slot.id = any (slot_ids) and slot.withdrawn_at is null;
  get diagnostics closed = row_count;
  if closed > 0 then
    perform app_private.announce_calendar(new.hospital_id);
  end if;

  perform app_private.tell_affected(
    new.hospital_id, 'hospital_closed', affected, jsonb_build_object('holiday', new.name));
  perform app_private.report_change(
    app_private.closing_change(closed, affected, is_cancelling => false, is_telling => true));
  return null;
end
$$;

comment on function app_private.close_for_holiday() is
  'Trigger: closes the slots of a new holiday and tells the patients of the appointments in them.';

revoke execute on function app_private.close_for_holiday() from public;

create or replace trigger holiday_closes_its_slots
  after insert on app_public.holiday
  for each row execute function app_private.close_for_holiday();
--! EndIncluded functions/scheduling/close_for_holiday.sql
--! Included functions/scheduling/end_holiday.sql
-- A holiday ends by being cancelled, once and for good. The row is locked by the update before the
-- calendar is; nobody waits for a holiday while holding a calendar, so the two never wait in a circle.
create or replace function app_private.end_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if not old.is_active then
    perform app_private.refuse('holiday_is_cancelled', jsonb_build_object('holiday_id', old.id));
  end if;
  if not new.is_active then
    perform app_private.lock_calendar(old.hospital_id);
  end if;
  return new;
end
$$;

comment on function app_private.end_holiday() is 'Trigger: lets a holiday be cancelled once.';

revoke execute on function app_private.end_holiday() from public;

create or replace trigger holiday_ends_for_good
  before update of is_active on app_public.holiday
  for each row execute function app_private.end_holiday();
--! EndIncluded functions/scheduling/end_holiday.sql
--! Included functions/scheduling/open_after_holiday.sql
-- A cancelled holiday opens the slots that it closed and nothing else: a slot that is blocked by hand, in
-- an absence or withdrawn stays so, because each reason has a column of its own. The slots are locked by
-- id first.
create or replace function app_private.open_after_holiday() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  change app_public.calendar_change := app_private.closing_change(0, '{}', is_cancelling => false, is_telling => false);
begin
  perform from app_public.slot
  where slot.hospital_id = new.hospital_id and slot.holiday_id = new.id
  order by slot.id
  for no key update;

  with opened as (
    update app_public.slot
    set holiday_id = null
    where slot.hospital_id = new.hospital_id and slot.holiday_id = new.id
    returning slot.status)
  select count(*) filter (where opened.status not in ('blocked', 'withdrawn')) into change.opened_slots
  from opened;

  perform app_private.announce_calendar(new.hospital_id);
  perform app_private.report_change(change);
  return null;
end
$$;

comment on function app_private.open_after_holiday() is 'Trigger: opens the slots that a cancelled holiday had closed.';

revoke execute on function app_private.open_after_holiday() from public;

create or replace trigger cancelled_holiday_opens_its_slots
  after update of is_active on app_public.holiday
  for each row when (old.is_active and not new.is_active)
  execute function app_private.open_after_holiday();
--! EndIncluded functions/scheduling/open_after_holiday.sql
--! Included functions/scheduling/create_holiday.sql
-- Everything happens in the triggers of the table, for psql as for this function; it asks, and passes
-- on what they report.
create or replace function app_public.create_holiday(name text, date date, is_recurring boolean default false)
returns app_public.entered_holiday
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  entered app_public.entered_holiday;
begin
  insert into app_public.holiday (hospital_id, name, date, is_recurring)
  values (hospital, name, date, is_recurring)
  returning holiday.id into entered.holiday_id;
  entered.change := app_private.reported_change();
  return entered;
end
$$;

comment on function app_public.create_holiday(text, date, boolean) is
  'Enters a holiday of the whole hospital, once or every year (29 February in leap years only). It closes the slots of that local day, as far as they are still ahead; the patients of affected appointments are told and their appointments stay, to be moved. For receptionists and admins. previewHoliday tells beforehand what it would do.';

revoke execute on function app_public.create_holiday(text, date, boolean) from public;
grant execute on function app_public.create_holiday(text, date, boolean) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/create_holiday.sql
--! Included functions/scheduling/cancel_holiday.sql
-- The opening is the work of the table's triggers.
create or replace function app_public.cancel_holiday(holiday_id uuid)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  update app_public.holiday
  set is_active = false
  where holiday.hospital_id = hospital and holiday.id = cancel_holiday.holiday_id;
  if not found then
    perform app_private.refuse('holiday_not_found', jsonb_build_object('holiday_id', holiday_id));
  end if;
  return app_private.reported_change();
end
$$;

comment on function app_public.cancel_holiday(uuid) is
  'Cancels a holiday for good and opens the slots that it closed; what is blocked by hand or in an absence stays closed. For receptionists and admins.';

revoke execute on function app_public.cancel_holiday(uuid) from public;
grant execute on function app_public.cancel_holiday(uuid) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/cancel_holiday.sql
--! Included functions/scheduling/preview_holiday.sql
-- The same judge, the same slots, the same appointments and the same words as the holiday itself.
create or replace function app_public.preview_holiday(name text, date date, is_recurring boolean default false)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  perform app_private.judge_holiday(hospital, name, date, is_recurring);
  return app_private.closing_change(
    cardinality(app_private.slots_of_holiday(hospital, date, is_recurring)),
    app_private.affected_by_holiday(hospital, date, is_recurring),
    is_cancelling => false, is_telling => true);
end
$$;

comment on function app_public.preview_holiday(text, date, boolean) is
  'What createHoliday with these arguments would do and which appointments it would touch; nothing is changed. Refused as createHoliday would be.';

revoke execute on function app_public.preview_holiday(text, date, boolean) from public;
grant execute on function app_public.preview_holiday(text, date, boolean) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/preview_holiday.sql
--! Included functions/scheduling/upcoming_of_doctor.sql
-- What stands in the way of a doctor who stops: appointments and open requests still ahead; for one who
-- leaves altogether also the patients who are checked in or in the room (of the last day: a visit that
-- was never completed does not bind a doctor for ever). A visit whose time has come and that nobody
-- checked in is not ahead any more.
create or replace function app_private.upcoming_of_doctor(
  hospital_id uuid, doctor_id uuid, is_leaving boolean, with_alternatives boolean default true)
returns app_public.affected_appointment[]
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select visit
    from app_private.find_affected(
      upcoming_of_doctor.hospital_id, upcoming_of_doctor.doctor_id,
      tstzrange(case when is_leaving then instant - interval '1 day' else instant end, null), with_alternatives) as visit
    where case when visit.status in ('checked_in', 'in_progress') then is_leaving else visit.starts_at > instant end);
end
$$;

comment on function app_private.upcoming_of_doctor(uuid, uuid, boolean, boolean) is
  'Appointments and open requests of a doctor that are still to come; of one who leaves also those under way.';

revoke execute on function app_private.upcoming_of_doctor(uuid, uuid, boolean, boolean) from public;
grant execute on function app_private.upcoming_of_doctor(uuid, uuid, boolean, boolean)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/upcoming_of_doctor.sql
--! Included functions/scheduling/upcoming_of_patient.sql
-- What stands in the way of a patient who leaves: appointments and open requests still ahead, and a visit
-- that is under way (of the last day). One short range of the patient's index.
create or replace function app_private.upcoming_of_patient(hospital_id uuid, patient_id uuid)
returns app_public.affected_appointment[]
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
begin
  return array(
    select row(appointment.id, appointment.patient_id, appointment.doctor_id, appointment.starts_at,
      appointment.ends_at, appointment.status, '{}')::app_public.affected_appointment
    from app_public.appointment
    where appointment.hospital_id = upcoming_of_patient.hospital_id
      and appointment.patient_id = upcoming_of_patient.patient_id
      and appointment.starts_at > instant - interval '1 day'
      and (appointment.holds_seat or appointment.status = 'requested')
      and (appointment.status <> 'held' or appointment.held_until > instant)
      and (appointment.status in ('checked_in', 'in_progress') or appointment.starts_at > instant)
    order by appointment.starts_at, appointment.id);
end
$$;

comment on function app_private.upcoming_of_patient(uuid, uuid) is
  'Appointments and open requests of a patient that are still to come or under way.';

revoke execute on function app_private.upcoming_of_patient(uuid, uuid) from public;
grant execute on function app_private.upcoming_of_patient(uuid, uuid) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/upcoming_of_patient.sql
--! Included functions/scheduling/try_lock_calendar.sql
-- lock_calendar of one doctor for those who may not wait: the same two locks, or false at once.
create or replace function app_private.try_lock_calendar(hospital_id uuid, doctor_id uuid)
returns boolean
language plpgsql
as $$
begin
  return pg_try_advisory_xact_lock_shared(hashtextextended(concat('calendar', hospital_id), 0))
    and pg_try_advisory_xact_lock(hashtextextended(concat('calendar', hospital_id, doctor_id), 0));
end
$$;

comment on function app_private.try_lock_calendar(uuid, uuid) is
  'Locks the calendar of one doctor until the end of the transaction, unless somebody holds it; says whether it did.';

revoke execute on function app_private.try_lock_calendar(uuid, uuid) from public;
--! EndIncluded functions/scheduling/try_lock_calendar.sql
--! Included functions/scheduling/guard_doctor_leave.sql
-- A doctor who stops has nobody waiting, whoever says so. All slots ahead are locked by id first: a
-- booking that has one of them is finished, and counted; one that comes later reads the doctor after it
-- has the slot (take_seat) and finds out. New slots could come in beside that, so the calendar is taken
-- as well, but never waited for: this trigger holds the doctor's row, for which others wait while they
-- hold the calendar.
create or replace function app_private.guard_doctor_leave() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  upcoming integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if not app_private.try_lock_calendar(old.hospital_id, old.id) then
    perform app_private.refuse('try_again');
  end if;
  perform from app_public.slot
  where slot.hospital_id = old.hospital_id
    and slot.doctor_id = old.id
    and slot.starts_at > instant
    and slot.withdrawn_at is null
  order by slot.id
  for no key update;

  upcoming := cardinality(app_private.upcoming_of_doctor(
    old.hospital_id, old.id, is_leaving => old.is_active and not new.is_active, with_alternatives => false));
  if upcoming > 0 then
    perform app_private.refuse('doctor_has_appointments',
      jsonb_build_object('doctor_id', old.id, 'appointment_count', upcoming));
  end if;
  return new;
end
$$;

comment on function app_private.guard_doctor_leave() is
  'Trigger: refuses to let a doctor become unavailable or leave while appointments are ahead.';

revoke execute on function app_private.guard_doctor_leave() from public;

create or replace trigger doctor_leaves_nobody_waiting
  before update of is_available, is_active on app_public.doctor
  for each row when (old.is_available and not new.is_available or old.is_active and not new.is_active)
  execute function app_private.guard_doctor_leave();
--! EndIncluded functions/scheduling/guard_doctor_leave.sql
--! Included functions/scheduling/guard_patient_leave.sql
-- A patient who leaves expects nothing any more, whoever says so. The update has locked the patient's
-- row, as every booking and request does first: what was under way is finished, and counted; what
-- comes later finds the patient inactive.
create or replace function app_private.guard_patient_leave() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  upcoming integer;
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  upcoming := cardinality(app_private.upcoming_of_patient(old.hospital_id, old.id));
  if upcoming > 0 then
    perform app_private.refuse('patient_has_appointments',
      jsonb_build_object('patient_id', old.id, 'appointment_count', upcoming));
  end if;
  return new;
end
$$;

comment on function app_private.guard_patient_leave() is
  'Trigger: refuses to let a patient leave while appointments are ahead.';

revoke execute on function app_private.guard_patient_leave() from public;

create or replace trigger patient_leaves_nothing_booked
  before update of is_active on app_public.patient
  for each row when (old.is_active and not new.is_active)
  execute function app_private.guard_patient_leave();
--! EndIncluded functions/scheduling/guard_patient_leave.sql
--! Included functions/scheduling/vacate_doctor.sql
-- Cancels everything that a doctor has ahead, so that the doctor may become unavailable; the table's own
-- wall refuses that before. It runs as the owner for the cause of the cancellations and for the locks,
-- and repeats the walls that row-level security would be. The doctor's row is locked before any
-- appointment or slot, in the order of a hand that updates it.
create or replace function app_private.vacate_doctor(hospital_id uuid, doctor_id uuid, reason text)
returns app_public.calendar_change
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  affected app_public.affected_appointment[];
begin
  perform app_private.guard_tenant(actor, hospital_id);
  if actor = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.lock_calendar(hospital_id, doctor_id);
  perform from app_public.doctor
  where doctor.hospital_id = vacate_doctor.hospital_id and doctor.id = vacate_doctor.doctor_id
  for no key update;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;

  perform app_private.lock_affected(hospital_id, doctor_id, tstzrange(app_private.clock(), null));
  affected := app_private.upcoming_of_doctor(hospital_id, doctor_id, is_leaving => false);
  perform app_private.cancel_affected(
    hospital_id, affected, 'doctor_unavailable', coalesce(reason, 'Doctor unavailable'));
  return app_private.closing_change(0, affected, is_cancelling => true, is_telling => true);
end
$$;

comment on function app_private.vacate_doctor(uuid, uuid, text) is
  'Cancels all appointments and open requests that a doctor has ahead, and says which.';

revoke execute on function app_private.vacate_doctor(uuid, uuid, text) from public;
grant execute on function app_private.vacate_doctor(uuid, uuid, text) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/vacate_doctor.sql
--! Included functions/scheduling/refuse_unreachable_doctor.sql
-- Why a change reached no doctor: there is none, or it is not this caller's to change.
create or replace function app_private.refuse_unreachable_doctor(hospital_id uuid, doctor_id uuid)
returns void
language plpgsql stable
as $$
begin
  perform app_private.refuse(
    case when exists (
      select from app_public.doctor
      where doctor.hospital_id = refuse_unreachable_doctor.hospital_id
        and doctor.id = refuse_unreachable_doctor.doctor_id)
    then 'forbidden' else 'doctor_not_found' end,
    jsonb_build_object('doctor_id', doctor_id));
end
$$;

comment on function app_private.refuse_unreachable_doctor(uuid, uuid) is
  'Refuses with forbidden or doctor_not_found; never returns.';

revoke execute on function app_private.refuse_unreachable_doctor(uuid, uuid) from public;
grant execute on function app_private.refuse_unreachable_doctor(uuid, uuid) to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/refuse_unreachable_doctor.sql
--! Included functions/scheduling/set_doctor_availability.sql
-- Cancel first, then change: the wall on the doctor's row refuses while anything is ahead. Both happen
-- in one transaction, under the same locks, so nothing can come in between.
create or replace function app_public.set_doctor_availability(
  doctor_id uuid, is_available boolean, reason text default null)
returns app_public.calendar_change
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  change app_public.calendar_change := app_private.closing_change(0, '{}', is_cancelling => false, is_telling => false);
begin
  if is_available is null then
    perform app_private.refuse('invalid_input', jsonb_build_object('is_available', 'is missing'));
  end if;
  if not is_available then
    change := app_private.vacate_doctor(hospital, doctor_id, reason);
  end if;
  update app_public.doctor
  set is_available = set_doctor_availability.is_available
  where doctor.hospital_id = hospital and doctor.id = doctor_id;
  if not found then
    perform app_private.refuse_unreachable_doctor(hospital, doctor_id);
  end if;
  return change;
end
$$;

comment on function app_public.set_doctor_availability(uuid, boolean, text) is
  'Says whether a doctor takes appointments. A doctor who becomes unavailable has all appointments and requests ahead cancelled and their patients told at once; who is already checked in is still seen. For receptionists and admins; doctors for themselves. previewDoctorAvailability tells beforehand what it would do.';

revoke execute on function app_public.set_doctor_availability(uuid, boolean, text) from public;
grant execute on function app_public.set_doctor_availability(uuid, boolean, text)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/set_doctor_availability.sql
--! Included functions/scheduling/preview_doctor_availability.sql
-- The same appointments and the same words as the change itself.
create or replace function app_public.preview_doctor_availability(doctor_id uuid, is_available boolean)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
  if is_available is null then
    perform app_private.refuse('invalid_input', jsonb_build_object('is_available', 'is missing'));
  end if;
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = hospital and doctor.id = preview_doctor_availability.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return app_private.closing_change(
    0,
    case when is_available then '{}'
      else app_private.upcoming_of_doctor(hospital, doctor_id, is_leaving => false) end,
    is_cancelling => not is_available, is_telling => not is_available);
end
$$;

comment on function app_public.preview_doctor_availability(uuid, boolean) is
  'What setDoctorAvailability with these arguments would do and which appointments it would touch, with other doctors who could take each; nothing is changed.';

revoke execute on function app_public.preview_doctor_availability(uuid, boolean) from public;
grant execute on function app_public.preview_doctor_availability(uuid, boolean)
  to app_doctor, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/preview_doctor_availability.sql
--! Included functions/scheduling/deactivate_doctor.sql
-- Refused by the table's own wall while appointments are ahead; see guard_doctor_leave.
create or replace function app_public.deactivate_doctor(doctor_id uuid)
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.doctor;
begin
  update app_public.doctor
  set is_active = false
  where doctor.hospital_id = hospital and doctor.id = doctor_id
  returning * into changed;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return changed;
end
$$;

comment on function app_public.deactivate_doctor(uuid) is
  'A doctor leaves the hospital and cannot be booked any more. Refused with doctor_has_appointments while appointments or requests are ahead or patients are checked in; previewDoctorDeactivation lists them. For admins.';

revoke execute on function app_public.deactivate_doctor(uuid) from public;
grant execute on function app_public.deactivate_doctor(uuid) to app_admin;
--! EndIncluded functions/scheduling/deactivate_doctor.sql
--! Included functions/scheduling/reactivate_doctor.sql
-- Back among those who can be booked; nothing that ended before comes back.
create or replace function app_public.reactivate_doctor(doctor_id uuid)
returns app_public.doctor
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.doctor;
begin
  update app_public.doctor
  set is_active = true
  where doctor.hospital_id = hospital and doctor.id = doctor_id
  returning * into changed;
  if not found then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return changed;
end
$$;

comment on function app_public.reactivate_doctor(uuid) is
  'A doctor who had left works here again. For admins.';

revoke execute on function app_public.reactivate_doctor(uuid) from public;
grant execute on function app_public.reactivate_doctor(uuid) to app_admin;
--! EndIncluded functions/scheduling/reactivate_doctor.sql
--! Included functions/scheduling/preview_doctor_deactivation.sql
-- The appointments that the wall of deactivation counts, one by one.
create or replace function app_public.preview_doctor_deactivation(doctor_id uuid)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if not exists (
    select from app_public.doctor
    where doctor.hospital_id = hospital and doctor.id = preview_doctor_deactivation.doctor_id)
  then
    perform app_private.refuse('doctor_not_found', jsonb_build_object('doctor_id', doctor_id));
  end if;
  return app_private.closing_change(0, app_private.upcoming_of_doctor(hospital, doctor_id, is_leaving => true), is_cancelling => false, is_telling => false);
end
$$;

comment on function app_public.preview_doctor_deactivation(uuid) is
  'The appointments and requests that stand in the way of deactivateDoctor; none: it would be done. Nothing is changed.';

revoke execute on function app_public.preview_doctor_deactivation(uuid) from public;
grant execute on function app_public.preview_doctor_deactivation(uuid) to app_admin;
--! EndIncluded functions/scheduling/preview_doctor_deactivation.sql
--! Included functions/scheduling/deactivate_patient.sql
-- Refused by the table's own wall while appointments are ahead; see guard_patient_leave.
create or replace function app_public.deactivate_patient(patient_id uuid)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  update app_public.patient
  set is_active = false
  where patient.hospital_id = hospital and patient.id = patient_id
  returning * into changed;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return changed;
end
$$;

comment on function app_public.deactivate_patient(uuid) is
  'A patient leaves the hospital and cannot book any more. Refused with patient_has_appointments while appointments or requests are ahead or a visit is under way; previewPatientDeactivation lists them. For receptionists and admins.';

revoke execute on function app_public.deactivate_patient(uuid) from public;
grant execute on function app_public.deactivate_patient(uuid) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/deactivate_patient.sql
--! Included functions/scheduling/reactivate_patient.sql
-- Back among those who can be booked; nothing that ended before comes back.
create or replace function app_public.reactivate_patient(patient_id uuid)
returns app_public.patient
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.patient;
begin
  update app_public.patient
  set is_active = true
  where patient.hospital_id = hospital and patient.id = patient_id
  returning * into changed;
  if not found then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return changed;
end
$$;

comment on function app_public.reactivate_patient(uuid) is
  'A patient who had left is one again. For receptionists and admins.';

revoke execute on function app_public.reactivate_patient(uuid) from public;
grant execute on function app_public.reactivate_patient(uuid) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/reactivate_patient.sql
--! Included functions/scheduling/preview_patient_deactivation.sql
-- The appointments that the wall of deactivation counts, one by one.
create or replace function app_public.preview_patient_deactivation(patient_id uuid)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
begin
  if not exists (
    select from app_public.patient
    where patient.hospital_id = hospital and patient.id = preview_patient_deactivation.patient_id)
  then
    perform app_private.refuse('patient_not_found', jsonb_build_object('patient_id', patient_id));
  end if;
  return app_private.closing_change(0, app_private.upcoming_of_patient(hospital, patient_id), is_cancelling => false, is_telling => false);
end
$$;

comment on function app_public.preview_patient_deactivation(uuid) is
  'The appointments and requests that stand in the way of deactivatePatient; none: it would be done. Nothing is changed.';

revoke execute on function app_public.preview_patient_deactivation(uuid) from public;
grant execute on function app_public.preview_patient_deactivation(uuid) to app_receptionist, app_admin;
--! EndIncluded functions/scheduling/preview_patient_deactivation.sql
--! Included functions/audit/record_audit.sql
-- One audit entry a changed row, in the same transaction, for every client. Runs as the owner, so
-- that no request role needs a right to write the log, and takes the actor from the claims.
-- Trigger arguments: the table's name; the column that identifies a record within its hospital.
create or replace function app_private.record_audit() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  stored jsonb := coalesce(after, before);
  changed jsonb;
begin
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(field.key, field.value) into changed
    from jsonb_each(after) as field
    where before -> field.key is distinct from field.value;
    if changed is null then
      return null;
    end if;
  end if;

  insert into app_public.audit_entry (
    hospital_id, table_name, record_id, operation, old_state, new_state, changed_columns,
    actor_account_id, actor_role, request_id, transaction_id, recorded_at)
  values (
    coalesce(stored ->> 'hospital_id', stored ->> 'id')::uuid,
    tg_argv[0],
    (stored ->> coalesce(tg_argv[1], 'id'))::uuid,
    lower(tg_op)::app_public.audit_operation,
    before,
    after,
    changed,
    app_private.claim_account_id(),
    app_private.actor_role(),
    app_private.claim_request_id(),
    pg_current_xact_id()::text::bigint,
    app_private.clock());
  return null;
end
$$;

comment on function app_private.record_audit() is
  'Trigger: writes old and new state of a changed row to audit_entry, with its actor.';

revoke execute on function app_private.record_audit() from public;

-- What is audited: everything that people decide. Not the counters of slots and days, which only
-- follow appointments, not the generation of slots, which follows schedules, and not offers of the
-- waitlist, which follow their appointments.

create or replace trigger hospital_is_audited
  after insert or update or delete on app_public.hospital
  for each row execute function app_private.record_audit('hospital');

create or replace trigger location_is_audited
  after insert or update or delete on app_public.location
  for each row execute function app_private.record_audit('location');

create or replace trigger doctor_is_audited
  after insert or update or delete on app_public.doctor
  for each row execute function app_private.record_audit('doctor');

create or replace trigger patient_is_audited
  after insert or update or delete on app_public.patient
  for each row execute function app_private.record_audit('patient');

create or replace trigger account_is_audited
  after insert or update or delete on app_public.account
  for each row execute function app_private.record_audit('account');

create or replace trigger service_is_audited
  after insert or update or delete on app_public.service
  for each row execute function app_private.record_audit('service');

create or replace trigger schedule_is_audited
  after insert or update or delete on app_public.schedule
  for each row execute function app_private.record_audit('schedule');

create or replace trigger appointment_is_audited
  after insert or update on app_public.appointment
  for each row execute function app_private.record_audit('appointment');

create or replace trigger slot_is_audited
  after update of blocked_at, blocked_reason, withdrawn_at, is_retired, capacity on app_public.slot
  for each row execute function app_private.record_audit('slot');

-- Slots that a schedule no longer has go by the hundred: what says why is the change of the schedule.
-- Of one that somebody had blocked, retired or withdrawn the last state is kept.
create or replace trigger slot_deletion_is_audited
  after delete on app_public.slot
  for each row when (
    (old.blocked_at is not null or old.is_retired or old.withdrawn_at is not null)
    and coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('slot');

create or replace trigger absence_is_audited
  after insert or update or delete on app_public.absence
  for each row execute function app_private.record_audit('absence');

create or replace trigger holiday_is_audited
  after insert or update or delete on app_public.holiday
  for each row execute function app_private.record_audit('holiday');

create or replace trigger waitlist_entry_is_audited
  after insert or update or delete on app_public.waitlist_entry
  for each row execute function app_private.record_audit('waitlist_entry');

-- A row that goes is recorded with its last state, unless housekeeping of past years takes it, which
-- leaves one entry a batch (retention/record_batch) and, of an appointment, its row in the archive.
-- No client can delete either, so none gains by the setting.
create or replace trigger appointment_removal_is_audited
  after delete on app_public.appointment
  for each row when (coalesce(current_setting('slotkeeper.housekeeping', true), '') <> 'on')
  execute function app_private.record_audit('appointment');

-- One entry an import; what it made has its own.
create or replace trigger import_run_is_audited
  after insert or update or delete on app_public.import_run
  for each row execute function app_private.record_audit('import_run');

create or replace trigger appointment_series_is_audited
  after insert or update or delete on app_public.appointment_series
  for each row execute function app_private.record_audit('appointment_series');

create or replace trigger added_seat_is_audited
  after insert or delete on app_public.added_seat
  for each row execute function app_private.record_audit('added_seat');
--! EndIncluded functions/audit/record_audit.sql
--! Included policies/absence.sql
-- Staff see when and why doctors are away; doctors enter and cancel their own absences, receptionists and
-- admins all. Nobody writes a time: it follows from the days. Only the status changes afterwards.
-- No grant to app_patient: why a doctor is away is not a patient's to know; that the slots are closed is.
-- No grant of insert or update to app_nurse.
alter table app_public.absence enable row level security;
alter table app_public.absence force row level security;

grant select on app_public.absence to app_worker, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, doctor_id, type, first_day, last_day, start_time, end_time, reason) on app_public.absence to app_doctor, app_receptionist, app_admin;
grant update (status) on app_public.absence to app_doctor, app_receptionist, app_admin;
-- No grant of delete to anybody: an absence is cancelled, it does not vanish.

drop policy if exists staff_read_their_hospital on app_public.absence;
create policy staff_read_their_hospital on app_public.absence for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.absence;
create policy worker_reads_all on app_public.absence for select to app_worker
  using (true);

drop policy if exists doctors_enter_their_own on app_public.absence;
create policy doctors_enter_their_own on app_public.absence for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_cancel_their_own on app_public.absence;
create policy doctors_cancel_their_own on app_public.absence for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists receptionists_and_admins_enter on app_public.absence;
create policy receptionists_and_admins_enter on app_public.absence for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists receptionists_and_admins_cancel on app_public.absence;
create policy receptionists_and_admins_cancel on app_public.absence for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.absence;
create policy owner_maintains on app_public.absence for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/absence.sql
--! Included policies/holiday.sql
-- Members see when their hospital is closed; receptionists and admins enter and cancel holidays.
alter table app_public.holiday enable row level security;
alter table app_public.holiday force row level security;

grant select on app_public.holiday to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, name, date, is_recurring) on app_public.holiday to app_receptionist, app_admin;
grant update (is_active) on app_public.holiday to app_receptionist, app_admin;
-- No grant of delete to anybody: a holiday is cancelled, it does not vanish.

drop policy if exists members_read_their_hospital on app_public.holiday;
create policy members_read_their_hospital on app_public.holiday for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.holiday;
create policy worker_reads_all on app_public.holiday for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.holiday;
create policy monitor_reads_all on app_public.holiday for select to app_monitor
  using (true);

drop policy if exists receptionists_and_admins_enter on app_public.holiday;
create policy receptionists_and_admins_enter on app_public.holiday for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists receptionists_and_admins_cancel on app_public.holiday;
create policy receptionists_and_admins_cancel on app_public.holiday for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.holiday;
create policy owner_maintains on app_public.holiday for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/holiday.sql
--! Included policies/doctor.sql
-- Members see the doctors of their hospital; admins add and change them.
alter table app_public.doctor enable row level security;
alter table app_public.doctor force row level security;

grant select on app_public.doctor to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;
grant insert (hospital_id, display_name, specialty, slot_duration, max_patients_per_day, staff_number) on app_public.doctor to app_admin;
grant update (display_name, specialty, slot_duration, max_patients_per_day, staff_number) on app_public.doctor to app_admin;
-- Who takes appointments is said by the doctor and by reception; who works here, by admins.
grant update (is_available) on app_public.doctor to app_doctor, app_receptionist, app_admin;
grant update (is_active) on app_public.doctor to app_admin;

drop policy if exists members_read_their_hospital on app_public.doctor;
create policy members_read_their_hospital on app_public.doctor for select to app_patient, app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.doctor;
create policy worker_reads_all on app_public.doctor for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.doctor;
create policy monitor_reads_all on app_public.doctor for select to app_monitor
  using (true);

drop policy if exists admins_add_to_their_hospital on app_public.doctor;
create policy admins_add_to_their_hospital on app_public.doctor for insert to app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_change_themselves on app_public.doctor;
create policy doctors_change_themselves on app_public.doctor for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_doctor_id());

drop policy if exists receptionists_and_admins_change on app_public.doctor;
create policy receptionists_and_admins_change on app_public.doctor for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.doctor;
create policy owner_maintains on app_public.doctor for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/doctor.sql
--! Included policies/patient.sql
-- Patients see themselves; staff see the patients of their hospital. Reception and admins register
-- them and correct their particulars; counts and blocks are granted to nobody here.
alter table app_public.patient enable row level security;
alter table app_public.patient force row level security;

grant select on app_public.patient to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, medical_record_number, name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
grant update (name, phone, email, date_of_birth) on app_public.patient to app_receptionist, app_admin;
grant update (is_active) on app_public.patient to app_receptionist, app_admin;
-- No grant to app_monitor: checks name a patient by id, never by particulars.

drop policy if exists patients_read_themselves on app_public.patient;
create policy patients_read_themselves on app_public.patient for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.patient;
create policy staff_read_their_hospital on app_public.patient for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_registers on app_public.patient;
create policy reception_registers on app_public.patient for insert to app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists reception_corrects on app_public.patient;
create policy reception_corrects on app_public.patient for update to app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.patient;
create policy worker_reads_all on app_public.patient for select to app_worker
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.patient;
create policy owner_maintains on app_public.patient for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/patient.sql

reset role;
