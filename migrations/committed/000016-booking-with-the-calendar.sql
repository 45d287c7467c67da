--! Previous: sha1:2c623aa6befc1d04d396fdcd2cecf0bd5a172fda
--! Hash: sha1:0302721942ce0be4bbd1c32227a21a463b9719a2
--! Message: booking-with-the-calendar

--! split: 1-current.sql
-- The rules with holidays, absences and long visits; requests that are accepted; who is told.

set local role app_owner;

drop function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean);
drop function app_private.lapsed_holds(uuid, uuid);
drop function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid);
drop function app_private.guard_hold(app_public.appointment, app_public.appointment_status, timestamptz);
drop function app_private.take_seat(uuid, uuid, boolean);
drop function app_private.seat_appointment(app_public.appointment, boolean, uuid);
drop function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, text);

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
--! Included functions/scheduling/holiday_on.sql
-- The holiday of a local day: once on its date, or every year on its month and day. 29 February returns
-- in leap years only. There is at most one (two_holidays_never_fall_on_one_day).
create or replace function app_private.holiday_on(hospital_id uuid, day date) returns app_public.holiday
language plpgsql stable
as $$
declare
  found_holiday app_public.holiday;
begin
  select holiday.* into found_holiday
  from app_public.holiday
  where holiday.hospital_id = holiday_on.hospital_id
    and holiday.month_day = extract(month from holiday_on.day)::integer * 100 + extract(day from holiday_on.day)::integer
    and (holiday.is_recurring or holiday.date = holiday_on.day)
    and holiday.is_active;
  return found_holiday;
end
$$;

comment on function app_private.holiday_on(uuid, date) is 'The active holiday of a local day of a hospital, or null.';

revoke execute on function app_private.holiday_on(uuid, date) from public;
grant execute on function app_private.holiday_on(uuid, date)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/holiday_on.sql
--! Included functions/scheduling/is_absent.sql
-- Whether a doctor is away for a part of this time. It runs as the owner, because why and how long a
-- doctor is away is not every patient's to read; that nobody can be booked then is.
create or replace function app_private.is_absent(hospital_id uuid, doctor_id uuid, during tstzrange) returns boolean
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return exists (
    select from app_public.absence
    where absence.hospital_id = is_absent.hospital_id
      and absence.doctor_id = is_absent.doctor_id
      and absence.during && is_absent.during
      and absence.status = 'active');
end
$$;

comment on function app_private.is_absent(uuid, uuid, tstzrange) is 'Whether a doctor has an active absence that touches this time.';

revoke execute on function app_private.is_absent(uuid, uuid, tstzrange) from public;
grant execute on function app_private.is_absent(uuid, uuid, tstzrange)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/scheduling/is_absent.sql
--! Included functions/booking/holds_seat.sql
-- Which states hold a seat, for those who must know it before the row is stored. The column
-- appointment.holds_seat says the same of stored rows; a test holds the two together.
create or replace function app_private.holds_seat(status app_public.appointment_status) returns boolean
language sql immutable parallel safe
return status in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress');

comment on function app_private.holds_seat(app_public.appointment_status) is 'Whether an appointment in this state holds a seat.';

revoke execute on function app_private.holds_seat(app_public.appointment_status) from public;
grant execute on function app_private.holds_seat(app_public.appointment_status)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/holds_seat.sql
--! Included functions/booking/cancellation_cause.sql
-- Why an appointment ends, as far as it follows from who ends it. Flows of the calendar say more.
create or replace function app_private.cancellation_cause(actor text, from_status app_public.appointment_status)
returns app_public.cancellation_cause
language sql immutable parallel safe
return (case
  when actor = 'patient' then 'patient'
  when actor = 'worker' then 'system'
  when from_status = 'requested' then 'declined'
  else 'staff'
end)::app_public.cancellation_cause;

comment on function app_private.cancellation_cause(text, app_public.appointment_status) is
  'What ends an appointment of this state when this actor cancels it.';

revoke execute on function app_private.cancellation_cause(text, app_public.appointment_status) from public;
--! EndIncluded functions/booking/cancellation_cause.sql
--! Included functions/booking/held_until.sql
-- Until when a held seat waits: a short while for who is just choosing, longer for who has to hear of it
-- first (a time proposed in answer to a request, a seat offered from the waitlist), and never beyond the
-- start of the visit.
create or replace function app_private.held_until(hold app_public.appointment, is_offer boolean)
returns timestamptz
language plpgsql stable
as $$
begin
  return (
    select least(
      app_private.clock() + case when is_offer then hospital.offer_duration else hospital.hold_duration end,
      lower(hold.during))
    from app_public.hospital
    where hospital.id = hold.hospital_id);
end
$$;

comment on function app_private.held_until(app_public.appointment, boolean) is
  'Until when a seat that is held now waits for its confirmation.';

revoke execute on function app_private.held_until(app_public.appointment, boolean) from public;
--! EndIncluded functions/booking/held_until.sql
--! Included functions/booking/request_time.sql
-- A requested visit lasts as long as its service, and where that says nothing, as long as the doctor's
-- slots. Of an unknown doctor it lasts a moment, until the rules have refused it.
create or replace function app_private.request_time(
  hospital_id uuid, doctor_id uuid, starts_at timestamptz, service_id uuid)
returns tstzrange
language plpgsql stable
as $$
declare
  length interval;
begin
  select coalesce(service.duration, doctor.slot_duration) into length
  from app_public.doctor
  left join app_public.service
    on service.hospital_id = request_time.hospital_id and service.id = request_time.service_id
  where doctor.hospital_id = request_time.hospital_id and doctor.id = request_time.doctor_id;
  return tstzrange(starts_at, starts_at + coalesce(length, interval '1 minute'));
