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
