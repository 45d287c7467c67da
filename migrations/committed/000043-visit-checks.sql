--! Previous: sha1:746d583d7e39ec59bb4c8a27eba1bb73968cfc8a
--! Hash: sha1:7e715cbd2b7a93212b0607c01daf747565ae03ed
--! Message: visit-checks

--! split: 1-current.sql
-- Checks of appointments and of what is counted from them, and their repairs.
set local role app_owner;

--! Included functions/booking/count_further_seat.sql
-- A further seat counts in its slot like the first one: by one guarded update when it is taken, and
-- back when it is given up, and is told outside. Only the triggers of appointments write these rows; a repair
-- that removes one (as the owner, whom nobody can log in as) counts the slot anew itself, because it cannot know
-- whether the seat was ever counted.
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
  for each row when (pg_trigger_depth() > 0
    or current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = '')
  execute function app_private.count_further_seat('appointment_seat');
--! EndIncluded functions/booking/count_further_seat.sql
--! Included functions/visits/keep_no_show_counts.sql
-- Counts of missed visits follow the log and nothing else: only a statement run by another trigger
-- (record_no_show, change_patient_status) may change them. A repair counts anew; see keep_counters.
create or replace function app_private.keep_no_show_counts() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform app_private.refuse('counter_is_derived', jsonb_build_object('table', 'patient'));
  return null;
end
$$;

comment on function app_private.keep_no_show_counts() is 'Trigger: refuses a count of missed visits that somebody writes by hand.';

revoke execute on function app_private.keep_no_show_counts() from public;

create or replace trigger patient_starts_without_no_shows
  before insert on app_public.patient
  for each row when (new.no_show_count <> 0 or new.no_shows_forgiven <> 0)
  execute function app_private.keep_no_show_counts();

create or replace trigger patient_counts_follow_the_log
  before update of no_show_count, no_shows_forgiven on app_public.patient
  for each row when (
    pg_trigger_depth() = 0
    and (current_user <> 'app_owner' or coalesce(current_setting('slotkeeper.repair', true), '') = '')
    and (new.no_show_count, new.no_shows_forgiven) is distinct from (old.no_show_count, old.no_shows_forgiven))
  execute function app_private.keep_no_show_counts();
--! EndIncluded functions/visits/keep_no_show_counts.sql
--! Included functions/visits/record_no_show.sql
-- What follows from a missed visit, and from taking that back: the log, the patient's count, the block at
-- the threshold, the messages, all in the transaction that changes the state, whoever changes it. The
-- patient is locked already. A block that the threshold made goes when the count falls below it; one
-- that somebody decided stays, and a patient who was erased meanwhile is not blocked. Whoever takes it back
-- may have begun before it was marked: the clock is that of the transaction's beginning.
create or replace function app_private.record_no_show() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  tenant app_public.hospital;
  missed app_public.patient;
  reaches boolean;
  was_forgiven boolean;
begin
  select * into tenant from app_public.hospital where hospital.id = new.hospital_id;

  if new.status = 'no_show' then
    update app_public.patient
    set no_show_count = patient.no_show_count + 1
    where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
    returning * into missed;
    reaches := missed.status = 'active' and missed.erased_at is null
      and missed.no_show_count - missed.no_shows_forgiven >= tenant.no_show_block_threshold;
    insert into app_public.no_show_log (
      hospital_id, appointment_id, patient_id, doctor_id, reason, comment, slot_starts_at, timeout_minutes,
      status_before, is_slot_released, is_patient_notified, has_blocked_patient, marked_by, marked_at)
    select new.hospital_id, new.id, new.patient_id, new.doctor_id,
      app_private.no_show_reason(app_private.actor_role()),
      nullif(current_setting('slotkeeper.no_show_comment', true), ''), new.starts_at,
      extract(epoch from doctor.slot_duration)::integer / 60,
      old.status, new.starts_at > instant + tenant.rebook_buffer, true, reaches,
      app_private.claim_account_id(), instant
    from app_public.doctor
    where doctor.hospital_id = new.hospital_id and doctor.id = new.doctor_id;
    perform app_private.notify_of_appointment('no_show', 'patient', new);
    if reaches then
      update app_public.patient
      set status = 'blocked', blocked_reason = 'Missed appointments'
      where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
      perform app_private.notify_of_appointment('patient_blocked', 'patient', new);
    end if;
    return null;
  end if;

  update app_public.no_show_log
  set undone_at = greatest(instant, no_show_log.marked_at), undone_by = app_private.claim_account_id(), undo_reason = nullif(current_setting('slotkeeper.undo_reason', true), '')
  where no_show_log.hospital_id = new.hospital_id
    and no_show_log.appointment_id = new.id
    and no_show_log.undone_at is null
  returning no_show_log.is_forgiven into was_forgiven;
  update app_public.patient
  set no_show_count = patient.no_show_count - 1,
      no_shows_forgiven = patient.no_shows_forgiven - was_forgiven::integer
  where patient.hospital_id = new.hospital_id and patient.id = new.patient_id
  returning * into missed;
  if missed.no_show_count - missed.no_shows_forgiven < tenant.no_show_block_threshold
    and exists (
      select from app_public.patient_block
      where patient_block.hospital_id = new.hospital_id
        and patient_block.patient_id = new.patient_id
        and patient_block.unblocked_at is null
        and patient_block.is_automatic)
  then
    update app_public.patient
    set status = 'active'
    where patient.hospital_id = new.hospital_id and patient.id = new.patient_id;
  end if;
  perform app_private.notify_of_appointment('no_show_undone', 'patient', new);
  return null;
end
$$;

comment on function app_private.record_no_show() is
  'Trigger: logs a missed visit, counts it and blocks the patient at the threshold; or takes that back.';

revoke execute on function app_private.record_no_show() from public;

create or replace trigger no_show_is_recorded
  after update of status on app_public.appointment
  for each row when (new.status = 'no_show' and old.status <> 'no_show' or old.status = 'no_show' and new.status <> 'no_show')
  execute function app_private.record_no_show();
--! EndIncluded functions/visits/record_no_show.sql
--! Included functions/visits/return_to_seat.sql
-- A visit that was not missed after all gets its seats back. The rules of booking do not judge it (its
-- time may have passed, the slot may be closed by now, the patient may be blocked because of it); what
-- cannot be is still refused: a seat that somebody else has taken, a full day, a patient who is elsewhere
-- by now. Locks as in every booking: patient, slots, days; the day is that of the slot, which counted it.
create or replace function app_private.return_to_seat(visit app_public.appointment) returns void
language plpgsql
as $$
declare
  slot_ids uuid[] := array[visit.slot_id];
  other_id uuid;
begin
  perform from app_public.patient
  where patient.hospital_id = visit.hospital_id and patient.id = visit.patient_id
  for no key update;
  if visit.service_id is not null then
    slot_ids := slot_ids || coalesce(
      app_private.needed_slots(visit.hospital_id, visit.slot_id, visit.service_id, visit.during), '{}');
  end if;
  perform app_private.expire_lapsed_holds(visit.hospital_id, visit.slot_id, visit.patient_id, slot_ids);
  perform app_private.lock_seats(visit.hospital_id, slot_ids);

  select appointment.id into other_id
  from app_public.appointment
  where appointment.hospital_id = visit.hospital_id
    and appointment.patient_id = visit.patient_id
    and appointment.during && visit.during
    and appointment.holds_seat
  limit 1;
  if other_id is not null then
    perform app_private.refuse('patient_double_booked', jsonb_build_object('appointment_id', other_id));
  end if;
  if exists (
    select from app_public.slot
    where slot.hospital_id = visit.hospital_id and slot.id = any (slot_ids) and slot.withdrawn_at is not null)
  then
    perform app_private.refuse('slot_withdrawn', jsonb_build_object('slot_id', visit.slot_id));
  elsif exists (
    select from app_public.slot
    where slot.hospital_id = visit.hospital_id and slot.id = any (slot_ids) and slot.booked_count >= slot.capacity)
  then
    perform app_private.refuse('seat_no_longer_free', jsonb_build_object('slot_id', visit.slot_id));
  end if;

  update app_public.slot
  set booked_count = booked_count + 1
  where slot.hospital_id = visit.hospital_id and slot.id = visit.slot_id;
  update app_public.doctor_day
  set booked_count = doctor_day.booked_count + 1
  from app_public.hospital
  join app_public.slot on slot.hospital_id = visit.hospital_id and slot.id = visit.slot_id
  where hospital.id = visit.hospital_id
    and doctor_day.hospital_id = visit.hospital_id
    and doctor_day.doctor_id = visit.doctor_id
    and doctor_day.day = (slot.starts_at at time zone hospital.time_zone)::date
    and doctor_day.booked_count < doctor_day.max_patients;
  if not found then
    perform app_private.refuse('daily_limit_reached');
  end if;
end
$$;

comment on function app_private.return_to_seat(app_public.appointment) is
  'Takes the seats of a visit again that had been given back because the patient seemed not to come.';

revoke execute on function app_private.return_to_seat(app_public.appointment) from public;
--! EndIncluded functions/visits/return_to_seat.sql
--! Included functions/visits/admit_vitals.sql
-- Vital signs belong to a patient who has arrived; a correction belongs to the same visit as what it
-- corrects. Who, when, of whom and for which doctor is never the client's to say. The appointment learns
-- of the first ones, which ends the wait for them, at no time before the arrival: whoever waited for it began
-- earlier.
create or replace function app_private.admit_vitals() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  instant timestamptz := app_private.clock();
  visit app_public.appointment;