end
$$;

comment on function app_private.request_time(uuid, uuid, timestamptz, uuid) is
  'The time of a visit with this doctor that begins then.';

revoke execute on function app_private.request_time(uuid, uuid, timestamptz, uuid) from public;
grant execute on function app_private.request_time(uuid, uuid, timestamptz, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/request_time.sql
--! Included functions/booking/visit_time.sql
-- A visit lasts as long as its service, and where that says nothing, as long as its slot.
create or replace function app_private.visit_time(hospital_id uuid, seat app_public.slot, service_id uuid)
returns tstzrange
language plpgsql stable
as $$
declare
  length interval;
begin
  if service_id is not null then
    select service.duration into length
    from app_public.service
    where service.hospital_id = visit_time.hospital_id and service.id = visit_time.service_id;
  end if;
  return tstzrange(seat.starts_at, seat.starts_at + coalesce(length, seat.ends_at - seat.starts_at));
end
$$;

comment on function app_private.visit_time(uuid, app_public.slot, uuid) is 'The time of a visit that begins with this slot.';

revoke execute on function app_private.visit_time(uuid, app_public.slot, uuid) from public;
--! EndIncluded functions/booking/visit_time.sql
--! Included functions/booking/needed_slots.sql
-- The further slots that a visit needs besides the one it begins in: all slots of the doctor that
-- its time with the buffers of its service touches. The visit itself has to lie in slots without a
-- gap, at one location; a buffer may reach into a break or past the end of work, where nobody can be
-- booked anyway. Without a service a visit stays within its slot.
create or replace function app_private.needed_slots(
  hospital_id uuid, slot_id uuid, service_id uuid, wanted tstzrange default null)
returns uuid[]
language plpgsql stable
as $$
declare
  needed record;
begin
  if service_id is null then
    return '{}'::uuid[];
  end if;
  select
    array_agg(further.id order by further.starts_at) filter (where further.id <> first.id) as slot_ids,
    range_agg(further.during) filter (where further.location_id = first.location_id) @> visit.during
      and first.during @> lower(visit.during) as fits
  into needed
  from app_public.slot as first
  left join app_public.service
    on service.hospital_id = needed_slots.hospital_id and service.id = needed_slots.service_id
  cross join lateral (
    select coalesce(needed_slots.wanted,
      tstzrange(first.starts_at, first.starts_at + coalesce(service.duration, first.ends_at - first.starts_at))) as during
  ) as visit
  cross join lateral (
    -- The bounds twice: no slot is longer than 8 hours, so the index by start finds the few that can
    -- overlap, where a planner without a number would read all slots of the doctor.
    select slot.id, slot.location_id, slot.during, slot.starts_at
    from app_public.slot
    where slot.hospital_id = needed_slots.hospital_id
      and slot.doctor_id = first.doctor_id
      and slot.during && tstzrange(
        lower(visit.during) - coalesce(service.buffer_before, interval '0'),
        upper(visit.during) + coalesce(service.buffer_after, interval '0'))
      and slot.starts_at > lower(visit.during) - coalesce(service.buffer_before, interval '0') - interval '8 hours'
      and slot.starts_at < upper(visit.during) + coalesce(service.buffer_after, interval '0')
      and slot.withdrawn_at is null
    offset 0
  ) as further
  where first.hospital_id = needed_slots.hospital_id and first.id = needed_slots.slot_id
  group by first.id, first.during, visit.during;
  return case when needed.fits then coalesce(needed.slot_ids, '{}') end;
end
$$;

comment on function app_private.needed_slots(uuid, uuid, uuid, tstzrange) is
  'The further slots that a visit beginning in this slot needs, soonest first; empty when the slot is enough, null when the visit does not fit.';

revoke execute on function app_private.needed_slots(uuid, uuid, uuid, tstzrange) from public;
grant execute on function app_private.needed_slots(uuid, uuid, uuid, tstzrange)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/needed_slots.sql
--! Included functions/booking/further_slots.sql
-- A visit within one slot has no row here: the look-up of the key finds nothing and is all that it costs.
create or replace function app_private.further_slots(hospital_id uuid, appointment_id uuid) returns uuid[]
language plpgsql stable
as $$
begin
  return (
    select array_agg(appointment_seat.slot_id)
    from app_public.appointment_seat
    where appointment_seat.hospital_id = further_slots.hospital_id
      and appointment_seat.appointment_id = further_slots.appointment_id);
end
$$;

comment on function app_private.further_slots(uuid, uuid) is
  'The further slots that an appointment holds, or null when it holds none.';

revoke execute on function app_private.further_slots(uuid, uuid) from public;
--! EndIncluded functions/booking/further_slots.sql
--! Included functions/booking/lapsed_holds.sql
-- Where lapsed holds of a doctor still sit, in their first slot and in the further ones: they stand
-- in nobody's way, also not in the way of a patient whose own rights do not reach to the hold of
-- somebody else. It runs as the owner for their sake and tells a slot and a time, never whose hold it
-- is.
create or replace function app_private.lapsed_holds(hospital_id uuid, doctor_id uuid)
returns table (slot_id uuid, starts_at timestamptz, counts_day boolean)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select seat.slot_id, appointment.starts_at, seat.is_first
  from app_public.appointment
  cross join lateral (
    select appointment.slot_id, true as is_first
    union all
    select appointment_seat.slot_id, false
    from app_public.appointment_seat
    where appointment_seat.hospital_id = lapsed_holds.hospital_id
      and appointment_seat.appointment_id = appointment.id
  ) as seat
  where appointment.hospital_id = lapsed_holds.hospital_id
    and appointment.doctor_id = lapsed_holds.doctor_id
    and appointment.status = 'held'
    and appointment.held_until <= app_private.clock();
end
$$;

comment on function app_private.lapsed_holds(uuid, uuid) is
  'Slots of a doctor''s lapsed holds, whose seats are free for whoever comes next; only the first slot of each counts in the doctor''s day.';

revoke execute on function app_private.lapsed_holds(uuid, uuid) from public;
grant execute on function app_private.lapsed_holds(uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/lapsed_holds.sql
--! Included functions/booking/expire_lapsed_holds.sql
-- Lets lapsed holds expire: all of a hospital (the sweeper's broom, every minute), or only those that
-- stand in the way of a wish, the holds with the slot's doctor and of the patient: whoever needs the
-- seat next does it. It acts as the worker, because it is the system that lets a hold lapse and not
-- the patient who comes next; it runs as the owner, because the locks need rights that neither has.
-- Holds that somebody is just confirming or cancelling are skipped: nobody waits for an appointment
-- while holding a patient. All slots concerned, also the others that the wish takes or leaves, are locked
-- in order before the first one changes.
create or replace function app_private.expire_lapsed_holds(
  hospital_id uuid, slot_id uuid default null, patient_id uuid default null,
  other_slot_ids uuid[] default null)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  lapsed record;
  further uuid[];
  expired integer;
begin
  select array_agg(hold.id) as ids, array_agg(hold.slot_id) as slot_ids into lapsed
  from (
    select appointment.id, appointment.slot_id
    from app_public.appointment
    where appointment.hospital_id = expire_lapsed_holds.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and (expire_lapsed_holds.slot_id is null
        or appointment.patient_id = expire_lapsed_holds.patient_id
        or appointment.doctor_id = (
          select slot.doctor_id from app_public.slot
          where slot.hospital_id = expire_lapsed_holds.hospital_id and slot.id = expire_lapsed_holds.slot_id))
    order by appointment.held_until -- so that the index of holds is read, whatever the statistics say
    for no key update skip locked
  ) as hold;
  if lapsed.ids is null then
    return 0;
  end if;

  select array_agg(appointment_seat.slot_id) into further
  from app_public.appointment_seat
  where appointment_seat.hospital_id = expire_lapsed_holds.hospital_id
    and appointment_seat.appointment_id = any (lapsed.ids);
  perform app_private.lock_seats(
    hospital_id, array_remove(lapsed.slot_ids || further || slot_id || other_slot_ids, null));
  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  update app_public.appointment
  set status = 'expired'
  where appointment.hospital_id = expire_lapsed_holds.hospital_id and appointment.id = any (lapsed.ids);
  get diagnostics expired = row_count;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return expired;
end
$$;

comment on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid[]) is
  'Expires the lapsed holds of a hospital, or only those in the way of a slot and a patient, and frees their seats; returns how many.';

revoke execute on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid[]) from public;
grant execute on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid[]) to app_worker;
--! EndIncluded functions/booking/expire_lapsed_holds.sql
--! Included functions/booking/judge_further_slots.sql
-- What is to be said of the further slots of a visit that one slot does not hold: whether there are
-- enough of them in a row, and whether each can be had. One broken slot breaks the rule for all.
create or replace function app_private.judge_further_slots(
  hospital_id uuid, slot_id uuid, service_id uuid, wanted tstzrange)
