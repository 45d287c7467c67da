--! Previous: sha1:f86a39cc8c804830b4dcdb6415331c6a74b19abf
--! Hash: sha1:9c2244e683f258ae8e95c612ed85ba83f5eac69c
--! Message: booking-answers-under-way

--! split: 1-current.sql
-- A patient whose lapsed hold is being answered at this moment is asked to try again.

set local role app_owner;

--! Included functions/booking/guard_no_answer_under_way.sql
-- A lapsed hold of the patient that could not be expired is just being confirmed, cancelled or expired
-- by somebody who came in time. Whether it stands in the way is known in a moment; to wait for it at the
-- constraint, with a patient and slots in hand, could deadlock or end in an error without a scenario.
create or replace function app_private.guard_no_answer_under_way(wish app_public.appointment) returns void
language plpgsql
as $$
begin
  if exists (
    select from app_public.appointment
    where appointment.hospital_id = wish.hospital_id
      and appointment.patient_id = wish.patient_id
      and appointment.status = 'held'
      and appointment.held_until <= app_private.clock()
      and appointment.during && coalesce(wish.during, (
        select app_private.visit_time(wish.hospital_id, slot, wish.service_id)
        from app_public.slot
        where slot.hospital_id = wish.hospital_id and slot.id = wish.slot_id)))
  then
    perform app_private.refuse('try_again');
  end if;
end
$$;

comment on function app_private.guard_no_answer_under_way(app_public.appointment) is
  'Refuses to seat a patient while a lapsed hold of theirs for the same time is just being answered.';

revoke execute on function app_private.guard_no_answer_under_way(app_public.appointment) from public;
--! EndIncluded functions/booking/guard_no_answer_under_way.sql
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
    perform app_private.guard_no_answer_under_way(wish);
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

reset role;
