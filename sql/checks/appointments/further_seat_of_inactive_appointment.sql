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