returns table (
  fits boolean, are_open boolean, are_attended boolean, are_offered boolean, are_unblocked boolean, have_room boolean)
language plpgsql stable rows 1
as $$
declare
  needed uuid[] := app_private.needed_slots(hospital_id, slot_id, service_id, wanted);
begin
  return query
  select
    needed is not null,
    coalesce(bool_and(slot.holiday_id is null), true),
    coalesce(bool_and(slot.absence_id is null), true),
    coalesce(bool_and(not slot.is_retired), true),
    coalesce(bool_and(slot.blocked_at is null), true),
    coalesce(bool_and(
      slot.booked_count < slot.capacity
      or exists (
        select from app_private.lapsed_holds(judge_further_slots.hospital_id, slot.doctor_id) as hold
        where hold.slot_id = slot.id)), true)
  from app_public.slot
  where slot.hospital_id = judge_further_slots.hospital_id and slot.id = any (needed);
end
$$;

comment on function app_private.judge_further_slots(uuid, uuid, uuid, tstzrange) is
  'What the rules say of the further slots that a visit needs, all together.';

revoke execute on function app_private.judge_further_slots(uuid, uuid, uuid, tstzrange) from public;
grant execute on function app_private.judge_further_slots(uuid, uuid, uuid, tstzrange)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/judge_further_slots.sql
--! Included functions/booking/judge_booking.sql
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
--! EndIncluded functions/booking/judge_booking.sql
--! Included functions/booking/refuse_booking.sql
-- Raises the first broken rule and lists all of them, so that a client can show everything that
-- stands in the way at once. Where none is broken any more, a seat was taken between two looks.
create or replace function app_private.refuse_booking(
  hospital_id uuid, slot_id uuid, patient_id uuid, service_id uuid,
  wanted tstzrange, except_appointment_id uuid, doctor_id uuid default null)
returns void
language plpgsql
as $$
declare
  violations jsonb;
begin
  select jsonb_agg(jsonb_build_object('rule', verdict.rule, 'scenario', verdict.scenario, 'details', verdict.details))
  into violations
  from app_private.judge_booking(
    hospital_id, slot_id, patient_id, service_id, wanted, except_appointment_id,
    only_broken => true, doctor_id => refuse_booking.doctor_id) as verdict;

  perform app_private.refuse(
    coalesce(violations -> 0 ->> 'scenario', 'slot_booked'),
    coalesce(violations -> 0 -> 'details', '{}')
      || jsonb_build_object('violations', coalesce(violations, '[]')));