begin
  perform app_private.guard_tenant(actor, new.hospital_id);
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id
  for no key update;
  if visit.id is null then
    perform app_private.refuse('appointment_not_found', jsonb_build_object('appointment_id', new.appointment_id));
  end if;
  perform app_private.guard_own_slot(visit.doctor_id);
  if visit.status not in ('checked_in', 'in_progress')
    and not (visit.status = 'completed' and new.corrects is not null)
  then
    perform app_private.refuse('patient_not_checked_in', jsonb_build_object('status', visit.status));
  end if;
  if new.corrects is not null and not exists (
    select from app_public.vitals_entry
    where vitals_entry.hospital_id = new.hospital_id
      and vitals_entry.id = new.corrects
      and vitals_entry.appointment_id = new.appointment_id
      and not exists (
        select from app_public.vitals_entry as later
        where later.hospital_id = new.hospital_id and later.corrects = new.corrects))
  then
    perform app_private.refuse('vitals_not_found', jsonb_build_object('vitals_entry_id', new.corrects));
  end if;

  new.patient_id := visit.patient_id;
  new.doctor_id := visit.doctor_id;
  new.recorded_by := app_private.claim_account_id();
  new.recorded_at := instant;
  if visit.vitals_recorded_at is null then
    update app_public.appointment
    set vitals_recorded_at = greatest(instant, visit.checked_in_at), updated_at = instant
    where appointment.hospital_id = new.hospital_id and appointment.id = new.appointment_id;
  end if;
  return new;
end
$$;

comment on function app_private.admit_vitals() is
  'Trigger: takes vital signs of a patient who has arrived, or refuses them.';

revoke execute on function app_private.admit_vitals() from public;

create or replace trigger vitals_are_admitted
  before insert on app_public.vitals_entry
  for each row execute function app_private.admit_vitals();
--! EndIncluded functions/visits/admit_vitals.sql
--! Included functions/visits/guard_consultation.sql
-- What may change in a consultation, for every client: nothing once it has ended, but for the redaction of
-- an erased person; before that, its doctor writes. Completing asks for everything that is missing at
-- once, in the same statement that completes. Two who write at once come in turn at the row, and the
-- second sees what the first has left, also that it ended; having begun earlier, it still ends later.
create or replace function app_private.guard_consultation() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  missing text[];
begin
  perform app_private.guard_tenant(actor, old.hospital_id);
  if old.status in ('completed', 'abandoned') then
    if to_jsonb(new) = app_private.redacted_state('consultation', to_jsonb(old)) and exists (
        select from app_public.patient
        where patient.hospital_id = old.hospital_id and patient.id = old.patient_id and patient.erased_at is not null)
    then
      return new;
    end if;
    perform app_private.refuse('consultation_is_final',
      jsonb_build_object('consultation_id', old.id, 'status', old.status));
  end if;
  if actor <> 'operator' and (actor <> 'doctor' or old.doctor_id is distinct from app_private.claim_doctor_id()) then
    perform app_private.refuse('forbidden', jsonb_build_object('consultation_id', old.id));
  end if;

  if new.status = 'completed' then
    missing := array_remove(array[
      case when new.chief_complaint is null then 'chief_complaint' end,
      case when cardinality(new.diagnosis) = 0 then 'diagnosis' end], null);
    if cardinality(missing) > 0 then
      perform app_private.refuse('consultation_incomplete',
        jsonb_build_object('consultation_id', old.id, 'missing', missing));
    end if;
  elsif new.status <> 'abandoned' then
    new.status := 'in_progress';
  end if;
  new.updated_at := greatest(app_private.clock(), old.updated_at);
  new.ended_at := case when new.status in ('completed', 'abandoned') then new.updated_at end;
  return new;
end
$$;

comment on function app_private.guard_consultation() is
  'Trigger: lets the doctor of an open consultation change, complete and abandon it.';

revoke execute on function app_private.guard_consultation() from public;

create or replace trigger consultation_is_kept_once_it_ended
  before update on app_public.consultation
  for each row execute function app_private.guard_consultation();
