-- A move gives up all its old seats in the transaction that takes the new ones. What is left of an old one
-- is either a row of a further seat away from the visit, or a count in the slot that was left that no
-- appointment and no further seat explains. A further seat for a buffer lies beside the visit, at most the
-- two hours that a buffer may take away; a nearer one is old only if the visit was moved out of it and
-- the service's buffers do not need it.
create or replace view checks.reschedule_kept_old_seat as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.appointment_id as entity_id,
  broken.detail,
  jsonb_build_object('slot_id', broken.slot_id, 'doctor_id', broken.doctor_id) || broken.facts as metadata,
  concat_ws(':', entry.name, broken.appointment_id, broken.slot_id) as cache_key
from (
  select seat.hospital_id, seat.appointment_id, seat.slot_id, seat.doctor_id,
    'The appointment was moved and still holds a seat in a slot that it left.' as detail,
    jsonb_build_object('seat_starts_at', slot.starts_at, 'starts_at', visit.starts_at) as facts
  from app_public.appointment_seat as seat
  join app_public.appointment as visit on visit.hospital_id = seat.hospital_id and visit.id = seat.appointment_id
  join app_public.slot on slot.hospital_id = seat.hospital_id and slot.id = seat.slot_id
  left join app_public.service on service.hospital_id = visit.hospital_id and service.id = visit.service_id
  where visit.rescheduled_from is not null
    and visit.holds_seat
    and (slot.doctor_id <> visit.doctor_id
      or slot.ends_at <= visit.starts_at - interval '2 hours'
      or slot.starts_at >= visit.ends_at + interval '2 hours'
      or (slot.ends_at <= visit.starts_at - coalesce(service.buffer_before, interval '0')
          or slot.starts_at >= visit.ends_at + coalesce(service.buffer_after, interval '0'))
        and exists (
          select from app_public.appointment_move as move
          where move.hospital_id = seat.hospital_id and move.appointment_id = seat.appointment_id
            and move.from_slot_id = seat.slot_id))
  union all
  select departure.hospital_id, departure.appointment_id, slot.id, slot.doctor_id,
    format('The appointment was moved away, and the slot that it left still counts %s of %s seats too many.',
      slot.booked_count - held.seats, slot.booked_count),
    jsonb_build_object('booked_count', slot.booked_count, 'seated', held.seats)
  from (
    select move.hospital_id, move.appointment_id, move.from_slot_id
    from app_public.appointment_move as move
    union
    select visit.hospital_id, visit.id, visit.rescheduled_from
    from app_public.appointment as visit
    where visit.rescheduled_from is not null
  ) as departure
  join app_public.slot
    on slot.hospital_id = departure.hospital_id and slot.id = departure.from_slot_id and slot.booked_count > 0
  cross join lateral (
    select (
      select count(*) from app_public.appointment as visit
      where visit.hospital_id = slot.hospital_id and visit.slot_id = slot.id and visit.holds_seat
    ) + (
      select count(*) from app_public.appointment_seat as seat
      where seat.hospital_id = slot.hospital_id and seat.slot_id = slot.id
    ) as seats
  ) as held
  where slot.booked_count > held.seats
) as broken
join app_public.health_check as entry on entry.name = 'reschedule_kept_old_seat';

comment on view checks.reschedule_kept_old_seat is
  'Appointments that were moved, and of whose old seat something is left.';
revoke all on checks.reschedule_kept_old_seat from public;
grant select on checks.reschedule_kept_old_seat to app_monitor;

select app_private.declare_check(
  name => 'reschedule_kept_old_seat', domain => 'history', severity => 'critical', entity_type => 'appointment',
  title => 'A moved appointment has kept its old seat',
  meaning => 'The appointment was moved to another slot, but a seat of the slot that it left is still held or counted.',
  importance => 'Nobody sits in that seat and nobody can book it; at a full slot patients are turned away for nothing.',
  resolution => 'Look at the slot that was left. A count alone is put right by slot_counter_mismatch; a further seat that is left has to be removed after asking whether the visit needs it.',
  remedy => 'review', is_event_driven => true);