end
$$;

comment on function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, uuid) is
  'Raises the first broken booking rule with all of them in details.violations; never returns.';

revoke execute on function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, uuid) from public;
--! EndIncluded functions/booking/refuse_booking.sql
--! Included functions/booking/guard_deadline.sql
-- What has a deadline is answered before it and expires after, never the other way round: a hold at
-- held_until, a request when its time has come.
create or replace function app_private.guard_deadline(
  waiting app_public.appointment, to_status app_public.appointment_status, instant timestamptz)
returns void
language plpgsql stable
as $$
declare
  deadline timestamptz := case waiting.status
    when 'held' then waiting.held_until
    when 'requested' then lower(waiting.during) end;
begin
  if to_status = 'expired' and deadline > instant then
    perform app_private.refuse('illegal_transition',
      jsonb_build_object('from', waiting.status, 'to', to_status, 'until', deadline));
  elsif to_status = 'scheduled' and waiting.status = 'held' and deadline <= instant then
    perform app_private.refuse('hold_expired', jsonb_build_object('held_until', deadline));
  end if;
end
$$;

comment on function app_private.guard_deadline(app_public.appointment, app_public.appointment_status, timestamptz) is
  'Refuses to confirm a lapsed hold, and to expire a hold or a request before its time.';

revoke execute on function app_private.guard_deadline(app_public.appointment, app_public.appointment_status, timestamptz) from public;
--! EndIncluded functions/booking/guard_deadline.sql
--! Included functions/booking/guard_own_slot.sql
-- Doctors book with themselves; row-level security says so too, but without a scenario.
create or replace function app_private.guard_own_slot(doctor_id uuid) returns void
language plpgsql stable
as $$
begin
  if app_private.actor_role() = 'doctor' and doctor_id is distinct from app_private.claim_doctor_id() then
    perform app_private.refuse('forbidden');
  end if;
end
$$;

comment on function app_private.guard_own_slot(uuid) is 'Refuses a doctor who books with another doctor.';

revoke execute on function app_private.guard_own_slot(uuid) from public;
--! EndIncluded functions/booking/guard_own_slot.sql
--! Included functions/booking/take_seat.sql
-- Takes one seat of a slot and one place of the doctor's day, each by one guarded update that waits
-- for whoever holds the row and then looks again. The second statement reads the doctor afresh,
-- after the slot is locked: a doctor who became unavailable meanwhile is seen, without a lock on
-- the doctor's row. Of the day's limit and the doctor's the smaller holds, because a day that was
-- being created while the doctor's limit sank has not heard of it. No slot means: refuse now; the
-- seat is given back before, so that the refusal does not count it.
create or replace function app_private.take_seat(hospital_id uuid, slot_id uuid)
returns app_public.slot
language plpgsql
as $$
declare
  seat app_public.slot;
begin
  update app_public.slot
  set booked_count = booked_count + 1
  where slot.hospital_id = take_seat.hospital_id
    and slot.id = take_seat.slot_id
    and slot.withdrawn_at is null
    and not slot.is_retired
    and slot.blocked_at is null
    and slot.absence_id is null
    and slot.holiday_id is null
    and slot.booked_count < slot.capacity
  returning slot.* into seat;
  if not found then
    return null;
  end if;

  insert into app_public.doctor_day as today (hospital_id, doctor_id, day, booked_count, max_patients)
  select doctor.hospital_id, doctor.id, (seat.starts_at at time zone hospital.time_zone)::date,
    1, doctor.max_patients_per_day
  from app_public.doctor
  join app_public.hospital on hospital.id = take_seat.hospital_id
  where doctor.hospital_id = take_seat.hospital_id
    and doctor.id = seat.doctor_id
    and doctor.is_active and doctor.is_available
  on conflict on constraint doctor_day_pkey do update
    set booked_count = today.booked_count + 1
    where today.booked_count < least(today.max_patients, excluded.max_patients);
  if not found then
    perform app_private.release_seat(hospital_id, slot_id, counts_day => false);
    return null;
  end if;
  return seat;
end
$$;

comment on function app_private.take_seat(uuid, uuid) is
  'Takes a seat of a slot and a place of the doctor''s day; returns the slot, or null when there is none.';

revoke execute on function app_private.take_seat(uuid, uuid) from public;
--! EndIncluded functions/booking/take_seat.sql
--! Included functions/booking/release_seat.sql
-- Gives a seat and its place of the day back. Slot before day, as everywhere. A slot that the schedule
-- no longer has was only kept for those who sat in it: it is withdrawn with the last of them.
create or replace function app_private.release_seat(hospital_id uuid, slot_id uuid, counts_day boolean default true)
returns void
language plpgsql
as $$
declare
  seat record;
begin
  update app_public.slot
  set booked_count = booked_count - 1
  where slot.hospital_id = release_seat.hospital_id and slot.id = release_seat.slot_id
  returning slot.doctor_id, slot.starts_at, slot.is_retired, slot.booked_count into seat;

  if seat.is_retired and seat.booked_count = 0 then
    update app_public.slot
    set withdrawn_at = app_private.clock()
    where slot.hospital_id = release_seat.hospital_id and slot.id = release_seat.slot_id;
  end if;
  if counts_day then
    update app_public.doctor_day
    set booked_count = doctor_day.booked_count - 1
    from app_public.hospital
    where hospital.id = release_seat.hospital_id
      and doctor_day.hospital_id = release_seat.hospital_id
      and doctor_day.doctor_id = seat.doctor_id
      and doctor_day.day = (seat.starts_at at time zone hospital.time_zone)::date;
  end if;
