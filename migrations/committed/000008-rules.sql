--! Previous: sha1:b171110da12c8d62e52bfe613d2e3095d59046c0
--! Hash: sha1:e150f5c47130b9f57a85ab9b4b383be1cfadb78b
--! Message: rules

--! split: 08-rules.sql
-- Booking: the judge, the seats, the state machine, and the functions that clients call.

set local role app_owner;

--! Included functions/booking/admit_appointment.sql
-- The door of the appointment table, for every client: who may enter, with which state, into which
-- seat. It runs as the owner, before row-level security looks at the row, so it repeats the two
-- walls that matter for what a refusal may tell: the hospital and the patient of the claims.
create or replace function app_private.admit_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  if actor = 'patient' and new.patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  perform app_private.guard_transition(actor, null, new.status);

  new.source := coalesce(
    case when actor in ('worker', 'operator') then new.source end,
    case actor when 'patient' then 'patient' when 'operator' then 'import' else 'staff' end::app_public.appointment_source);
  new.created_by := app_private.claim_account_id();
  new.created_at := instant;
  new.updated_at := instant;
  new.held_until := case when new.status = 'held' then (
    select instant + hospital.hold_duration from app_public.hospital where hospital.id = new.hospital_id) end;

  if new.status = 'requested' then
    return new;
  end if;
  return app_private.seat_appointment(new);
end
$$;

comment on function app_private.admit_appointment() is
  'Trigger: admits a new appointment into its seat, or refuses it with its scenario.';

revoke execute on function app_private.admit_appointment() from public;

create or replace trigger appointment_is_admitted
  before insert on app_public.appointment
  for each row execute function app_private.admit_appointment();
