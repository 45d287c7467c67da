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