end
$$;

comment on function app_private.release_seat(uuid, uuid, boolean) is
  'Gives back a seat of a slot and, unless told otherwise, its place of the doctor''s day.';

revoke execute on function app_private.release_seat(uuid, uuid, boolean) from public;
--! EndIncluded functions/booking/release_seat.sql
--! Included functions/booking/leave_seats.sql
-- An appointment gives up all its seats: the further ones first go with their rows, whose trigger
-- counts them back, then the first with its place of the day. With more than one slot concerned, all
-- are locked in their order before the first one changes.
create or replace function app_private.leave_seats(appointment app_public.appointment)
returns void
language plpgsql
as $$
declare
  further uuid[] := app_private.further_slots(appointment.hospital_id, appointment.id);
begin
  if further is not null then
    perform app_private.lock_seats(appointment.hospital_id, further || appointment.slot_id);
    delete from app_public.appointment_seat
    where appointment_seat.hospital_id = appointment.hospital_id
      and appointment_seat.appointment_id = appointment.id;
  end if;
  perform app_private.release_seat(appointment.hospital_id, appointment.slot_id);
end
$$;

comment on function app_private.leave_seats(app_public.appointment) is 'Gives back all seats that an appointment holds.';

revoke execute on function app_private.leave_seats(app_public.appointment) from public;
--! EndIncluded functions/booking/leave_seats.sql
--! Included functions/booking/seat_appointment.sql
-- Seats an appointment in its slot, or refuses. The locks come first and always in this order:
-- patient, slots, days. Where more than one slot changes (those that a move leaves, those of a long
-- visit, those of lapsed holds in the way), all are locked together before the first one does. The
-- exclusion constraints are the last line, never the queue: clients who wait on a constraint can
-- deadlock each other, clients who wait on a row come in turn.
-- A move leaves its seats before the rules are judged, so that it is never in its own way; a refusal
-- gives them back with everything else.
create or replace function app_private.seat_appointment(
  wish app_public.appointment, moving app_public.appointment default null)
returns app_public.appointment
language plpgsql
as $$
declare
  leaving uuid[];
  further uuid[];
  seat app_public.slot;
begin
  perform from app_public.patient
  where patient.hospital_id = wish.hospital_id and patient.id = wish.patient_id
  for no key update;

  if moving.id is not null then
    leaving := moving.slot_id || app_private.further_slots(wish.hospital_id, moving.id);
  end if;
  if wish.service_id is not null then
    further := app_private.needed_slots(wish.hospital_id, wish.slot_id, wish.service_id, wish.during);
  end if;
  if exists (
    select from app_public.appointment
    where appointment.hospital_id = wish.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock())
  then
    perform app_private.expire_lapsed_holds(
      wish.hospital_id, wish.slot_id, wish.patient_id, leaving || further);
  end if;
  if leaving is not null or cardinality(further) > 0 then
    perform app_private.lock_seats(wish.hospital_id, leaving || further || wish.slot_id);
  end if;
  if moving.id is not null then
    perform app_private.leave_seats(moving);
  end if;

  if not exists (
    select from app_private.judge_booking(
      wish.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, wish.during, wish.id, only_broken => true))
  then
    seat := app_private.take_seat(wish.hospital_id, wish.slot_id);
  end if;
  if seat.id is null then
    perform app_private.refuse_booking(
      wish.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, wish.during, wish.id);
  end if;

  perform app_private.guard_own_slot(seat.doctor_id);
  wish.doctor_id := coalesce(wish.doctor_id, seat.doctor_id);
  wish.location_id := coalesce(wish.location_id, seat.location_id);
  wish.during := coalesce(wish.during, app_private.visit_time(wish.hospital_id, seat, wish.service_id));
  return wish;
end
$$;

comment on function app_private.seat_appointment(app_public.appointment, app_public.appointment) is
  'Takes the seat that an appointment wishes for and completes its doctor, location and time; refuses with the first broken rule.';

revoke execute on function app_private.seat_appointment(app_public.appointment, app_public.appointment) from public;
--! EndIncluded functions/booking/seat_appointment.sql
--! Included functions/booking/admit_request.sql
-- A request is a wish for a doctor and a time, without a seat: what no acceptance could mend (the rules
-- about the patient, the doctor and the day) refuses it at once; whether there is room is for the one who
-- accepts it to find. The patient is locked as in every booking.
create or replace function app_private.admit_request(wish app_public.appointment)
returns app_public.appointment
language plpgsql
as $$
begin
  perform app_private.guard_own_slot(wish.doctor_id);
  perform from app_public.patient
  where patient.hospital_id = wish.hospital_id and patient.id = wish.patient_id
  for no key update;

  wish.slot_id := null;
  wish.location_id := null;
  wish.during := app_private.request_time(wish.hospital_id, wish.doctor_id, lower(wish.during), wish.service_id);
  if exists (
    select from app_private.judge_booking(
      wish.hospital_id, null, wish.patient_id, wish.service_id, wish.during, wish.id,
      only_broken => true, doctor_id => wish.doctor_id))
  then
    perform app_private.refuse_booking(
      wish.hospital_id, null, wish.patient_id, wish.service_id, wish.during, wish.id, wish.doctor_id);
  end if;
  return wish;
end
$$;

comment on function app_private.admit_request(app_public.appointment) is
  'Completes a request with its time, or refuses it with the first broken rule.';