--! EndIncluded functions/booking/admit_appointment.sql
--! Included functions/booking/announce_appointment.sql
-- Tells the outside, by a row: identifiers only, in the same transaction. The relay carries it; a
-- notification from here would take the one lock of the whole server at every commit. A move is told
-- to those who watch the old slot's doctor, too.
create or replace function app_private.announce_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (new.hospital_id, 'appointment', new.id::text, jsonb_build_object(
    'status', new.status, 'doctor_id', new.doctor_id, 'slot_ids', jsonb_build_array(new.slot_id)));

  if tg_op = 'UPDATE' and old.slot_id is distinct from new.slot_id then
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
--! Included functions/booking/book_appointment.sql
-- The rules, the seat and the log are the table's own work; see admit_appointment.
create or replace function app_public.book_appointment(
  slot_id uuid,
  patient_id uuid,
  idempotency_key uuid,
  service_id uuid default null,
  reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.place_appointment('scheduled', slot_id, patient_id, idempotency_key, service_id, reason);
end
$$;

comment on function app_public.book_appointment(uuid, uuid, uuid, uuid, text) is
  'Books a seat of a named slot for a patient. All booking rules are judged; the first broken one is raised and all are listed in details.violations. Give a new random UUID as idempotencyKey for every new wish and the same one when you repeat a request whose answer you did not get: it returns the same appointment.';

revoke execute on function app_public.book_appointment(uuid, uuid, uuid, uuid, text) from public;
grant execute on function app_public.book_appointment(uuid, uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/book_appointment.sql
--! Included functions/booking/cancel_appointment.sql
-- The seat becomes free in the same transaction; see change_appointment_status.
create or replace function app_public.cancel_appointment(appointment_id uuid, reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'cancelled', reason);
end
$$;

comment on function app_public.cancel_appointment(uuid, text) is
  'Cancels an appointment and frees its seat at once.';

revoke execute on function app_public.cancel_appointment(uuid, text) from public;
grant execute on function app_public.cancel_appointment(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/cancel_appointment.sql
--! Included functions/booking/change_appointment_status.sql
-- Every change of state, for every client. It fires whenever a statement names the status, even with
-- the value that the row already has: cancelling what is cancelled is refused, not ignored.
-- What the new state needs (times, who cancelled) is written here, from the claims and the clock.
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
  perform app_private.guard_hold(old, new.status, instant);

  new.updated_at := instant;
  new.held_until := case when new.status = 'held' then old.held_until end;
  new.checked_in_at := case when new.status = 'checked_in' then instant else old.checked_in_at end;
  new.completed_at := case when new.status = 'completed' then instant end;
  new.cancelled_at := case when new.status = 'cancelled' then instant end;
  new.cancelled_by := case when new.status = 'cancelled' then app_private.claim_account_id() end;

  if old.holds_seat
    and (new.slot_id, new.doctor_id, new.location_id, new.during)
      is distinct from (old.slot_id, old.doctor_id, old.location_id, old.during)
  then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', new.status));
  end if;
  if old.holds_seat and new.status not in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress') then
    perform app_private.release_seat(old.hospital_id, old.slot_id);
  elsif not old.holds_seat and new.status in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress') then
    return app_private.seat_appointment(new);
  end if;
  return new;
end
$$;

comment on function app_private.change_appointment_status() is
  'Trigger: lets an appointment change its state along the state machine, with its seat and its times.';

revoke execute on function app_private.change_appointment_status() from public;

create or replace trigger appointment_status_follows_the_state_machine
  before update of status on app_public.appointment
  for each row execute function app_private.change_appointment_status();
--! EndIncluded functions/booking/change_appointment_status.sql
--! Included functions/booking/check_in_appointment.sql
-- The state machine decides; see change_appointment_status.
-- No grant to app_patient: patients do not check themselves in.
create or replace function app_public.check_in_appointment(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'checked_in');
end
$$;

comment on function app_public.check_in_appointment(uuid) is
  'Marks that the patient has arrived.';

revoke execute on function app_public.check_in_appointment(uuid) from public;
grant execute on function app_public.check_in_appointment(uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/check_in_appointment.sql
--! Included functions/booking/complete_appointment.sql
-- The state machine decides; see change_appointment_status.
-- Granted to all staff: the state machine lets only the doctor through, and tells the others so.
create or replace function app_public.complete_appointment(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'completed');
end
$$;

comment on function app_public.complete_appointment(uuid) is
  'Marks a visit as completed, by its doctor.';

revoke execute on function app_public.complete_appointment(uuid) from public;
grant execute on function app_public.complete_appointment(uuid)
  to app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/complete_appointment.sql
--! Included functions/booking/confirm_appointment.sql
-- The state machine decides; see change_appointment_status.
create or replace function app_public.confirm_appointment(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.transit_appointment(appointment_id, 'confirmed');
end
$$;

comment on function app_public.confirm_appointment(uuid) is
  'Confirms that the patient will come.';

revoke execute on function app_public.confirm_appointment(uuid) from public;
grant execute on function app_public.confirm_appointment(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/confirm_appointment.sql
--! Included functions/booking/confirm_hold.sql
-- The state machine decides; see change_appointment_status.
create or replace function app_public.confirm_hold(appointment_id uuid)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  perform app_private.guard_is_held(appointment_id);
  return app_private.transit_appointment(appointment_id, 'scheduled');
end
$$;

comment on function app_public.confirm_hold(uuid) is
  'Turns a held seat into an appointment, before heldUntil has passed.';

revoke execute on function app_public.confirm_hold(uuid) from public;
grant execute on function app_public.confirm_hold(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/confirm_hold.sql
--! Included functions/booking/expire_lapsed_holds.sql
-- Lets lapsed holds expire: all of a hospital (the sweeper's broom, every minute), or only those that
-- stand in the way of a wish, the holds with the slot's doctor and of the patient: whoever needs the
-- seat next does it. It acts as the worker, because it is the system that lets a hold lapse and not
-- the patient who comes next; it runs as the owner, because the locks need rights that neither has.
-- Holds that somebody is just confirming or cancelling are skipped: nobody waits for an appointment
-- while holding a patient. All slots concerned, also the one that the wish leaves, are locked in order
-- before the first one changes.
create or replace function app_private.expire_lapsed_holds(
  hospital_id uuid, slot_id uuid default null, patient_id uuid default null,
  leaving_slot_id uuid default null)
returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  claimed_role text := current_setting('claims.role', true);
  claimed_account text := current_setting('claims.account_id', true);
  lapsed record;
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
    order by appointment.id
    for no key update skip locked
  ) as hold;
  if lapsed.ids is null then
    return 0;
  end if;

  perform app_private.lock_seats(hospital_id, array_remove(lapsed.slot_ids || slot_id || leaving_slot_id, null));
  perform set_config('claims.role', 'worker', true), set_config('claims.account_id', '', true);
  update app_public.appointment
  set status = 'expired'
  where appointment.hospital_id = expire_lapsed_holds.hospital_id and appointment.id = any (lapsed.ids);
  get diagnostics expired = row_count;
  perform set_config('claims.role', claimed_role, true), set_config('claims.account_id', claimed_account, true);
  return expired;
end
$$;

comment on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid) is
  'Expires the lapsed holds of a hospital, or only those in the way of a slot and a patient, and frees their seats; returns how many.';

revoke execute on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid) from public;
grant execute on function app_private.expire_lapsed_holds(uuid, uuid, uuid, uuid) to app_worker;
--! EndIncluded functions/booking/expire_lapsed_holds.sql
--! Included functions/booking/explain_booking.sql
-- The same judge that booking asks, with every verdict. A patient may ask only about themselves: of
-- others not even the verdicts are theirs to know.
create or replace function app_public.explain_booking(slot_id uuid, patient_id uuid, service_id uuid default null)
returns setof app_public.booking_verdict
language plpgsql stable rows 20
as $$
begin
  if app_private.actor_role() = 'patient' and patient_id is distinct from app_private.claim_patient_id() then
    perform app_private.refuse('forbidden');
  end if;
  return query
  select verdict.*
  from app_private.judge_booking(app_private.request_hospital_id(), slot_id, patient_id, service_id) as verdict;
end
$$;

comment on function app_public.explain_booking(uuid, uuid, uuid) is
  'Verdicts of all booking rules on booking this slot for this patient, in the order in which they are judged; nothing is changed.';

revoke execute on function app_public.explain_booking(uuid, uuid, uuid) from public;
grant execute on function app_public.explain_booking(uuid, uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/explain_booking.sql
--! Included functions/booking/guard_hold.sql
-- A hold is confirmed before it lapses and expires after, never the other way round.
create or replace function app_private.guard_hold(
  held app_public.appointment, to_status app_public.appointment_status, instant timestamptz)
returns void
language plpgsql stable
as $$
begin
  if held.status <> 'held' then
    return;
  end if;
  if to_status = 'scheduled' and held.held_until <= instant then
    perform app_private.refuse('hold_expired', jsonb_build_object('held_until', held.held_until));
  elsif to_status = 'expired' and held.held_until > instant then
    perform app_private.refuse('illegal_transition',
      jsonb_build_object('from', held.status, 'to', to_status, 'held_until', held.held_until));
  end if;
end
$$;

comment on function app_private.guard_hold(app_public.appointment, app_public.appointment_status, timestamptz) is
  'Refuses to confirm a lapsed hold, and to expire one that has not lapsed.';

revoke execute on function app_private.guard_hold(app_public.appointment, app_public.appointment_status, timestamptz) from public;
--! EndIncluded functions/booking/guard_hold.sql
--! Included functions/booking/guard_is_held.sql
-- Confirming a hold is for holds: a request becomes an appointment only when somebody accepts it.
create or replace function app_private.guard_is_held(appointment_id uuid) returns void
language plpgsql stable
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  present app_public.appointment_status;
begin
  select appointment.status into present
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = appointment_id;
  if present <> 'held' then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', present, 'to', 'scheduled'));
  end if;
end
$$;

comment on function app_private.guard_is_held(uuid) is 'Refuses unless the appointment is held.';

revoke execute on function app_private.guard_is_held(uuid) from public;
grant execute on function app_private.guard_is_held(uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/guard_is_held.sql
--! Included functions/booking/guard_transition.sql
-- The state machine: a change of state is allowed if appointment_transition lists it, for those it
-- lists. Unlisted is illegal for everybody; listed for others is forbidden for this one.
create or replace function app_private.guard_transition(
  actor text, from_status app_public.appointment_status, to_status app_public.appointment_status)
returns void
language plpgsql stable
as $$
declare
  allowed text[];
begin
  select appointment_transition.roles into allowed
  from app_public.appointment_transition
  where appointment_transition.from_status is not distinct from guard_transition.from_status
    and appointment_transition.to_status = guard_transition.to_status;

  if allowed is null then
    perform app_private.refuse('illegal_transition',
      jsonb_build_object('from', coalesce(from_status::text, 'new'), 'to', to_status));
  elsif actor <> 'operator' and not actor = any (allowed) then
    perform app_private.refuse('forbidden',
      jsonb_build_object('from', coalesce(from_status::text, 'new'), 'to', to_status));
  end if;
end
$$;

comment on function app_private.guard_transition(text, app_public.appointment_status, app_public.appointment_status) is
  'Refuses a change of state that the state machine does not list, or not for this actor.';

revoke execute on function app_private.guard_transition(text, app_public.appointment_status, app_public.appointment_status) from public;
--! EndIncluded functions/booking/guard_transition.sql
--! Included functions/booking/hold_slot.sql
-- The rules, the seat and the log are the table's own work; see admit_appointment.
create or replace function app_public.hold_slot(
  slot_id uuid,
  patient_id uuid,
  idempotency_key uuid,
  service_id uuid default null,
  reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
begin
  return app_private.place_appointment('held', slot_id, patient_id, idempotency_key, service_id, reason);
end
$$;

comment on function app_public.hold_slot(uuid, uuid, uuid, uuid, text) is
  'Holds a seat of a slot for a patient until heldUntil, to be confirmed with confirmHold. All booking rules are judged; the first broken one is raised and all are listed in details.violations. Give a new random UUID as idempotencyKey for every new wish and the same one when you repeat a request whose answer you did not get: it returns the same appointment.';

revoke execute on function app_public.hold_slot(uuid, uuid, uuid, uuid, text) from public;
grant execute on function app_public.hold_slot(uuid, uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/hold_slot.sql
--! Included functions/booking/judge_booking.sql
-- The booking rules, all of them, here and nowhere else: booking, holding, rescheduling and
-- explain_booking ask this function. One select gathers the facts (each by a key of its table, so
-- the cost does not grow with history); the list below turns facts into verdicts, in their order.
-- Lapsed holds do not count: whoever needs the seat next releases them.
-- A verdict is null where it cannot be told because the thing it speaks of was not found.
create or replace function app_private.judge_booking(
  hospital_id uuid,
  slot_id uuid,
  patient_id uuid,
  service_id uuid,
  wanted tstzrange default null,
  except_appointment_id uuid default null,
  only_broken boolean default false)
returns setof app_public.booking_verdict
language plpgsql stable
as $$
declare
  instant timestamptz := app_private.clock();
  fact record;
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
    doctor.id is not null as doctor_exists,
    doctor.is_available as doctor_is_available,
    doctor.is_active as doctor_is_active,
    slot.starts_at,
    slot.starts_at > instant as is_ahead,
    visit.day,
    visit.day <= (instant at time zone hospital.time_zone)::date + hospital.booking_horizon_days as is_within_horizon,
    coalesce(hours.is_working, false) as is_working,
    coalesce(hours.is_break, false) as is_break,
    slot.withdrawn_at is null as is_offered,
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
    visit.during <@ slot.during as fits,
    visit.during,
    doctor.max_patients_per_day,
    case
      when coalesce(doctor_day.booked_count < least(doctor_day.max_patients, doctor.max_patients_per_day), true)
        then true
      else exists (
        select from app_public.appointment as moving
        where moving.hospital_id = judge_booking.hospital_id
          and moving.id = judge_booking.except_appointment_id
          and moving.doctor_id = slot.doctor_id
          and (moving.starts_at at time zone hospital.time_zone)::date = visit.day
          and moving.holds_seat)
        or doctor_day.booked_count - (
          select count(*)
          from app_private.lapsed_holds(judge_booking.hospital_id, slot.doctor_id) as hold
          where (hold.starts_at at time zone hospital.time_zone)::date = visit.day)
        < least(doctor_day.max_patients, doctor.max_patients_per_day)
    end as day_has_room
  into fact
  from app_public.hospital
  left join app_public.patient
    on patient.hospital_id = judge_booking.hospital_id and patient.id = judge_booking.patient_id
  left join app_public.slot
    on slot.hospital_id = judge_booking.hospital_id and slot.id = judge_booking.slot_id
  left join app_public.doctor
    on doctor.hospital_id = judge_booking.hospital_id and doctor.id = slot.doctor_id
  left join app_public.service
    on service.hospital_id = judge_booking.hospital_id and service.id = judge_booking.service_id
  cross join lateral (
    select
      coalesce(judge_booking.wanted, case when slot.id is not null then
        tstzrange(slot.starts_at, slot.starts_at + coalesce(service.duration, slot.ends_at - slot.starts_at))
      end) as during,
      (slot.starts_at at time zone hospital.time_zone)::date as day
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

  if only_broken
    and fact.patient_exists and fact.patient_is_active and fact.patient_may_book and fact.patient_is_free
    and fact.slot_exists and fact.doctor_is_available and fact.doctor_is_active
    and fact.is_ahead and fact.is_within_horizon and fact.is_working and not fact.is_break
    and fact.is_offered and fact.is_unblocked and fact.has_room
    and fact.service_is_offered and fact.fits and fact.day_has_room
  then
    return;
  end if;

  return query
  select verdict.rule::smallint, verdict.scenario, verdict.is_satisfied,
    case when not verdict.is_satisfied then jsonb_strip_nulls(verdict.details) end
  from (values
    (0, 'slot_not_found', coalesce(fact.slot_exists, false),
      jsonb_build_object('slot_id', judge_booking.slot_id)),
    (1, 'patient_not_found', coalesce(fact.patient_exists, false),
      jsonb_build_object('patient_id', judge_booking.patient_id)),
    (2, 'patient_inactive', fact.patient_is_active,
      jsonb_build_object('patient_id', judge_booking.patient_id)),
    (2, 'patient_blocked', fact.patient_may_book,
      jsonb_build_object('patient_id', judge_booking.patient_id, 'reason', fact.blocked_reason)),
    (3, 'patient_double_booked', case when fact.patient_exists and fact.slot_exists then fact.patient_is_free end,
      jsonb_build_object('appointment_id', fact.other_id)),
    (4, 'doctor_not_found', case when fact.slot_exists then fact.doctor_exists end,
      '{}'::jsonb),
    (5, 'doctor_unavailable', fact.doctor_is_available,
      '{}'::jsonb),
    (6, 'doctor_inactive', fact.doctor_is_active,
      '{}'::jsonb),
    (7, 'slot_in_past', fact.is_ahead,
      jsonb_build_object('starts_at', fact.starts_at, 'now', instant)),
    (8, 'beyond_booking_horizon', fact.is_within_horizon,
      jsonb_build_object('day', fact.day, 'last_day', fact.today + fact.booking_horizon_days)),
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

comment on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean) is
  'Verdicts of all booking rules on one wish, in the order of the rules; only the broken ones on demand.';

revoke execute on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean) from public;
grant execute on function app_private.judge_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, boolean)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/judge_booking.sql
--! Included functions/booking/keep_appointment.sql
-- An appointment that holds a seat cannot be deleted: cancel it, and the seat is free. Otherwise a
-- slot would stay booked by nobody.
create or replace function app_private.keep_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if old.holds_seat then
    perform app_private.refuse('appointment_holds_a_seat', jsonb_build_object('appointment_id', old.id));
  end if;
  return old;
end
$$;

comment on function app_private.keep_appointment() is 'Trigger: refuses to delete an appointment that holds a seat.';

revoke execute on function app_private.keep_appointment() from public;

create or replace trigger appointment_with_a_seat_is_kept
  before delete on app_public.appointment
  for each row execute function app_private.keep_appointment();
--! EndIncluded functions/booking/keep_appointment.sql
--! Included functions/booking/keep_counters.sql
-- Counters follow appointments and nothing else: only a statement run by another trigger (taking or
-- releasing a seat) may change them. A hand that writes a count itself is refused, whoever's it is.
-- The condition stands in the triggers' WHEN, so that the booking path never enters the function.
create or replace function app_private.keep_counters() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('counter_is_derived', jsonb_build_object('table', tg_argv[0]));
  return null;
end
$$;

comment on function app_private.keep_counters() is 'Trigger: refuses a booked_count that does not come from an appointment.';

revoke execute on function app_private.keep_counters() from public;

create or replace trigger slot_starts_empty
  before insert on app_public.slot
  for each row when (new.booked_count <> 0)
  execute function app_private.keep_counters('slot');

create or replace trigger slot_count_follows_appointments
  before update of booked_count on app_public.slot
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> old.booked_count)
  execute function app_private.keep_counters('slot');

create or replace trigger doctor_day_starts_empty
  before insert on app_public.doctor_day
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> 0)
  execute function app_private.keep_counters('doctor_day');

create or replace trigger doctor_day_count_follows_appointments
  before update of booked_count on app_public.doctor_day
  for each row when (pg_trigger_depth() = 0 and new.booked_count <> old.booked_count)
  execute function app_private.keep_counters('doctor_day');
--! EndIncluded functions/booking/keep_counters.sql
--! Included functions/booking/lapsed_holds.sql
-- Where lapsed holds of a doctor still sit: they stand in nobody's way, also not in the way of a
-- patient whose own rights do not reach to the hold of somebody else. It runs as the owner for their
-- sake and tells a slot and a time, never whose hold it is.
create or replace function app_private.lapsed_holds(hospital_id uuid, doctor_id uuid)
returns table (slot_id uuid, starts_at timestamptz)
language plpgsql stable security definer rows 10
set search_path = ''
as $$
begin
  perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  return query
  select appointment.slot_id, appointment.starts_at
  from app_public.appointment
  where appointment.hospital_id = lapsed_holds.hospital_id
    and appointment.doctor_id = lapsed_holds.doctor_id
    and appointment.status = 'held'
    and appointment.held_until <= app_private.clock();
end
$$;

comment on function app_private.lapsed_holds(uuid, uuid) is
  'Slot and start of a doctor''s lapsed holds, whose seats are free for whoever comes next.';

revoke execute on function app_private.lapsed_holds(uuid, uuid) from public;
grant execute on function app_private.lapsed_holds(uuid, uuid)
  to app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/lapsed_holds.sql
--! Included functions/booking/lock_seats.sql
-- Locks the seats of several slots before any of them changes: slots in the order of their ids,
-- then the days of their doctors in the order of their keys. Two operations on overlapping sets can
-- wait for each other, but never in a circle. Missing days are created first, so that they too are
-- locked in order.
create or replace function app_private.lock_seats(hospital_id uuid, slot_ids uuid[])
returns void
language plpgsql
as $$
begin
  perform from app_public.slot
  where slot.hospital_id = lock_seats.hospital_id and slot.id = any (lock_seats.slot_ids)
  order by slot.id
  for no key update;

  insert into app_public.doctor_day (hospital_id, doctor_id, day, max_patients)
  select distinct slot.hospital_id, slot.doctor_id,
    (slot.starts_at at time zone hospital.time_zone)::date as day, doctor.max_patients_per_day
  from app_public.slot
  join app_public.hospital on hospital.id = lock_seats.hospital_id
  join app_public.doctor on doctor.hospital_id = lock_seats.hospital_id and doctor.id = slot.doctor_id
  where slot.hospital_id = lock_seats.hospital_id and slot.id = any (lock_seats.slot_ids)
  order by slot.doctor_id, day
  on conflict do nothing;

  perform from app_public.doctor_day
  where doctor_day.hospital_id = lock_seats.hospital_id
    and (doctor_day.doctor_id, doctor_day.day) in (
      select slot.doctor_id, (slot.starts_at at time zone hospital.time_zone)::date
      from app_public.slot
      join app_public.hospital on hospital.id = lock_seats.hospital_id
      where slot.hospital_id = lock_seats.hospital_id and slot.id = any (lock_seats.slot_ids))
  order by doctor_day.doctor_id, doctor_day.day
  for no key update;
end
$$;

comment on function app_private.lock_seats(uuid, uuid[]) is
  'Locks slots by id, then their doctors'' days by key: the order that every booking keeps.';

revoke execute on function app_private.lock_seats(uuid, uuid[]) from public;
--! EndIncluded functions/booking/lock_seats.sql
--! Included functions/booking/move_appointment.sql
-- An appointment moves only together with its seat: the old one is given back and the new one taken
-- in the same transaction, patient, slots and days locked in their order first. A move within one
-- doctor's day leaves the day's count alone, so that a full day does not forbid it. What has ended
-- stays where it was; a request, which has no slot yet, may change its time.
create or replace function app_private.move_appointment() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  stays_in_day boolean;
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if new.status <> old.status or (old.status = 'requested' and new.slot_id is null) then
    return new;
  end if;
  if old.status not in ('scheduled', 'confirmed') then
    perform app_private.refuse('illegal_transition', jsonb_build_object('from', old.status, 'to', 'rescheduled'));
  end if;
  if new.slot_id is not distinct from old.slot_id then
    perform app_private.refuse('already_in_slot', jsonb_build_object('slot_id', old.slot_id));
  end if;

  select count(distinct (slot.doctor_id, (slot.starts_at at time zone hospital.time_zone)::date)) = 1
  into stays_in_day
  from app_public.slot
  join app_public.hospital on hospital.id = old.hospital_id
  where slot.hospital_id = old.hospital_id and slot.id in (old.slot_id, new.slot_id);

  new.doctor_id := null;
  new.location_id := null;
  new.during := null;
  new.rescheduled_from := old.slot_id;
  new.updated_at := app_private.clock();
  new := app_private.seat_appointment(new, counts_day => not stays_in_day, leaving_slot_id => old.slot_id);
  perform app_private.release_seat(old.hospital_id, old.slot_id, counts_day => not stays_in_day);
  return new;
end
$$;

comment on function app_private.move_appointment() is
  'Trigger: moves an appointment from its slot to another, with its seat.';

revoke execute on function app_private.move_appointment() from public;

create or replace trigger appointment_moves_with_its_seat
  before update of slot_id, doctor_id, location_id, during on app_public.appointment
  for each row execute function app_private.move_appointment();
--! EndIncluded functions/booking/move_appointment.sql
--! Included functions/booking/place_appointment.sql
-- What booking and holding share: the request's key first, then one plain insert under the caller's
-- own rights. Everything else happens in the triggers of the table.
create or replace function app_private.place_appointment(
  status app_public.appointment_status, slot_id uuid, patient_id uuid, idempotency_key uuid,
  service_id uuid, reason text)
returns app_public.appointment
language plpgsql
as $$
declare
  fingerprint text := app_private.request_fingerprint(
    status::text, slot_id::text, patient_id::text, service_id::text, reason);
  placed app_public.appointment := app_private.replayed_appointment(idempotency_key, fingerprint);
begin
  if placed.id is null then
    insert into app_public.appointment (
      hospital_id, slot_id, patient_id, service_id, reason, status, idempotency_key, request_fingerprint)
    values (
      app_private.request_hospital_id(), slot_id, patient_id, service_id, reason, status, idempotency_key, fingerprint)
    returning * into placed;
  end if;
  return placed;
end
$$;

comment on function app_private.place_appointment(app_public.appointment_status, uuid, uuid, uuid, uuid, text) is
  'Inserts an appointment in its first state, once for every idempotency key.';

revoke execute on function app_private.place_appointment(app_public.appointment_status, uuid, uuid, uuid, uuid, text) from public;
grant execute on function app_private.place_appointment(app_public.appointment_status, uuid, uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/place_appointment.sql
--! Included functions/booking/refuse_booking.sql
-- Raises the first broken rule and lists all of them, so that a client can show everything that
-- stands in the way at once. The fallback is for a seat that was taken between two looks.
create or replace function app_private.refuse_booking(
  hospital_id uuid, slot_id uuid, patient_id uuid, service_id uuid,
  wanted tstzrange, except_appointment_id uuid, fallback text default 'slot_booked')
returns void
language plpgsql
as $$
declare
  violations jsonb;
begin
  select jsonb_agg(jsonb_build_object('rule', verdict.rule, 'scenario', verdict.scenario, 'details', verdict.details))
  into violations
  from app_private.judge_booking(
    hospital_id, slot_id, patient_id, service_id, wanted, except_appointment_id, only_broken => true) as verdict;

  perform app_private.refuse(
    coalesce(violations -> 0 ->> 'scenario', fallback),
    coalesce(violations -> 0 -> 'details', '{}')
      || jsonb_build_object('violations', coalesce(violations, '[]')));
end
$$;

comment on function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, text) is
  'Raises the first broken booking rule with all of them in details.violations; never returns.';

revoke execute on function app_private.refuse_booking(uuid, uuid, uuid, uuid, tstzrange, uuid, text) from public;
--! EndIncluded functions/booking/refuse_booking.sql
--! Included functions/booking/refuse_unreachable_appointment.sql
-- Why an update reached no appointment: it can be seen but not changed by this caller, or it cannot
-- even be seen, which looks the same as not being there.
create or replace function app_private.refuse_unreachable_appointment(hospital_id uuid, appointment_id uuid)
returns void
language plpgsql stable
as $$
begin
  perform app_private.refuse(
    case when exists (
      select from app_public.appointment
      where appointment.hospital_id = refuse_unreachable_appointment.hospital_id
        and appointment.id = refuse_unreachable_appointment.appointment_id)
    then 'forbidden' else 'appointment_not_found' end,
    jsonb_build_object('appointment_id', appointment_id));
end
$$;

comment on function app_private.refuse_unreachable_appointment(uuid, uuid) is
  'Refuses with forbidden or appointment_not_found; never returns.';

revoke execute on function app_private.refuse_unreachable_appointment(uuid, uuid) from public;
grant execute on function app_private.refuse_unreachable_appointment(uuid, uuid)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/refuse_unreachable_appointment.sql
--! Included functions/booking/release_seat.sql
-- Gives a seat and its place of the day back. Slot before day, as everywhere.
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
  returning slot.doctor_id, slot.starts_at into seat;

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
--! Included functions/booking/replayed_appointment.sql
-- Whether this account made this very request before: its appointment then, as it is now, or null.
-- The advisory lock makes two copies of one request come in turn, so that the second finds what the
-- first did; it is taken before every other lock and there is one a transaction.
create or replace function app_private.replayed_appointment(idempotency_key uuid, fingerprint text)
returns app_public.appointment
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  account uuid := app_private.claim_account_id();
  earlier record;
  replayed app_public.appointment;
begin
  if idempotency_key is null then
    perform app_private.refuse('idempotency_key_required');
  end if;
  perform pg_advisory_xact_lock(hashtextextended(concat(account, idempotency_key), 0));

  select appointment.id as appointment_id, appointment.request_fingerprint into earlier
  from app_public.appointment
  where appointment.hospital_id = hospital
    and appointment.idempotency_key = replayed_appointment.idempotency_key
    and appointment.created_by is not distinct from account;
  if not found then
    select appointment_move.appointment_id, appointment_move.request_fingerprint into earlier
    from app_public.appointment_move
    where appointment_move.hospital_id = hospital
      and appointment_move.idempotency_key = replayed_appointment.idempotency_key
      and appointment_move.moved_by is not distinct from account;
  end if;
  if not found then
    return null;
  end if;

  if earlier.request_fingerprint is distinct from fingerprint then
    perform app_private.refuse('idempotency_key_reused', jsonb_build_object('idempotency_key', idempotency_key));
  end if;
  select * into replayed
  from app_public.appointment
  where appointment.hospital_id = hospital and appointment.id = earlier.appointment_id;
  return replayed;
end
$$;

comment on function app_private.replayed_appointment(uuid, text) is
  'The appointment of an earlier request with the same key by the same account, or null; refuses another request under the same key.';

revoke execute on function app_private.replayed_appointment(uuid, text) from public;
grant execute on function app_private.replayed_appointment(uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/replayed_appointment.sql
--! Included functions/booking/request_fingerprint.sql
-- What was asked, as a hash: the same key with another fingerprint is another request. JSON keeps
-- null apart from empty and one argument from the next.
create or replace function app_private.request_fingerprint(variadic parts text[]) returns text
language sql immutable parallel safe
return encode(sha256(convert_to(to_jsonb(parts)::text, 'UTF8')), 'hex');

comment on function app_private.request_fingerprint(text[]) is 'SHA-256 of an operation and its arguments, in hexadecimal.';

revoke execute on function app_private.request_fingerprint(text[]) from public;
grant execute on function app_private.request_fingerprint(text[])
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/request_fingerprint.sql
--! Included functions/booking/reschedule_appointment.sql
-- The appointment stays the same and moves: old seat freed and new one taken in one transaction by
-- move_appointment. The move is remembered, with its key.
create or replace function app_public.reschedule_appointment(
  appointment_id uuid,
  new_slot_id uuid,
  idempotency_key uuid,
  reason text default null)
returns app_public.appointment
language plpgsql volatile
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  fingerprint text := app_private.request_fingerprint('reschedule', appointment_id::text, new_slot_id::text, reason);
  moved app_public.appointment := app_private.replayed_appointment(idempotency_key, fingerprint);
begin
  if moved.id is not null then
    return moved;
  end if;

  update app_public.appointment
  set slot_id = new_slot_id
  where appointment.hospital_id = hospital and appointment.id = appointment_id
  returning * into moved;
  if not found then
    perform app_private.refuse_unreachable_appointment(hospital, appointment_id);
  end if;

  insert into app_public.appointment_move (
    hospital_id, appointment_id, patient_id, doctor_id, from_slot_id, to_slot_id, reason,
    moved_by, moved_at, idempotency_key, request_fingerprint)
  values (
    hospital, moved.id, moved.patient_id, moved.doctor_id, moved.rescheduled_from, moved.slot_id, reason,
    app_private.claim_account_id(), moved.updated_at, idempotency_key, fingerprint);
  return moved;
end
$$;

comment on function app_public.reschedule_appointment(uuid, uuid, uuid, text) is
  'Moves an appointment to another slot: the same appointment, the old seat freed and the new one taken together. All booking rules are judged on the new slot. Takes an idempotencyKey like bookAppointment.';

revoke execute on function app_public.reschedule_appointment(uuid, uuid, uuid, text) from public;
grant execute on function app_public.reschedule_appointment(uuid, uuid, uuid, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/reschedule_appointment.sql
--! Included functions/booking/seat_appointment.sql
-- Seats an appointment in its slot, or refuses. The locks come first and always in this order:
-- patient, slots, days. Where more than one slot changes (the one that a move leaves, those of lapsed
-- holds in the way), all are locked together before the first one does. The exclusion constraints are
-- the last line, never the queue: clients who wait on a constraint can deadlock each other, clients
-- who wait on a row come in turn.
create or replace function app_private.seat_appointment(
  wish app_public.appointment, counts_day boolean default true, leaving_slot_id uuid default null)
returns app_public.appointment
language plpgsql
as $$
declare
  seat app_public.slot;
  visit_length interval;
begin
  perform from app_public.patient
  where patient.hospital_id = wish.hospital_id and patient.id = wish.patient_id
  for no key update;

  if exists (
    select from app_public.appointment
    where appointment.hospital_id = wish.hospital_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock())
  then
    perform app_private.expire_lapsed_holds(
      wish.hospital_id, wish.slot_id, wish.patient_id, leaving_slot_id);
  end if;
  if leaving_slot_id is not null then
    perform app_private.lock_seats(wish.hospital_id, array[leaving_slot_id, wish.slot_id]);
  end if;

  if not exists (
    select from app_private.judge_booking(
      wish.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, wish.during, wish.id, only_broken => true))
  then
    seat := app_private.take_seat(wish.hospital_id, wish.slot_id, counts_day);
  end if;
  if seat.id is null then
    perform app_private.refuse_booking(
      wish.hospital_id, wish.slot_id, wish.patient_id, wish.service_id, wish.during, wish.id);
  end if;

  wish.doctor_id := coalesce(wish.doctor_id, seat.doctor_id);
  wish.location_id := coalesce(wish.location_id, seat.location_id);
  if wish.during is null then
    visit_length := seat.ends_at - seat.starts_at;
    if wish.service_id is not null then
      select coalesce(service.duration, visit_length) into visit_length
      from app_public.service
      where service.hospital_id = wish.hospital_id and service.id = wish.service_id;
    end if;
    wish.during := tstzrange(seat.starts_at, seat.starts_at + visit_length);
  end if;
  return wish;
end
$$;

comment on function app_private.seat_appointment(app_public.appointment, boolean, uuid) is
  'Takes the seat that an appointment wishes for and completes its doctor, location and time; refuses with the first broken rule.';

revoke execute on function app_private.seat_appointment(app_public.appointment, boolean, uuid) from public;
--! EndIncluded functions/booking/seat_appointment.sql
--! Included functions/booking/take_seat.sql
-- Takes one seat of a slot and one place of the doctor's day, each by one guarded update that waits
-- for whoever holds the row and then looks again. The second statement reads the doctor afresh,
-- after the slot is locked: a doctor who became unavailable meanwhile is seen, without a lock on
-- the doctor's row. Of the day's limit and the doctor's the smaller holds, because a day that was
-- being created while the doctor's limit sank has not heard of it. No slot means: refuse now; the
-- seat is given back before, so that the refusal does not count it.
create or replace function app_private.take_seat(hospital_id uuid, slot_id uuid, counts_day boolean default true)
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
    and slot.blocked_at is null
    and slot.booked_count < slot.capacity
  returning slot.* into seat;
  if not found then
    return null;
  end if;

  insert into app_public.doctor_day as today (hospital_id, doctor_id, day, booked_count, max_patients)
  select doctor.hospital_id, doctor.id, (seat.starts_at at time zone hospital.time_zone)::date,
    case when counts_day then 1 else 0 end, doctor.max_patients_per_day
  from app_public.doctor
  join app_public.hospital on hospital.id = take_seat.hospital_id
  where doctor.hospital_id = take_seat.hospital_id
    and doctor.id = seat.doctor_id
    and doctor.is_active and doctor.is_available
  on conflict on constraint doctor_day_pkey do update
    set booked_count = today.booked_count + excluded.booked_count
    where excluded.booked_count = 0
      or today.booked_count < least(today.max_patients, excluded.max_patients);
  if not found then
    perform app_private.release_seat(hospital_id, slot_id, counts_day => false);
    return null;
  end if;
  return seat;
end
$$;

comment on function app_private.take_seat(uuid, uuid, boolean) is
  'Takes a seat of a slot and, unless told otherwise, a place of the doctor''s day; returns the slot, or null when there is none.';

revoke execute on function app_private.take_seat(uuid, uuid, boolean) from public;
--! EndIncluded functions/booking/take_seat.sql
--! Included functions/booking/transit_appointment.sql
-- What all transitions share: one plain update under the caller's own rights. A row that the caller
-- may see but not change is forbidden; one that the caller may not see does not exist for them.
create or replace function app_private.transit_appointment(
  appointment_id uuid, to_status app_public.appointment_status, cancellation_reason text default null)
returns app_public.appointment
language plpgsql
as $$
declare
  hospital uuid := app_private.request_hospital_id();
  changed app_public.appointment;
begin
  update app_public.appointment
  set status = to_status, cancellation_reason = transit_appointment.cancellation_reason
  where appointment.hospital_id = hospital and appointment.id = appointment_id
  returning * into changed;
  if not found then
    perform app_private.refuse_unreachable_appointment(hospital, appointment_id);
  end if;
  return changed;
end
$$;

comment on function app_private.transit_appointment(uuid, app_public.appointment_status, text) is
  'Changes the state of an appointment, or refuses.';

revoke execute on function app_private.transit_appointment(uuid, app_public.appointment_status, text) from public;
grant execute on function app_private.transit_appointment(uuid, app_public.appointment_status, text)
  to app_worker, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
--! EndIncluded functions/booking/transit_appointment.sql
--! Included functions/booking/witness_move.sql
-- A move is recorded only as it happened: with the patient, the doctor, the two slots and the instant
-- of the appointment's last change. Nobody can write a history that never was, or of somebody else.
create or replace function app_private.witness_move() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if not exists (
    select from app_public.appointment
    where appointment.hospital_id = new.hospital_id
      and appointment.id = new.appointment_id
      and appointment.patient_id = new.patient_id
      and appointment.doctor_id = new.doctor_id
      and appointment.rescheduled_from = new.from_slot_id
      and appointment.slot_id = new.to_slot_id
      and appointment.updated_at = new.moved_at)
  then
    perform app_private.refuse('forbidden', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  return new;
end
$$;

comment on function app_private.witness_move() is
  'Trigger: refuses a move that is not the last thing that happened to its appointment.';

revoke execute on function app_private.witness_move() from public;

create or replace trigger appointment_move_is_witnessed
  before insert on app_public.appointment_move
  for each row execute function app_private.witness_move();
--! EndIncluded functions/booking/witness_move.sql

reset role;