--! EndIncluded functions/visits/guard_consultation.sql
--! Included functions/health/repair_stale_appointment.sql
-- What the sweeps would have done, by the same state machine: a request whose time has come expires; who did not
-- come is missed, within the hospital's own hours and no longer ago than the sweep looks back. What is older,
-- and who was checked in, is a question for people. The appointment is locked first; what it changes (patient,
-- slots, day) is locked in its order by the triggers.
-- Definer, because locking needs rights that the worker lacks.
create or replace function app_private.repair_stale_appointment(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  visit app_public.appointment;
  tenant app_public.hospital;
  local_time time;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = finding.hospital_id and appointment.id = finding.entity_id
  for no key update;
  if not exists (
    select from checks.stale_active_appointment as found
    where found.hospital_id = finding.hospital_id and found.entity_id = finding.entity_id)
  then
    return format('Nothing to do: the appointment is %s.', coalesce(visit.status::text, 'gone'));
  end if;

  if visit.status = 'requested' then
    update app_public.appointment
    set status = 'expired'
    where appointment.hospital_id = visit.hospital_id and appointment.id = visit.id;
    return 'The request has expired.';
  elsif visit.status not in ('scheduled', 'confirmed') or visit.starts_at <= instant - interval '2 days' then
    return null;
  end if;

  select * into tenant from app_public.hospital where hospital.id = visit.hospital_id;
  local_time := (instant at time zone tenant.time_zone)::time;
  if local_time < tenant.no_show_window_start or local_time >= tenant.no_show_window_end then
    return format('Nothing to do yet: the hospital marks missed visits from %s to %s.',
      tenant.no_show_window_start, tenant.no_show_window_end);
  end if;
  update app_public.appointment
  set status = 'no_show'
  where appointment.hospital_id = visit.hospital_id and appointment.id = visit.id;
  return 'The visit is marked as missed.';
end
$$;

comment on function app_private.repair_stale_appointment(app_public.finding) is
  'Ends an appointment that no sweep has ended, as the sweep would; null where people have to decide.';

revoke execute on function app_private.repair_stale_appointment(app_public.finding) from public;
--! EndIncluded functions/health/repair_stale_appointment.sql
--! Included functions/health/repair_lapsed_hold.sql
-- The seat goes back as the sweeper gives it back: the hold expires, and the offer of the waitlist with it. A hold
-- that may still be confirmed, because its end lies ahead though its visit has begun, is for people.
-- Definer, because locking needs rights that the worker lacks.
create or replace function app_private.repair_lapsed_hold(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  hold app_public.appointment;
begin
  select * into hold
  from app_public.appointment
  where appointment.hospital_id = finding.hospital_id and appointment.id = finding.entity_id
  for no key update;
  if not exists (
    select from checks.lapsed_hold as found
    where found.hospital_id = finding.hospital_id and found.entity_id = finding.entity_id)
  then
    return format('Nothing to do: the appointment is %s.', coalesce(hold.status::text, 'gone'));
  elsif hold.held_until > app_private.clock() then
    return null;
  end if;
  update app_public.appointment
  set status = 'expired'
  where appointment.hospital_id = hold.hospital_id and appointment.id = hold.id;
  return 'The hold has expired, and its seat is free.';
end
$$;

comment on function app_private.repair_lapsed_hold(app_public.finding) is
  'Expires a hold that has lapsed and gives its seat back; null where people have to decide.';

revoke execute on function app_private.repair_lapsed_hold(app_public.finding) from public;
--! EndIncluded functions/health/repair_lapsed_hold.sql
--! Included functions/health/repair_further_seat.sql
-- The appointment is locked first, then the slot, as in every booking; so an appointment that gets its seat back
-- at this moment is finished, and seen. The row goes without counting back, because nobody knows whether it was
-- ever counted: the slot is counted anew.
-- Definer, because nobody may write these rows.
create or replace function app_private.repair_further_seat(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  further_slot_id uuid := (finding.metadata ->> 'slot_id')::uuid;
  recount app_public.finding := finding;
begin
  perform from app_public.appointment
  where appointment.hospital_id = finding.hospital_id and appointment.id = finding.entity_id
  for no key update;
  perform app_private.lock_seats(finding.hospital_id, array[further_slot_id]);
  delete from app_public.appointment_seat
  where appointment_seat.hospital_id = finding.hospital_id
    and appointment_seat.appointment_id = finding.entity_id
    and appointment_seat.slot_id = further_slot_id
    and not exists (
      select from app_public.appointment
      where appointment.hospital_id = finding.hospital_id
        and appointment.id = finding.entity_id
        and appointment.holds_seat);
  if not found then
    return 'Nothing to do: the appointment holds no such seat, or holds it rightly.';
  end if;
  perform app_private.record_repair(finding.hospital_id, 'appointment_seat', finding.entity_id,
    jsonb_build_object('slot_id', further_slot_id), jsonb_build_object('slot_id', null));
  recount.entity_type := 'slot';
  recount.entity_id := further_slot_id;
  return concat_ws(' ', 'The seat is given back.', app_private.repair_slot_count(recount));
end
$$;

comment on function app_private.repair_further_seat(app_public.finding) is
  'Gives back a further seat of an appointment that holds none, and counts its slot anew.';

revoke execute on function app_private.repair_further_seat(app_public.finding) from public;
--! EndIncluded functions/health/repair_further_seat.sql
--! Included functions/health/repair_waitlist_offer.sql
-- What the triggers would have written: an offer whose hold has ended is decided as its appointment was, and a
-- place that waits for no open offer follows its last one. The appointment is locked before the offer and the
-- place on the waitlist last, as in an answer. Anything else contradicts itself, and is for people.
-- Definer, because nobody may write offers.
create or replace function app_private.repair_waitlist_offer(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  visit app_public.appointment;
  last_outcome app_public.offer_outcome;
begin
  select * into visit
  from app_public.appointment
  where appointment.hospital_id = finding.hospital_id
    and appointment.id = (finding.metadata ->> 'appointment_id')::uuid
  for no key update;
  if not exists (
    select from checks.waitlist_offer_mismatch as found
    where found.hospital_id = finding.hospital_id
      and found.entity_id = finding.entity_id
      and found.cache_key = finding.cache_key)
  then
    return 'Nothing to do: the offer and its appointment agree.';
  end if;

  if visit.id is not null then
    if visit.status = 'held' then
      return null;
    end if;
    update app_public.waitlist_offer
    set outcome = case visit.status
        when 'cancelled' then 'declined'
        when 'expired' then 'lapsed'
        else 'accepted'
      end::app_public.offer_outcome
    where waitlist_offer.hospital_id = finding.hospital_id
      and waitlist_offer.appointment_id = visit.id
      and waitlist_offer.outcome = 'open';
    return case when found then 'The offer is decided as its appointment was.' end;
  end if;

  select waitlist_offer.outcome into last_outcome
  from app_public.waitlist_offer
  where waitlist_offer.hospital_id = finding.hospital_id and waitlist_offer.entry_id = finding.entity_id
  order by waitlist_offer.decided_at desc, waitlist_offer.id desc
  limit 1;
  if not found then
    return null;
  end if;
  update app_public.waitlist_entry
  set status = case last_outcome when 'accepted' then 'booked' else 'waiting' end::app_public.waitlist_status
  where waitlist_entry.hospital_id = finding.hospital_id
    and waitlist_entry.id = finding.entity_id
    and waitlist_entry.status = 'offered';
  return 'The place on the waitlist follows its last offer.';
end
$$;

comment on function app_private.repair_waitlist_offer(app_public.finding) is
  'Decides an open offer as its appointment was, or lets a place on the waitlist follow its last offer; null where people have to decide.';

revoke execute on function app_private.repair_waitlist_offer(app_public.finding) from public;
--! EndIncluded functions/health/repair_waitlist_offer.sql
--! Included functions/health/repair_slot_status.sql
-- A generated column is computed whenever its row is written. It changes nothing else, and a booking waits for it
-- no longer than for another booking.
-- Definer, because nobody may write slots so.
create or replace function app_private.repair_slot_status(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  before app_public.slot_status;
  after app_public.slot_status;
begin
  select slot.status into before
  from app_public.slot
  where slot.hospital_id = finding.hospital_id and slot.id = finding.entity_id
  for no key update;
  update app_public.slot
  set capacity = slot.capacity
  where slot.hospital_id = finding.hospital_id and slot.id = finding.entity_id
  returning slot.status into after;
  if before is not distinct from after then
    return case when not exists (
        select from checks.full_slot_not_marked as found
        where found.hospital_id = finding.hospital_id and found.entity_id = finding.entity_id)
      then format('Nothing to do: the slot is %s.', coalesce(after::text, 'gone')) end;
  end if;
  perform app_private.record_repair(finding.hospital_id, 'slot', finding.entity_id,
    jsonb_build_object('status', before), jsonb_build_object('status', after));
  return format('The slot was %s and is %s.', before, after);
end
$$;

comment on function app_private.repair_slot_status(app_public.finding) is
  'Writes a slot anew, so that its status is computed; null where that does not help.';

revoke execute on function app_private.repair_slot_status(app_public.finding) from public;
--! EndIncluded functions/health/repair_slot_status.sql
--! Included functions/health/repair_doctor_day.sql
-- The day is the last lock of every booking and held until its end: whoever has it sees each appointment that the
-- day has counted, and none that waits to count. A day that would come out fuller than it may be is closed at
-- its limit, so that nobody else is booked, and left to people.
-- Definer, because nobody may write days.
create or replace function app_private.repair_doctor_day(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  counted_day date := (finding.metadata ->> 'day')::date;
  before app_public.doctor_day;
  seated integer;
begin
  insert into app_public.doctor_day (hospital_id, doctor_id, day, max_patients)
  select doctor.hospital_id, doctor.id, counted_day, doctor.max_patients_per_day
  from app_public.doctor
  where doctor.hospital_id = finding.hospital_id and doctor.id = finding.entity_id
  on conflict do nothing;
  select * into before
  from app_public.doctor_day
  where doctor_day.hospital_id = finding.hospital_id
    and doctor_day.doctor_id = finding.entity_id
    and doctor_day.day = counted_day
  for no key update;
  if not found then
    return 'Nothing to do: the doctor is gone.';
  end if;

  select count(*) into seated
  from app_public.appointment
  join app_public.hospital on hospital.id = finding.hospital_id
  left join app_public.slot on slot.hospital_id = finding.hospital_id and slot.id = appointment.slot_id
  where appointment.hospital_id = finding.hospital_id
    and appointment.doctor_id = finding.entity_id
    and appointment.holds_seat
    and (coalesce(slot.starts_at, appointment.starts_at) at time zone hospital.time_zone)::date = counted_day;
  if before.booked_count <> least(seated, before.max_patients) then
    update app_public.doctor_day
    set booked_count = least(seated, before.max_patients)
    where doctor_day.hospital_id = finding.hospital_id
      and doctor_day.doctor_id = finding.entity_id
      and doctor_day.day = counted_day;
    perform app_private.record_repair(finding.hospital_id, 'doctor_day', finding.entity_id,
      jsonb_build_object('day', counted_day, 'booked_count', before.booked_count),
      jsonb_build_object('day', counted_day, 'booked_count', least(seated, before.max_patients)));
  elsif seated <= before.max_patients then
    return format('Nothing to do: the day counts %s.', seated);
  end if;
  return case when seated <= before.max_patients
    then format('The day counted %s and counts %s.', before.booked_count, seated) end;
end
$$;

comment on function app_private.repair_doctor_day(app_public.finding) is
  'Counts the day of a doctor anew; null where there are more patients than the day may hold.';

revoke execute on function app_private.repair_doctor_day(app_public.finding) from public;
--! EndIncluded functions/health/repair_doctor_day.sql
--! Included functions/health/repair_no_show_counts.sql
-- The patient is locked by whoever changes the log, until its end: who has the patient sees all of the log. It
-- counts and decides nothing: whether the patient is blocked stays as it is.
-- Definer, because nobody may write these counts.
create or replace function app_private.repair_no_show_counts(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  logged record;
begin
  perform from app_public.patient
  where patient.hospital_id = finding.hospital_id and patient.id = finding.entity_id
  for no key update;
  select count(*)::integer as missed, (count(*) filter (where no_show_log.is_forgiven))::integer as forgiven into logged
  from app_public.no_show_log
  where no_show_log.hospital_id = finding.hospital_id
    and no_show_log.patient_id = finding.entity_id
    and no_show_log.undone_at is null;
  update app_public.patient
  set no_show_count = logged.missed, no_shows_forgiven = logged.forgiven
  where patient.hospital_id = finding.hospital_id
    and patient.id = finding.entity_id
    and (patient.no_show_count <> logged.missed or patient.no_shows_forgiven <> logged.forgiven);
  if not found then
    return 'Nothing to do: the patient''s missed visits are counted rightly.';
  end if;
  return format('The patient counts %s missed visits now, %s of them forgiven.', logged.missed, logged.forgiven);
end
$$;

comment on function app_private.repair_no_show_counts(app_public.finding) is
  'Counts the missed visits of a patient anew, from the log.';

revoke execute on function app_private.repair_no_show_counts(app_public.finding) from public;
--! EndIncluded functions/health/repair_no_show_counts.sql
--! Included functions/health/repair_patient_block.sql
-- A block that stands is written down, as decided by somebody, so that no count lifts it by itself. An open block
-- of a patient who is not blocked is for people: one of the two was wanted, and nobody knows which.
-- Definer, because nobody may write into the log of blocks.
create or replace function app_private.repair_patient_block(finding app_public.finding) returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  blocked app_public.patient;
begin
  select * into blocked
  from app_public.patient
  where patient.hospital_id = finding.hospital_id and patient.id = finding.entity_id
  for no key update;
  if not exists (
    select from checks.patient_block_mismatch as found
    where found.hospital_id = finding.hospital_id
      and found.entity_id = finding.entity_id
      and found.cache_key = finding.cache_key)
  then
    return 'Nothing to do: the patient and the record of blocks agree.';
  elsif blocked.status <> 'blocked' then
    return null;
  end if;
  perform set_config('slotkeeper.housekeeping', 'on', true);
  insert into app_public.patient_block (hospital_id, patient_id, reason, is_automatic, blocked_at)
  values (
    blocked.hospital_id, blocked.id, coalesce(blocked.blocked_reason, 'Not written down'), false,
    coalesce(blocked.blocked_at, app_private.clock()));
  perform set_config('slotkeeper.housekeeping', '', true);
  perform app_private.record_repair(blocked.hospital_id, 'patient_block', blocked.id, '{}',
    jsonb_build_object('blocked_at', blocked.blocked_at));
  return 'The block of the patient is written down.';
end
$$;

comment on function app_private.repair_patient_block(app_public.finding) is
  'Writes down the block of a patient who is blocked; null where people have to decide.';

revoke execute on function app_private.repair_patient_block(app_public.finding) from public;
--! EndIncluded functions/health/repair_patient_block.sql
--! Included checks/appointments/active_appointment_on_available_slot.sql
-- The lost update of a booking that reads, decides and writes: the appointment is there and the slot does
-- not know. Only slots that say available are counted, and of those only such with room for more than one, so
-- that a full run counts next to nothing.
create or replace view checks.active_appointment_on_available_slot as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The appointment is %s in a slot whose %s, but the slot still says that it is available.', broken.status,
    case broken.capacity when 1 then 'only seat is taken' else broken.capacity || ' seats are taken' end) as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'status', broken.status,
    'starts_at', broken.starts_at,
    'capacity', broken.capacity,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.slot_id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.status, appointment.starts_at, slot.id as slot_id,
    slot.doctor_id, slot.capacity, slot.booked_count
  from app_public.appointment
  join app_public.slot on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
  where appointment.holds_seat
    and slot.status = 'available'
    and (slot.capacity = 1 or slot.capacity <= (
      select count(*)
      from (
        select from app_public.appointment as sitting
        where sitting.hospital_id = slot.hospital_id and sitting.slot_id = slot.id and sitting.holds_seat
        union all
        select from app_public.appointment_seat as further
        join app_public.appointment as visit
          on visit.hospital_id = further.hospital_id and visit.id = further.appointment_id
        where further.hospital_id = slot.hospital_id and further.slot_id = slot.id and visit.holds_seat
      ) as seat))
) as broken
join app_public.health_check as entry on entry.name = 'active_appointment_on_available_slot';

comment on view checks.active_appointment_on_available_slot is 'Appointments in a slot that is full by its appointments, but still says that it is available.';
revoke all on checks.active_appointment_on_available_slot from public;
grant select on checks.active_appointment_on_available_slot to app_monitor;

select app_private.declare_check(
  name => 'active_appointment_on_available_slot', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'Booked, but the slot is still available',
  meaning => 'The slot is full by the appointments in it, but its count says that there is room. Its count was lost when the appointment was written: a statement ran past the triggers, or a backup was restored in part.',
  importance => 'The next patient is offered the same seat and gets it: the classical double booking.',
  resolution => 'The slot is counted anew by itself (repair_slot_count). If that failed, block the slot with block_slot until somebody has compared select * from app_public.appointment where slot_id = … with the slot, and look whether the triggers of appointment and slot are enabled (missing_guard).',
  repair => 'repair_slot_count',
  is_event_driven => true);
--! EndIncluded checks/appointments/active_appointment_on_available_slot.sql
--! Included checks/appointments/appointment_of_missing_or_inactive_party.sql
-- Nobody leaves while appointments are ahead (guard_doctor_leave, guard_patient_leave), so only what is still to
-- come is looked at for people who left: visits of the past stay with them. A doctor who is unavailable for a
-- while may have a visit back that was taken for missed, a closed place keeps its appointments, a blocked
-- patient too, and who made the appointment may have left: there only a missing row is wrong. Rows are outer-joined one by one, each by its key.
create or replace view checks.appointment_of_missing_or_inactive_party as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The appointment is %s, but: %s.', broken.status, replace(replace(broken.problems, '+', ', '), '_', ' ')) as detail,
  jsonb_build_object(
    'problems', to_jsonb(string_to_array(broken.problems, '+')),
    'status', broken.status,
    'starts_at', broken.starts_at,
    'doctor_id', broken.doctor_id,
    'patient_id', broken.patient_id,
    'location_id', broken.location_id,
    'created_by', broken.created_by,
    'slot_id', broken.slot_id) as metadata,
  concat_ws(':', entry.name, broken.id, broken.problems) as cache_key
from (
  select party.*
  from (
    select appointment.hospital_id, appointment.id, appointment.status, appointment.starts_at, appointment.doctor_id,
      appointment.patient_id, appointment.location_id, appointment.created_by, appointment.slot_id,
      concat_ws('+',
        case
          when doctor.id is null then 'doctor_missing'
          when ahead.is_ahead and not doctor.is_active then 'doctor_inactive' end,
        case
          when patient.id is null then 'patient_missing'
          when ahead.is_ahead and patient.erased_at is not null then 'patient_erased'
          when ahead.is_ahead and not patient.is_active then 'patient_inactive' end,
        case when appointment.location_id is not null and location.id is null then 'location_missing' end,
        case when appointment.created_by is not null and account.id is null then 'account_missing' end) as problems
    from app_public.appointment
    left join app_public.doctor
      on doctor.hospital_id = appointment.hospital_id and doctor.id = appointment.doctor_id
    left join app_public.patient
      on patient.hospital_id = appointment.hospital_id and patient.id = appointment.patient_id
    left join app_public.location
      on location.hospital_id = appointment.hospital_id and location.id = appointment.location_id
    left join app_public.account
      on account.hospital_id = appointment.hospital_id and account.id = appointment.created_by
    cross join lateral (
      select (appointment.holds_seat or appointment.status = 'requested')
        and appointment.starts_at > (select app_private.clock())
        and (appointment.status <> 'held' or appointment.held_until > (select app_private.clock())) as is_ahead
    ) as ahead
    where doctor.id is null or patient.id is null
      or appointment.location_id is not null and location.id is null
      or appointment.created_by is not null and account.id is null
      or ahead.is_ahead and not (doctor.is_active and patient.is_active and patient.erased_at is null)
  ) as party
) as broken
join app_public.health_check as entry on entry.name = 'appointment_of_missing_or_inactive_party';

comment on view checks.appointment_of_missing_or_inactive_party is 'Appointments whose doctor, patient, place or account does not exist, and upcoming ones with a doctor or of a patient who has left.';
revoke all on checks.appointment_of_missing_or_inactive_party from public;
grant select on checks.appointment_of_missing_or_inactive_party to app_monitor;

select app_private.declare_check(
  name => 'appointment_of_missing_or_inactive_party', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'Appointment with somebody who is not there',
  meaning => 'The appointment names a doctor, patient, place or account that does not exist, or it is still to come and its doctor or patient has left. metadata.problems says which.',
  importance => 'The patient will come to nobody, or the doctor waits for nobody.',
  resolution => 'If the doctor has left, move the appointment to another doctor (preview_doctor_availability tells who could take it) or cancel it; if the patient has left, cancel it. If a row is missing, restore it from the backup: orphaned_row lists everything that refers to it. Reactivate who was deactivated by mistake.',
  remedy => 'review',
  is_event_driven => true);
--! EndIncluded checks/appointments/appointment_of_missing_or_inactive_party.sql
--! Included checks/appointments/appointment_without_slot.sql
-- A request has no slot yet, and one that was cancelled or expired may never have had one; everything else was
-- in a slot once, and the foreign key keeps the slot as long as the appointment names it.
create or replace view checks.appointment_without_slot as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case when broken.slot_id is null
    then format('The appointment is %s, but is in no slot.', broken.status)
    else format('The appointment is %s in a slot that does not exist.', broken.status) end as detail,
  jsonb_build_object(
    'status', broken.status,
    'starts_at', broken.starts_at,
    'doctor_id', broken.doctor_id,
    'slot_id', broken.slot_id) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.status,
    appointment.starts_at
  from app_public.appointment
  left join app_public.slot
    on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
  where slot.id is null
    and (appointment.slot_id is not null or appointment.status not in ('requested', 'cancelled', 'expired'))
) as broken
join app_public.health_check as entry on entry.name = 'appointment_without_slot';

comment on view checks.appointment_without_slot is 'Appointments that need a slot and have none, or name one that does not exist.';
revoke all on checks.appointment_without_slot from public;
grant select on checks.appointment_without_slot to app_monitor;

select app_private.declare_check(
  name => 'appointment_without_slot', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'Appointment without a slot',
  meaning => 'The appointment holds or held a seat, but names no slot, or a slot that is not there. Something has deleted the slot, or written the appointment, past the foreign key: a restore, a hand with rights, a switched-off trigger.',
  importance => 'Nobody holds this time free for the patient: somebody else can be booked at the same time, and the doctor''s calendar may not show the visit at all.',
  resolution => 'Look at the history of the appointment (audit_entry with its record_id) for the slot that it was in. If it is still to come, move it with reschedule_appointment into a free slot, or cancel it with cancel_appointment and call the patient. If it is over, restore the slot from the backup, or book the truth by hand and write down why. Then run missing_guard: the foreign key appointment_in_a_slot must be there and valid.',
  remedy => 'review',
  is_event_driven => true);
--! EndIncluded checks/appointments/appointment_without_slot.sql
--! Included checks/appointments/delivery_to_somebody_else.sql
-- A delivery says again for whom its notification is, so that people can be shown their own. Read from the
-- delivery by the key of its notification.
create or replace view checks.delivery_to_somebody_else as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('A delivery by %s (%s) is for somebody else than its notification (%s).', broken.channel, broken.status, broken.event) as detail,
  jsonb_build_object(
    'notification_id', broken.notification_id,
    'appointment_id', broken.appointment_id,
    'channel', broken.channel,
    'status', broken.status,
    'event', broken.event) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select delivery.hospital_id, delivery.id, delivery.notification_id, delivery.channel, delivery.status,
    notification.event, notification.appointment_id
  from app_public.notification_delivery as delivery
  join app_public.notification
    on notification.hospital_id = delivery.hospital_id and notification.id = delivery.notification_id
  where delivery.patient_id is distinct from notification.patient_id
    or delivery.doctor_id is distinct from notification.doctor_id
    or delivery.account_id is distinct from notification.account_id
) as broken
join app_public.health_check as entry on entry.name = 'delivery_to_somebody_else';

comment on view checks.delivery_to_somebody_else is 'Deliveries that are for somebody else than their notification.';
revoke all on checks.delivery_to_somebody_else from public;
grant select on checks.delivery_to_somebody_else to app_monitor;

select app_private.declare_check(
  name => 'delivery_to_somebody_else', domain => 'appointments', severity => 'critical', entity_type => 'notification_delivery',
  title => 'A message for one person goes to another',
  meaning => 'notification_delivery names another patient, doctor or account than the notification that it delivers. One of the two was changed by hand.',
  importance => 'Somebody may read what is about another patient: a breach that has to be reported.',
  resolution => 'If it is pending, keep it from going out first: update app_public.notification_delivery set status = ''skipped'' as an operator. If it was sent, tell whoever answers for privacy in the hospital. Then find out who wrote it: the database''s log, and pg_stat_activity.',
  remedy => 'review',
  is_event_driven => false);
--! EndIncluded checks/appointments/delivery_to_somebody_else.sql
--! Included checks/appointments/duplicate_appointment.sql
-- The exclusion constraints of appointment forbid both kinds. Each of the two is named, so that whoever looks
-- at one of them is told. Twice on one day, in different slots, is two visits.
create or replace view checks.duplicate_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The patient has another appointment (%s) with the same doctor in the same slot or at the same time.', broken.other_status) as detail,
  jsonb_build_object(
    'other_appointment_id', broken.other_id,
    'patient_id', broken.patient_id,
    'doctor_id', broken.doctor_id,
    'slot_id', broken.slot_id,
    'status', broken.status,
    'starts_at', broken.starts_at) as metadata,
  concat_ws(':', entry.name, broken.id, broken.other_id) as cache_key
from (
  select one.hospital_id, one.id, other.id as other_id, one.patient_id, one.doctor_id, one.slot_id, one.status,
    other.status as other_status, one.starts_at
  from app_public.appointment as one
  join app_public.appointment as other
    on other.hospital_id = one.hospital_id
    and other.patient_id = one.patient_id
    and other.doctor_id = one.doctor_id
    and other.id <> one.id
    and (other.slot_id = one.slot_id or other.starts_at = one.starts_at)
  where one.holds_seat and other.holds_seat
  union all
  select one.hospital_id, one.id, other.id, one.patient_id, one.doctor_id, one.slot_id, one.status, other.status, one.starts_at
  from app_public.appointment as one
  join app_public.appointment as other
    on other.hospital_id = one.hospital_id
    and other.patient_id = one.patient_id
    and other.doctor_id = one.doctor_id
    and other.id <> one.id
    and (other.slot_id = one.slot_id or other.starts_at = one.starts_at)
  where one.status = 'requested' and other.status = 'requested'
) as broken
join app_public.health_check as entry on entry.name = 'duplicate_appointment';

comment on view checks.duplicate_appointment is 'Active appointments of one patient with one doctor in the same slot or at the same time.';
revoke all on checks.duplicate_appointment from public;
grant select on checks.duplicate_appointment to app_monitor;

select app_private.declare_check(
  name => 'duplicate_appointment', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'The same appointment twice',
  meaning => 'A patient has two active appointments with the same doctor in the same slot or at the same time: one of them is a copy. A request was carried out twice past its idempotency key, or rows were imported past the constraints.',
  importance => 'The copy takes a seat from somebody else, is reminded of twice, and one of the two will count as a missed visit of a patient who came.',
  resolution => 'Keep the one that the patient was told of (it has notifications; look at created_at and source) and cancel the other with cancel_appointment. Then check that a_patient_is_in_one_place_at_a_time and a_patient_asks_a_doctor_once_for_a_time are there (missing_guard).',
  remedy => 'review',
  is_event_driven => true);
--! EndIncluded checks/appointments/duplicate_appointment.sql
--! Included checks/appointments/further_seat_of_inactive_appointment.sql
-- The further seats of a long visit come and go with it, so that a row of appointment_seat belongs to an
-- appointment that holds a seat. Read by the appointment, because that is what changes.
create or replace view checks.further_seat_of_inactive_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.appointment_id as entity_id,
  case when broken.status is null then 'A further seat is held by an appointment that does not exist.'
    else format('A further seat is held by an appointment that is %s.', broken.status) end as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'status', broken.status) as metadata,
  concat_ws(':', entry.name, broken.appointment_id, broken.slot_id) as cache_key
from (
  select seat.hospital_id, seat.appointment_id, seat.slot_id, seat.doctor_id, appointment.status
  from app_public.appointment_seat as seat
  left join app_public.appointment
    on appointment.hospital_id = seat.hospital_id and appointment.id = seat.appointment_id
  where appointment.holds_seat is not true
) as broken
join app_public.health_check as entry on entry.name = 'further_seat_of_inactive_appointment';

comment on view checks.further_seat_of_inactive_appointment is 'Further seats of appointments that hold no seat, or do not exist.';
revoke all on checks.further_seat_of_inactive_appointment from public;
grant select on checks.further_seat_of_inactive_appointment to app_monitor;

select app_private.declare_check(
  name => 'further_seat_of_inactive_appointment', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'A long visit is over and keeps a further seat',
  meaning => 'A visit that took more than one slot has ended or was never there, but still holds one of its further seats.',
  importance => 'The slot cannot be booked, though nobody comes.',
  resolution => 'The seat is given back and its slot counted anew by itself (repair_further_seat). If it comes back, look at the triggers of appointment and appointment_seat (missing_guard).',
  repair => 'repair_further_seat',
  is_event_driven => true);
--! EndIncluded checks/appointments/further_seat_of_inactive_appointment.sql
--! Included checks/appointments/lapsed_hold.sql
-- The sweeper ends lapsed holds every minute, and whoever needs the seat before: ten minutes later nobody
-- has. A hold always has an end, and never one after the visit has begun.
create or replace view checks.lapsed_hold as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case when broken.held_until is null then 'The seat is held without an end.'
    else format('The seat is still held, though its hold ended at %s.',
      to_char(least(broken.held_until, broken.starts_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')) end as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'patient_id', broken.patient_id,
    'held_until', broken.held_until,
    'starts_at', broken.starts_at) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.patient_id,
    appointment.held_until, appointment.starts_at
  from app_public.appointment
  where appointment.status = 'held'
    and (appointment.held_until is null
      or appointment.held_until < (select app_private.clock()) - interval '10 minutes'
      or appointment.starts_at < (select app_private.clock()) - interval '10 minutes')
) as broken
join app_public.health_check as entry on entry.name = 'lapsed_hold';

comment on view checks.lapsed_hold is 'Holds that ended more than ten minutes ago, or never end.';
revoke all on checks.lapsed_hold from public;
grant select on checks.lapsed_hold to app_monitor;

select app_private.declare_check(
  name => 'lapsed_hold', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'A hold that does not end',
  meaning => 'A seat is held for a patient who has not confirmed in time, and no sweep has given it back.',
  importance => 'The seat looks taken in every list of free slots. A booking that asks for it takes it all the same, but nobody asks for what looks taken.',
  resolution => 'It expires by itself (repair_lapsed_hold), with its offer of the waitlist. If there are many, look at cron_health: sweep_lapsed_holds must have run in the last minutes.',
  repair => 'repair_lapsed_hold',
  is_event_driven => false);
--! EndIncluded checks/appointments/lapsed_hold.sql
--! Included checks/appointments/no_show_log_mismatch.sql
-- A missed visit has one standing row of the log, and no other has one. Both directions start at an index of
-- their own. Rows of the log of archived visits have no appointment any more and are not looked at: the archive
-- is append-only.
create or replace view checks.no_show_log_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.appointment_id as entity_id,
  case when broken.log_id is null then 'The visit counts as missed, but the log of missed visits does not have it.'
    else format('The log says that the visit was missed, but it is %s.', broken.status) end as detail,
  jsonb_build_object(
    'log_id', broken.log_id,
    'status', broken.status,
    'starts_at', broken.starts_at,
    'patient_id', broken.patient_id,
    'doctor_id', broken.doctor_id) as metadata,
  concat_ws(':', entry.name, broken.appointment_id, broken.log_id) as cache_key
from (
  select missed.hospital_id, missed.id as appointment_id, missed.patient_id, missed.doctor_id, missed.status,
    missed.starts_at, null::uuid as log_id
  from app_public.appointment as missed
  left join app_public.no_show_log as log
    on log.hospital_id = missed.hospital_id and log.appointment_id = missed.id and log.undone_at is null
  where missed.status = 'no_show' and log.id is null
  union all
  select log.hospital_id, log.appointment_id, log.patient_id, log.doctor_id, visit.status, visit.starts_at, log.id
  from app_public.no_show_log as log
  join app_public.appointment as visit
    on visit.hospital_id = log.hospital_id and visit.id = log.appointment_id
  where log.undone_at is null and visit.status <> 'no_show'
) as broken
join app_public.health_check as entry on entry.name = 'no_show_log_mismatch';

comment on view checks.no_show_log_mismatch is 'Missed visits without a standing row of the log, and standing rows of visits that were not missed.';
revoke all on checks.no_show_log_mismatch from public;
grant select on checks.no_show_log_mismatch to app_monitor;

select app_private.declare_check(
  name => 'no_show_log_mismatch', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'A missed visit and the log disagree',
  meaning => 'A visit is marked as missed without a standing row in no_show_log, or the log still says missed of a visit that took place. State and log are written in one transaction, so one of them was written past the triggers.',
  importance => 'The log decides how many visits a patient has missed, and so who is blocked; what it does not know cannot be undone by undo_no_show.',
  resolution => 'Find out what happened: the history of the appointment and the staff who were there. If the patient came, complete the visit or undo the no-show; if not, the log needs its row. Correct the one that is wrong as an operator, then let patient_no_show_count_mismatch count the patient anew.',
  remedy => 'review',
  is_event_driven => true);
--! EndIncluded checks/appointments/no_show_log_mismatch.sql
--! Included checks/appointments/open_consultation_without_visit.sql
-- A consultation is open while its visit is in progress: starting one begins the visit, ending one ends it, in
-- one transaction. Open consultations are few, and have an index.
create or replace view checks.open_consultation_without_visit as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.appointment_id as entity_id,
  format('The consultation is open (%s), but its visit is %s.', broken.consultation_status, broken.status) as detail,
  jsonb_build_object(
    'consultation_id', broken.consultation_id,
    'consultation_status', broken.consultation_status,
    'started_at', broken.started_at,
    'status', broken.status,
    'doctor_id', broken.doctor_id) as metadata,
  concat_ws(':', entry.name, broken.appointment_id, broken.consultation_id) as cache_key
from (
  select consultation.hospital_id, consultation.appointment_id, consultation.id as consultation_id,
    consultation.doctor_id, consultation.status as consultation_status, consultation.started_at, appointment.status
  from app_public.consultation
  join app_public.appointment
    on appointment.hospital_id = consultation.hospital_id and appointment.id = consultation.appointment_id
  where consultation.status in ('started', 'in_progress')
    and appointment.status <> 'in_progress'
) as broken
join app_public.health_check as entry on entry.name = 'open_consultation_without_visit';

comment on view checks.open_consultation_without_visit is 'Open consultations of visits that are not in progress.';
revoke all on checks.open_consultation_without_visit from public;
grant select on checks.open_consultation_without_visit to app_monitor;

select app_private.declare_check(
  name => 'open_consultation_without_visit', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'An open consultation without its visit',
  meaning => 'A consultation is started or in progress, while its visit is not: the state of one of them was written past the triggers.',
  importance => 'The doctor cannot end the visit through the consultation, what was found is never closed, and the patient cannot be erased.',
  resolution => 'Ask the doctor. If the consultation is over, it is completed or abandoned by its doctor once the visit is in progress again; put the visit back (an operator may) and let the doctor end the consultation.',
  remedy => 'review',
  is_event_driven => true);
--! EndIncluded checks/appointments/open_consultation_without_visit.sql
--! Included checks/appointments/overlapping_patient_appointments.sql
-- A patient is in one place at a time, whoever the doctor is; copies of one appointment are told by
-- duplicate_appointment. Ranges are half-open, so that a visit may begin when another one ends.
create or replace view checks.overlapping_patient_appointments as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The patient has another appointment (%s) at a time that overlaps with this one.', broken.other_status) as detail,
  jsonb_build_object(
    'other_appointment_id', broken.other_id,
    'patient_id', broken.patient_id,
    'doctor_id', broken.doctor_id,
    'other_doctor_id', broken.other_doctor_id,
    'slot_id', broken.slot_id,
    'status', broken.status,
    'starts_at', broken.starts_at,
    'other_starts_at', broken.other_starts_at) as metadata,
  concat_ws(':', entry.name, broken.id, broken.other_id) as cache_key
from (
  select one.hospital_id, one.id, other.id as other_id, one.patient_id, one.doctor_id, other.doctor_id as other_doctor_id,
    one.slot_id, one.status, other.status as other_status, one.starts_at, other.starts_at as other_starts_at
  from app_public.appointment as one
  join app_public.appointment as other
    on other.hospital_id = one.hospital_id
    and other.patient_id = one.patient_id
    and other.id <> one.id
    and other.during && one.during
  where one.holds_seat and other.holds_seat
    and (other.doctor_id = one.doctor_id and (other.slot_id = one.slot_id or other.starts_at = one.starts_at)) is not true
) as broken
join app_public.health_check as entry on entry.name = 'overlapping_patient_appointments';

comment on view checks.overlapping_patient_appointments is 'Active appointments of one patient whose times overlap.';
revoke all on checks.overlapping_patient_appointments from public;
grant select on checks.overlapping_patient_appointments to app_monitor;

select app_private.declare_check(
  name => 'overlapping_patient_appointments', domain => 'appointments', severity => 'critical', entity_type => 'appointment',
  title => 'A patient in two places at a time',
  meaning => 'A patient has two active appointments whose times overlap. The constraint a_patient_is_in_one_place_at_a_time forbids it: it is gone, or rows were written past it.',
  importance => 'The patient can come to one of them only; the other doctor waits in vain, and the patient is marked as missing.',
  resolution => 'Ask the patient which one to keep, move the other with reschedule_appointment or cancel it with cancel_appointment. Then check that the constraint is there (missing_guard).',
  remedy => 'review',
  is_event_driven => true);
--! EndIncluded checks/appointments/overlapping_patient_appointments.sql
--! Included checks/appointments/stale_active_appointment.sql
-- A request is expired by the sweep of every minute; a visit that nobody came to is marked by the sweep of every
-- five minutes, but only in the hospital's own hours: it counts as stale an hour after the first such hour that
-- began when it fell due. A patient who is checked in, or with the doctor, is so within a day.
-- Holds have a check of their own. Of what is over nearly nothing is active: each kind is found by its own
-- partial index.
create or replace view checks.stale_active_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The appointment is still %s, though its time was %s.', broken.status,
    to_char(broken.starts_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) as detail,
  jsonb_build_object(
    'status', broken.status,
    'starts_at', broken.starts_at,
    'ends_at', broken.ends_at,
    'stale_since', broken.stale_at,
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'patient_id', broken.patient_id) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.status, appointment.starts_at, appointment.ends_at,
    appointment.doctor_id, appointment.patient_id, appointment.slot_id, due.stale_at
  from (
    select * from app_public.appointment as request
    where request.status = 'requested' and request.starts_at < (select app_private.clock()) - interval '1 hour'
    union all
    select * from app_public.appointment as awaited
    where awaited.status in ('scheduled', 'confirmed') and awaited.starts_at < (select app_private.clock()) - interval '1 hour'
    union all
    select * from app_public.appointment as present
    where present.status in ('checked_in', 'in_progress') and present.starts_at < (select app_private.clock()) - interval '1 hour'
  ) as appointment
  join app_public.hospital on hospital.id = appointment.hospital_id
  left join app_public.doctor
    on doctor.hospital_id = appointment.hospital_id and doctor.id = appointment.doctor_id
  cross join lateral (
    select (appointment.starts_at + coalesce(doctor.slot_duration, interval '0')) at time zone hospital.time_zone as local_time
  ) as missed
  cross join lateral (
    select greatest(missed.local_time::time, hospital.no_show_window_start)::interval as first_look
  ) as sweep
  cross join lateral (
    select case
      when appointment.status = 'requested' then appointment.starts_at + interval '1 hour'
      when appointment.status in ('checked_in', 'in_progress')
        then greatest(appointment.ends_at, appointment.checked_in_at) + interval '1 day'
      when sweep.first_look + interval '1 hour' <= hospital.no_show_window_end::interval
        then (missed.local_time::date + sweep.first_look + interval '1 hour') at time zone hospital.time_zone
      else (missed.local_time::date + 1 + hospital.no_show_window_start + interval '1 hour') at time zone hospital.time_zone
    end as stale_at
  ) as due
  where due.stale_at < (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'stale_active_appointment';

comment on view checks.stale_active_appointment is 'Appointments of the past that are still active, though the sweeps have had their time.';
revoke all on checks.stale_active_appointment from public;
grant select on checks.stale_active_appointment to app_monitor;

select app_private.declare_check(
  name => 'stale_active_appointment', domain => 'appointments', severity => 'warning', entity_type => 'appointment',
  title => 'Still active long after its time',
  meaning => 'The time of the appointment is over, and no sweep has ended it: it still says requested, scheduled or confirmed, or the patient has been checked in for more than a day.',
  importance => 'It holds a seat and a place of the day in the statistics, keeps the patient from being seen as missing or seen, and tells that a sweep does not run or fails.',
  resolution => 'Requests expire and visits of the last two days are marked as missed by themselves, within the hospital''s no-show window. What is older, and who is checked in, is for people: complete it (complete_appointment), mark it as missed (mark_no_show), or cancel it. If there are many, look at cron_health: sweep_no_shows and sweep_lapsed_requests must have run.',
  repair => 'repair_stale_appointment',
  is_event_driven => false);
--! EndIncluded checks/appointments/stale_active_appointment.sql
--! Included checks/appointments/waitlist_offer_mismatch.sql
-- An offer is open while its appointment is held, and decided by what became of it; the place on the waitlist
-- follows. An accepted visit may have ended in any way since. The second half finds a place that waits for the
-- answer to an offer that is not open.
create or replace view checks.waitlist_offer_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.entry_id as entity_id,
  case when broken.offer_id is null then 'The place on the waitlist waits for an answer, but no offer is open.'
    else format('The offer is %s, but its appointment is %s and the place on the waitlist %s.',
      broken.outcome, broken.status, broken.entry_status) end as detail,
  jsonb_build_object(
    'offer_id', broken.offer_id,
    'outcome', broken.outcome,
    'appointment_id', broken.appointment_id,
    'appointment_status', broken.status,
    'entry_status', broken.entry_status,
    'slot_id', broken.slot_id) as metadata,
  concat_ws(':', entry.name, broken.entry_id, broken.offer_id) as cache_key
from (
  select offer.hospital_id, offer.entry_id, offer.id as offer_id, offer.appointment_id, offer.slot_id, offer.outcome,
    appointment.status, entry.status as entry_status
  from app_public.waitlist_offer as offer
  join app_public.appointment
    on appointment.hospital_id = offer.hospital_id and appointment.id = offer.appointment_id
  join app_public.waitlist_entry as entry
    on entry.hospital_id = offer.hospital_id and entry.id = offer.entry_id
  where case offer.outcome
      when 'open' then appointment.status <> 'held' or entry.status <> 'offered'
      when 'declined' then appointment.status <> 'cancelled'
      when 'lapsed' then appointment.status <> 'expired'
      else appointment.status in ('requested', 'held', 'expired')
        or entry.status <> 'booked' end
  union all
  select entry.hospital_id, entry.id, null, null, null, null, null, entry.status
  from app_public.waitlist_entry as entry
  where entry.status = 'offered'
    and not exists (
      select from app_public.waitlist_offer as offer
      where offer.hospital_id = entry.hospital_id and offer.entry_id = entry.id and offer.outcome = 'open')
) as broken
join app_public.health_check as entry on entry.name = 'waitlist_offer_mismatch';

comment on view checks.waitlist_offer_mismatch is 'Offers of the waitlist that disagree with their appointment or with the place on the waitlist.';
revoke all on checks.waitlist_offer_mismatch from public;
grant select on checks.waitlist_offer_mismatch to app_monitor;

select app_private.declare_check(
  name => 'waitlist_offer_mismatch', domain => 'appointments', severity => 'critical', entity_type => 'waitlist_entry',
  title => 'An offer and what is held for it disagree',
  meaning => 'A seat was offered to somebody on the waitlist, and the offer, the held appointment and the place on the waitlist do not tell the same story.',
  importance => 'A patient waits for ever, because nobody is offered a second seat while one is open; or is offered what is not held.',
  resolution => 'An offer that is still open though the hold ended is decided by itself as its appointment was, and a place that waits for no open offer follows its last one (repair_waitlist_offer). Anything else is for people: look at the history of the appointment and ask the patient.',
  repair => 'repair_waitlist_offer',
  is_event_driven => false);
--! EndIncluded checks/appointments/waitlist_offer_mismatch.sql
--! Included checks/counters/daily_limit_exceeded.sql
-- The limit of a day is what it was when the day filled: a lower limit that is set later leaves a fuller day what
-- it has, by raising the day's own number. So that number is compared, and the doctor's only for a day without
-- a row.
create or replace view checks.daily_limit_exceeded as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.doctor_id as entity_id,
  format('The doctor''s day %s may hold %s patients, but has %s, and counts %s.', broken.day, broken.max_patients, broken.seated,
    broken.booked_count) as detail,
  jsonb_build_object(
    'day', broken.day,
    'max_patients', broken.max_patients,
    'booked_count', broken.booked_count,
    'seated', broken.seated) as metadata,
  concat_ws(':', entry.name, broken.doctor_id, broken.day) as cache_key
from (
  select summed.hospital_id, summed.doctor_id, summed.day, summed.booked_count, summed.seated,
    coalesce(summed.max_patients, doctor.max_patients_per_day) as max_patients
  from (
    select counted.hospital_id, counted.doctor_id, counted.day,
      sum(counted.booked_count)::integer as booked_count, sum(counted.seated)::integer as seated,
      max(counted.max_patients) as max_patients
    from (
      select day.hospital_id, day.doctor_id, day.day, day.booked_count, day.max_patients, 0 as seated
      from app_public.doctor_day as day
      union all
      select appointment.hospital_id, appointment.doctor_id,
        (coalesce(slot.starts_at, appointment.starts_at) at time zone hospital.time_zone)::date, 0, null, 1
      from app_public.appointment
      join app_public.hospital on hospital.id = appointment.hospital_id
      left join app_public.slot on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
      where appointment.holds_seat
    ) as counted
    group by counted.hospital_id, counted.doctor_id, counted.day
  ) as summed
  join app_public.doctor on doctor.hospital_id = summed.hospital_id and doctor.id = summed.doctor_id
  where greatest(summed.booked_count, summed.seated) > coalesce(summed.max_patients, doctor.max_patients_per_day)
) as broken
join app_public.health_check as entry on entry.name = 'daily_limit_exceeded';

comment on view checks.daily_limit_exceeded is 'Days of doctors with more patients, or a higher count, than their limit.';
revoke all on checks.daily_limit_exceeded from public;
grant select on checks.daily_limit_exceeded to app_monitor;

select app_private.declare_check(
  name => 'daily_limit_exceeded', domain => 'counters', severity => 'critical', entity_type => 'doctor',
  title => 'A doctor has more patients than the daily limit',
  meaning => 'On this day of the doctor there are more appointments than the day''s limit, or the count says so. A limit that was lowered later is no reason: such a day keeps what it has.',
  importance => 'The limit protects doctor and patients; beyond it visits are late or are not seen at all.',
  resolution => 'If only the count is wrong, it is counted anew by itself (repair_doctor_day). Else move patients with reschedule_appointment, or raise the limit of the doctor (update_doctor) if the doctor agrees. Then look why a_day_never_holds_more_than_its_limit did not refuse it (missing_guard).',
  repair => 'repair_doctor_day',
  is_event_driven => false);
--! EndIncluded checks/counters/daily_limit_exceeded.sql
--! Included checks/counters/doctor_day_mismatch.sql
-- A day counts each appointment that holds a seat once, however many slots it takes, on the local day on which
-- its first slot begins. Counts and appointments are added up side by side, so that days without a row and rows
-- without an appointment are found alike.
create or replace view checks.doctor_day_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.doctor_id as entity_id,
  format('The doctor''s day %s counts %s appointments, but there are %s.', broken.day, broken.booked_count, broken.seated) as detail,
  jsonb_build_object(
    'day', broken.day,
    'booked_count', broken.booked_count,
    'seated', broken.seated,
    'max_patients', broken.max_patients) as metadata,
  concat_ws(':', entry.name, broken.doctor_id, broken.day) as cache_key
from (
  select counted.hospital_id, counted.doctor_id, counted.day,
    sum(counted.booked_count)::integer as booked_count, sum(counted.seated)::integer as seated,
    max(counted.max_patients) as max_patients
  from (
    select day.hospital_id, day.doctor_id, day.day, day.booked_count, day.max_patients, 0 as seated
    from app_public.doctor_day as day
    union all
    select appointment.hospital_id, appointment.doctor_id,
      (coalesce(slot.starts_at, appointment.starts_at) at time zone hospital.time_zone)::date, 0, null, 1
    from app_public.appointment
    join app_public.hospital on hospital.id = appointment.hospital_id
    left join app_public.slot on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
    where appointment.holds_seat
  ) as counted
  group by counted.hospital_id, counted.doctor_id, counted.day
  having sum(counted.booked_count) <> sum(counted.seated)
) as broken
join app_public.health_check as entry on entry.name = 'doctor_day_mismatch';

comment on view checks.doctor_day_mismatch is 'Days of doctors that do not count as many appointments as there are.';
revoke all on checks.doctor_day_mismatch from public;
grant select on checks.doctor_day_mismatch to app_monitor;

select app_private.declare_check(
  name => 'doctor_day_mismatch', domain => 'counters', severity => 'critical', entity_type => 'doctor',
  title => 'A doctor''s day counts wrongly',
  meaning => 'doctor_day says another number of appointments than there are on this day of the doctor, in the hospital''s time zone.',
  importance => 'The daily limit is kept by this count: too low, and the doctor gets more patients than agreed; too high, and free seats cannot be booked.',
  resolution => 'The day is counted anew by itself (repair_doctor_day). If there are more appointments than the day may hold, it is closed at its limit and left to people: move somebody, or raise the doctor''s daily limit (update_doctor), and it is counted anew.',
  repair => 'repair_doctor_day',
  is_event_driven => true);
--! EndIncluded checks/counters/doctor_day_mismatch.sql
--! Included checks/counters/full_slot_not_marked.sql
-- What a slot says of itself follows from its own columns, as a generated column: they disagree only if the
-- column was made an ordinary one, its expression changed, or a page was restored. One look a row.
create or replace view checks.full_slot_not_marked as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The slot says that it is %s, but it is %s: %s of %s seats are taken.', broken.status, broken.right_status,
    broken.booked_count, broken.capacity) as detail,
  jsonb_build_object(
    'slot_id', broken.id,
    'doctor_id', broken.doctor_id,
    'starts_at', broken.starts_at,
    'status', broken.status,
    'right_status', broken.right_status,
    'capacity', broken.capacity,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.status, slot.capacity, slot.booked_count,
    stated.status as right_status
  from app_public.slot
  cross join lateral (
    select case
      when slot.withdrawn_at is not null or slot.is_retired then 'withdrawn'
      when slot.blocked_at is not null or slot.absence_id is not null or slot.holiday_id is not null then 'blocked'
      when slot.booked_count >= slot.capacity then 'booked'
      else 'available' end::app_public.slot_status as status
  ) as stated
  where slot.status is distinct from stated.status
) as broken
join app_public.health_check as entry on entry.name = 'full_slot_not_marked';

comment on view checks.full_slot_not_marked is 'Slots whose status is not what their own columns say, above all full ones that are not marked as booked.';
revoke all on checks.full_slot_not_marked from public;
grant select on checks.full_slot_not_marked to app_monitor;

select app_private.declare_check(
  name => 'full_slot_not_marked', domain => 'counters', severity => 'critical', entity_type => 'slot',
  title => 'A full slot is not marked as booked',
  meaning => 'The status of the slot does not follow from its count, its room and its blocks. It is a generated column, so somebody has changed the column itself, or a row was restored from somewhere else.',
  importance => 'Lists of free slots are made from the status: a full slot is offered, or a free one is never found.',
  resolution => 'The row is written anew by itself (repair_slot_status), which computes the status. If that does not help, the column is not generated any more: compare \d app_public.slot with migrations/committed/000007-slots.sql and those after it, and restore the expression.',
  repair => 'repair_slot_status',
  is_event_driven => true);
--! EndIncluded checks/counters/full_slot_not_marked.sql
--! Included checks/counters/over_capacity_slot.sql
-- Seats are counted as slot_seats does, but only where two are taken: a slot has room for one at least, and
-- most have no more. The second half finds a count that is too high whoever sits there.
create or replace view checks.over_capacity_slot as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot has room for %s, but %s sit in it, and it counts %s.', broken.capacity, broken.seated, broken.booked_count) as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id,
    'doctor_id', broken.doctor_id,
    'starts_at', broken.starts_at,
    'capacity', broken.capacity,
    'booked_count', broken.booked_count,
    'seated', broken.seated) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select slot.hospital_id, counted.slot_id, slot.doctor_id, slot.starts_at, slot.capacity, slot.booked_count, counted.seated
  from (
    select seat.hospital_id, seat.slot_id, count(*)::integer as seated
    from (
      select appointment.hospital_id, appointment.slot_id
      from app_public.appointment
      where appointment.holds_seat
      union all
      select further.hospital_id, further.slot_id
      from app_public.appointment_seat as further
      join app_public.appointment as visit
        on visit.hospital_id = further.hospital_id and visit.id = further.appointment_id
      where visit.holds_seat
    ) as seat
    group by seat.hospital_id, seat.slot_id
    having count(*) > 1
  ) as counted
  join app_public.slot on slot.hospital_id = counted.hospital_id and slot.id = counted.slot_id
  where counted.seated > slot.capacity and slot.booked_count <= slot.capacity
  union all
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.capacity, slot.booked_count, seats.seated
  from app_public.slot
  cross join lateral (
    select coalesce(sum(counted.seated), 0)::integer as seated
    from checks.slot_seats as counted
    where counted.hospital_id = slot.hospital_id and counted.slot_id = slot.id
  ) as seats
  where slot.booked_count > slot.capacity
) as broken
join app_public.health_check as entry on entry.name = 'over_capacity_slot';

comment on view checks.over_capacity_slot is 'Slots in which more patients sit, or are counted, than there is room for.';
revoke all on checks.over_capacity_slot from public;
grant select on checks.over_capacity_slot to app_monitor;

select app_private.declare_check(
  name => 'over_capacity_slot', domain => 'counters', severity => 'critical', entity_type => 'slot',
  title => 'A slot is overbooked',
  meaning => 'More appointments hold a seat of the slot than it has room for, or its count says so. Neither can be written past its constraint and its triggers.',
  importance => 'Two patients come at the same time to a doctor who has time for one.',
  resolution => 'If only the count is wrong, it is counted anew by itself (repair_slot_count). If there are really too many, decide who stays: give the slot another seat (add_seat, with a reason), or move somebody with reschedule_appointment; then look why a_slot_never_holds_more_than_its_capacity did not refuse it (missing_guard).',
  repair => 'repair_slot_count',
  is_event_driven => true);
--! EndIncluded checks/counters/over_capacity_slot.sql
--! Included checks/counters/patient_block_mismatch.sql
-- A patient is blocked while one row of patient_block is open, and never else. Read from the patients who are
-- blocked and from the blocks that are open; both are few.
create or replace view checks.patient_block_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.patient_id as entity_id,
  case when broken.block_id is null then 'The patient is blocked, but no block is written down.'
    else format('A block of the patient is open, but the patient is %s.', broken.status) end as detail,
  jsonb_build_object(
    'block_id', broken.block_id,
    'status', broken.status,
    'blocked_at', broken.blocked_at) as metadata,
  concat_ws(':', entry.name, broken.patient_id, broken.block_id) as cache_key
from (
  select patient.hospital_id, patient.id as patient_id, patient.status, patient.blocked_at, null::uuid as block_id
  from app_public.patient
  left join app_public.patient_block as block
    on block.hospital_id = patient.hospital_id and block.patient_id = patient.id and block.unblocked_at is null
  where patient.status = 'blocked' and block.id is null
  union all
  select block.hospital_id, block.patient_id, patient.status, block.blocked_at, block.id
  from app_public.patient_block as block
  join app_public.patient
    on patient.hospital_id = block.hospital_id and patient.id = block.patient_id
  where block.unblocked_at is null and patient.status <> 'blocked'
) as broken
join app_public.health_check as entry on entry.name = 'patient_block_mismatch';

comment on view checks.patient_block_mismatch is 'Patients who are blocked without an open block, and open blocks of patients who are not blocked.';
revoke all on checks.patient_block_mismatch from public;
grant select on checks.patient_block_mismatch to app_monitor;

select app_private.declare_check(
  name => 'patient_block_mismatch', domain => 'counters', severity => 'critical', entity_type => 'patient',
  title => 'A patient''s block and its record disagree',
  meaning => 'patient.status and patient_block are written in one transaction: one of them was written past the triggers.',
  importance => 'A patient is refused and nobody can say since when, by whom and why; or a patient whom somebody blocked books as before.',
  resolution => 'A block that is not written down is added by itself (repair_patient_block), with the time and the reason that the patient has. An open block of a patient who is active is for people: block the patient again (block_patient), or let an operator end the block with a reason.',
  repair => 'repair_patient_block',
  is_event_driven => true);
--! EndIncluded checks/counters/patient_block_mismatch.sql
--! Included checks/counters/patient_no_show_count_mismatch.sql
-- The counts of a patient follow the standing rows of the log, those of archived visits included. Counts and rows
-- are added up side by side, by patient; a log of a patient who does not exist is another check's.
create or replace view checks.patient_no_show_count_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.patient_id as entity_id,
  format('The patient counts %s missed visits (%s forgiven), but the log has %s (%s forgiven).', broken.no_show_count,
    broken.no_shows_forgiven, broken.logged, broken.logged_forgiven) as detail,
  jsonb_build_object(
    'no_show_count', broken.no_show_count,
    'no_shows_forgiven', broken.no_shows_forgiven,
    'logged', broken.logged,
    'logged_forgiven', broken.logged_forgiven) as metadata,
  concat_ws(':', entry.name, broken.patient_id) as cache_key
from (
  select counted.hospital_id, counted.patient_id, sum(counted.no_show_count)::integer as no_show_count,
    sum(counted.no_shows_forgiven)::integer as no_shows_forgiven, sum(counted.logged)::integer as logged,
    sum(counted.logged_forgiven)::integer as logged_forgiven
  from (
    select patient.hospital_id, patient.id as patient_id, patient.no_show_count, patient.no_shows_forgiven,
      0 as logged, 0 as logged_forgiven, 1 as patients
    from app_public.patient
    union all
    select log.hospital_id, log.patient_id, 0, 0, 1, log.is_forgiven::integer, 0
    from app_public.no_show_log as log
    where log.undone_at is null
  ) as counted
  group by counted.hospital_id, counted.patient_id
  having sum(counted.patients) = 1
    and (sum(counted.no_show_count) <> sum(counted.logged) or sum(counted.no_shows_forgiven) <> sum(counted.logged_forgiven))
) as broken
join app_public.health_check as entry on entry.name = 'patient_no_show_count_mismatch';

comment on view checks.patient_no_show_count_mismatch is 'Patients whose counts of missed visits are not what the log says.';
revoke all on checks.patient_no_show_count_mismatch from public;
grant select on checks.patient_no_show_count_mismatch to app_monitor;

select app_private.declare_check(
  name => 'patient_no_show_count_mismatch', domain => 'counters', severity => 'critical', entity_type => 'patient',
  title => 'A patient''s missed visits are counted wrongly',
  meaning => 'no_show_count or no_shows_forgiven of the patient is not the number of standing rows in no_show_log.',
  importance => 'The count decides when a patient is blocked: a patient who always comes is refused, or one who never comes goes on booking.',
  resolution => 'The patient is counted anew by itself (repair_no_show_counts). Whether the patient should be blocked or not is left to people: compare the count with the hospital''s no_show_block_threshold, and use block_patient or unblock_patient.',
  repair => 'repair_no_show_counts',
  is_event_driven => true);
--! EndIncluded checks/counters/patient_no_show_count_mismatch.sql

reset role;