revoke execute on function app_private.admit_request(app_public.appointment) from public;
--! EndIncluded functions/booking/admit_request.sql
--! Included functions/booking/admit_appointment.sql
-- The door of the appointment table, for every client: who may enter, with which state, into which
-- seat. It runs as the owner, before row-level security looks at the row, so it repeats the two
-- walls that matter for what a refusal may tell: the hospital and the patient of the claims.
-- A request names a doctor and a time, whose length is never the client's to say; everything else
-- takes doctor, place and time from its slot. Only jobs and operators may bring a source or a time within
-- the slot, and only jobs hold a seat as long as an offer lasts. What an admin imports says so.
create or replace function app_private.admit_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  is_trusted boolean := actor in ('worker', 'operator');
  instant timestamptz := app_private.clock();
  is_offer boolean := actor = 'worker' and new.held_until is not null;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.guard_transition(actor, null, new.status);

  new.source := coalesce(
    case when is_trusted or actor = 'admin' and new.source = 'import' then new.source end,
    case actor when 'patient' then 'patient' when 'operator' then 'import' else 'staff' end::app_public.appointment_source);
  new.created_by := app_private.claim_account_id();
  new.created_at := instant;
  new.updated_at := instant;
  new.held_until := null;

  if new.status = 'requested' then
    return app_private.admit_request(new);
  end if;
  if not is_trusted then
    new.doctor_id := null;
    new.location_id := null;
    new.during := null;
  end if;
  new := app_private.seat_appointment(new);
  if new.status = 'held' then
    new.held_until := app_private.held_until(new, is_offer);
  end if;
  return new;
end
$$;

comment on function app_private.admit_appointment() is
  'Trigger: admits a new appointment into its seat, or refuses it with its scenario.';

revoke execute on function app_private.admit_appointment() from public;

create or replace trigger appointment_is_admitted
  before insert on app_public.appointment
  for each row execute function app_private.admit_appointment();
--! EndIncluded functions/booking/admit_appointment.sql
--! Included functions/booking/change_appointment_status.sql
-- Every change of state, for every client. It fires whenever a statement names the status, even with
-- the value that the row already has: cancelling what is cancelled is refused, not ignored.
-- What the new state needs (times, who cancelled and why) is written here, from the claims and the
-- clock. A request that gets a slot keeps its own time when it is accepted, and takes the slot's when
-- another time is proposed.
create or replace function app_private.change_appointment_status() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  perform app_private.guard_transition(actor, old.status, new.status);
  perform app_private.guard_deadline(old, new.status, instant);

  new.updated_at := instant;
  new.held_until := case when new.status = 'held' then old.held_until end;
  new.checked_in_at := case when new.status = 'checked_in' then instant else old.checked_in_at end;
  new.completed_at := case when new.status = 'completed' then instant end;
  new.cancelled_at := case when new.status = 'cancelled' then instant end;
  new.cancelled_by := case when new.status = 'cancelled' then app_private.claim_account_id() end;
  new.cancellation_cause := case when new.status = 'cancelled' then
    coalesce(new.cancellation_cause, app_private.cancellation_cause(actor, old.status)) end;

  if old.holds_seat
    and (new.slot_id, new.doctor_id, new.location_id, new.during)
      is distinct from (old.slot_id, old.doctor_id, old.location_id, old.during)
  then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', new.status));
  end if;
  if old.holds_seat and not app_private.holds_seat(new.status) then
    perform app_private.leave_seats(old);
  elsif not old.holds_seat and app_private.holds_seat(new.status) then
    new.doctor_id := null;
    new.location_id := null;
    new.during := case when new.status <> 'held' then old.during end;
    new := app_private.seat_appointment(new);
    if new.status = 'held' then
      new.held_until := app_private.held_until(new, is_offer => true);
    end if;
  end if;
  return new;
end
$$;

comment on function app_private.change_appointment_status() is
  'Trigger: lets an appointment change its state along the state machine, with its seats and its times.';

revoke execute on function app_private.change_appointment_status() from public;

create or replace trigger appointment_status_follows_the_state_machine
  before update of status on app_public.appointment
  for each row execute function app_private.change_appointment_status();
--! EndIncluded functions/booking/change_appointment_status.sql
--! Included functions/booking/move_appointment.sql
-- An appointment moves only together with its seats: the old ones are given back and the new ones taken
-- in the same transaction, patient, slots and days locked in their order first. What has ended stays
-- where it was; a request, which has no slot yet, may change its time, and gets its slot with its state.
create or replace function app_private.move_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), old.hospital_id);
  if new.status <> old.status or (old.status = 'requested' and new.slot_id is null) then
    return new;
  end if;
  if old.status not in ('scheduled', 'confirmed') then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', 'rescheduled'));
  end if;
  if new.slot_id is not distinct from old.slot_id then
    perform app_private.refuse('already_in_slot', jsonb_build_object('slot_id', old.slot_id));
  end if;

  new.doctor_id := null;
  new.location_id := null;
  new.during := null;
  new.rescheduled_from := old.slot_id;
  new.updated_at := app_private.clock();
  return app_private.seat_appointment(new, moving => old);
end
$$;

comment on function app_private.move_appointment() is
  'Trigger: moves an appointment from its slot to another, with its seats.';

revoke execute on function app_private.move_appointment() from public;

create or replace trigger appointment_moves_with_its_seat
  before update of slot_id, doctor_id, location_id, during on app_public.appointment
  for each row execute function app_private.move_appointment();
--! EndIncluded functions/booking/move_appointment.sql
--! Included functions/booking/keep_further_seats.sql
-- The further seats of a long visit follow the appointment: they are taken when it has got its first
-- seat, in the slots that seat_appointment has locked and judged.
create or replace function app_private.keep_further_seats() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
  select slot.hospital_id, new.id, slot.id, slot.doctor_id, slot.location_id
  from app_public.slot
  where slot.hospital_id = new.hospital_id
    and slot.id = any (app_private.needed_slots(new.hospital_id, new.slot_id, new.service_id, new.during))
  order by slot.id;
  return null;
end
$$;

comment on function app_private.keep_further_seats() is 'Trigger: takes the further seats of a visit that needs more than one slot.';

revoke execute on function app_private.keep_further_seats() from public;

create or replace trigger new_appointment_takes_its_further_seats
  after insert on app_public.appointment
  for each row when (new.service_id is not null and new.holds_seat)
  execute function app_private.keep_further_seats();

create or replace trigger appointment_takes_its_further_seats
  after update of status, slot_id on app_public.appointment
  for each row when (
    new.service_id is not null and new.holds_seat
    and (not old.holds_seat or new.slot_id is distinct from old.slot_id))
  execute function app_private.keep_further_seats();
--! EndIncluded functions/booking/keep_further_seats.sql
--! Included functions/booking/count_further_seat.sql
-- A further seat counts in its slot like the first one: by one guarded update when it is taken, and
-- back when it is given up, and is told outside. Only the triggers of appointments write these rows.
create or replace function app_private.count_further_seat() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  seat app_public.appointment_seat := coalesce(new, old);
begin
  if pg_trigger_depth() = 1 or tg_op = 'UPDATE' then
    perform app_private.refuse('counter_is_derived', jsonb_build_object('table', tg_argv[0]));
  end if;
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (seat.hospital_id, 'slots', seat.doctor_id::text,
    jsonb_build_object('doctor_id', seat.doctor_id, 'slot_ids', jsonb_build_array(seat.slot_id)));
  if tg_op = 'DELETE' then
    perform app_private.release_seat(old.hospital_id, old.slot_id, counts_day => false);
    return old;
  end if;

  update app_public.slot
  set booked_count = booked_count + 1
  where slot.hospital_id = new.hospital_id
    and slot.id = new.slot_id
    and slot.status = 'available';
  if not found then
    perform app_private.refuse('slot_booked', jsonb_build_object('slot_id', new.slot_id));
  end if;
  return new;
end
$$;

comment on function app_private.count_further_seat() is 'Trigger: counts a further seat in its slot, and back; refuses a hand that writes one.';

revoke execute on function app_private.count_further_seat() from public;

create or replace trigger further_seat_is_counted
  before insert or update or delete on app_public.appointment_seat
  for each row execute function app_private.count_further_seat('appointment_seat');
--! EndIncluded functions/booking/count_further_seat.sql
--! Included functions/booking/announce_appointment.sql
-- Tells the outside, by a row: identifiers only, in the same transaction. The relay carries it; a
-- notification from here would take the one lock of the whole server at every commit. A move is told
-- to those who watch the old slot's doctor, too. A request has no slot yet.
create or replace function app_private.announce_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'appointment', new.id::text, jsonb_build_object(
    'status', new.status, 'doctor_id', new.doctor_id,
    'slot_ids', case when new.slot_id is null then '[]' else jsonb_build_array(new.slot_id) end));

  if tg_op = 'UPDATE' and old.slot_id is distinct from new.slot_id and old.slot_id is not null then
    insert into app_private.outbox (hospital_id, topic, key, payload)
    values (old.hospital_id, 'appointment', old.id::text, jsonb_build_object(
      'status', new.status, 'doctor_id', old.doctor_id, 'slot_ids', jsonb_build_array(old.slot_id)));
  end if;
  return null;
end
$$;

comment on function app_private.announce_appointment() is
  'Trigger: leaves a message in the outbox for every new or changed appointment.';

revoke execute on function app_private.announce_appointment() from public;

create or replace trigger appointment_is_announced
  after insert or update on app_public.appointment
  for each row execute function app_private.announce_appointment();
--! EndIncluded functions/booking/announce_appointment.sql
--! Included functions/notifications/deadline_of_hold.sql
-- Until when an answer is awaited, on the hospital's own clock: a fact of the templates that ask for one.
create or replace function app_private.deadline_of_hold(hold app_public.appointment) returns jsonb
language plpgsql stable
as $$
begin
  return (
    select jsonb_build_object('held_until', app_private.local_time(hold.held_until, hospital.time_zone))
    from app_public.hospital
    where hospital.id = hold.hospital_id);
end
$$;

comment on function app_private.deadline_of_hold(app_public.appointment) is
  'The fact {held_until} of a held appointment, in local time.';

revoke execute on function app_private.deadline_of_hold(app_public.appointment) from public;
--! EndIncluded functions/notifications/deadline_of_hold.sql
--! Included functions/notifications/tell_of_appointment.sql
-- Who is told of what happened to an appointment: the one whom it concerns and who did not do it. What
-- an import brings was agreed on elsewhere, and a choice that was only held is nobody's news.
create or replace function app_private.tell_of_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  by_patient boolean := app_private.actor_role() = 'patient';
  reason jsonb := jsonb_build_object('reason', coalesce(new.cancellation_reason, ''));
begin
  if tg_op = 'INSERT' then
    if new.status = 'scheduled' and new.source <> 'import' then
      perform app_private.notify_of_appointment('appointment_booked', 'patient', new);
    elsif new.status = 'requested' then
      perform app_private.notify_of_appointment('request_received', 'doctor', new,
        jsonb_build_object('reason', coalesce(new.reason, '')));
    end if;
    return null;
  end if;

  if new.status = old.status then
    if by_patient then
      perform app_private.notify_of_appointment('appointment_moved', 'doctor', new);
    else
      perform app_private.notify_of_appointment('appointment_moved', 'patient', new);
    end if;
  elsif new.status = 'scheduled' then
    perform app_private.notify_of_appointment(
      case old.status when 'requested' then 'request_accepted' else 'appointment_booked' end, 'patient', new);
  elsif new.status = 'held' then
    perform app_private.notify_of_appointment('time_proposed', 'patient', new,
      app_private.deadline_of_hold(new)
        || jsonb_build_object('message', coalesce(current_setting('slotkeeper.message', true), '')));
  elsif new.status = 'cancelled' and new.cancellation_cause in ('doctor_emergency', 'doctor_unavailable') then
    perform app_private.notify_of_appointment(new.cancellation_cause::text, 'patient', new);
  elsif new.status = 'cancelled' and new.cancellation_cause = 'declined' then
    perform app_private.notify_of_appointment('request_declined', 'patient', new, reason);
  elsif new.status = 'cancelled' and old.status <> 'held' then
    perform app_private.notify_of_appointment(
      'appointment_cancelled', case when by_patient then 'doctor' else 'patient' end, new, reason);
  elsif new.status = 'expired' and old.status = 'requested' then
    perform app_private.notify_of_appointment('request_expired', 'patient', new);
  end if;
  return null;
end
$$;

comment on function app_private.tell_of_appointment() is
  'Trigger: leaves notifications for those whom a new or changed appointment concerns.';

revoke execute on function app_private.tell_of_appointment() from public;

create or replace trigger new_appointment_is_told
  after insert on app_public.appointment
  for each row when (new.status in ('scheduled', 'requested'))
  execute function app_private.tell_of_appointment();

create or replace trigger appointment_is_told
  after update of status, slot_id on app_public.appointment
  for each row when (
    new.status in ('scheduled', 'held', 'cancelled', 'expired') and new.status <> old.status
    or new.slot_id is distinct from old.slot_id)
  execute function app_private.tell_of_appointment();
--! EndIncluded functions/notifications/tell_of_appointment.sql
--! Included policies/appointment.sql
-- Patients see and change their own appointments; staff see those of their hospital; doctors
-- change their own, the others of the staff all. What a change may be, the triggers decide. Only the
-- columns that a function passes on are granted: no client sets a time, a doctor or a canceller.
alter table app_public.appointment enable row level security;
alter table app_public.appointment force row level security;

grant select on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (hospital_id, slot_id, doctor_id, during, patient_id, service_id, series_id, reason, status, idempotency_key, request_fingerprint) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
grant insert (source, held_until) on app_public.appointment to app_worker;
-- For imports: the table takes no other source from an admin.
grant insert (source) on app_public.appointment to app_admin;
grant update (status, slot_id, cancellation_reason) on app_public.appointment to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
-- No grant of delete to anybody: an appointment ends, it does not vanish.

drop policy if exists patients_read_their_own on app_public.appointment;
create policy patients_read_their_own on app_public.appointment for select to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_book_for_themselves on app_public.appointment;
create policy patients_book_for_themselves on app_public.appointment for insert to app_patient
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists patients_change_their_own on app_public.appointment;
create policy patients_change_their_own on app_public.appointment for update to app_patient
  using (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id())
  with check (hospital_id = app_private.claim_hospital_id() and patient_id = app_private.claim_patient_id());

drop policy if exists staff_read_their_hospital on app_public.appointment;
create policy staff_read_their_hospital on app_public.appointment for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists doctors_book_with_themselves on app_public.appointment;
create policy doctors_book_with_themselves on app_public.appointment for insert to app_doctor
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists doctors_change_their_own on app_public.appointment;
create policy doctors_change_their_own on app_public.appointment for update to app_doctor
  using (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id())
  with check (hospital_id = app_private.claim_hospital_id() and doctor_id = app_private.claim_doctor_id());

drop policy if exists nurses_receptionists_and_admins_book on app_public.appointment;
create policy nurses_receptionists_and_admins_book on app_public.appointment for insert to app_nurse, app_receptionist, app_admin
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists nurses_receptionists_and_admins_change on app_public.appointment;
create policy nurses_receptionists_and_admins_change on app_public.appointment for update to app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id())
  with check (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment;
create policy worker_reads_all on app_public.appointment for select to app_worker
  using (true);

drop policy if exists worker_books on app_public.appointment;
create policy worker_books on app_public.appointment for insert to app_worker
  with check (true);

drop policy if exists worker_changes on app_public.appointment;
create policy worker_changes on app_public.appointment for update to app_worker
  using (true)
  with check (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment;
create policy owner_maintains on app_public.appointment for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/appointment.sql
--! Included policies/appointment_seat.sql
-- Staff see which further slots a visit takes; patients see the time of their appointment. Nobody is
-- granted to write: the triggers of appointments do, as the owner.
alter table app_public.appointment_seat enable row level security;
alter table app_public.appointment_seat force row level security;

grant select on app_public.appointment_seat to app_worker, app_doctor, app_nurse, app_receptionist, app_admin, app_monitor;

drop policy if exists staff_read_their_hospital on app_public.appointment_seat;
create policy staff_read_their_hospital on app_public.appointment_seat for select to app_doctor, app_nurse, app_receptionist, app_admin
  using (hospital_id = app_private.claim_hospital_id());

drop policy if exists worker_reads_all on app_public.appointment_seat;
create policy worker_reads_all on app_public.appointment_seat for select to app_worker
  using (true);

drop policy if exists monitor_reads_all on app_public.appointment_seat;
create policy monitor_reads_all on app_public.appointment_seat for select to app_monitor
  using (true);

-- Triggers run as the owner, which is forced under row-level security like everybody.
drop policy if exists owner_maintains on app_public.appointment_seat;
create policy owner_maintains on app_public.appointment_seat for all to app_owner
  using (true)
  with check (true);
--! EndIncluded policies/appointment_seat.sql

reset role;
