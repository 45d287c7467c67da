-- Most visits lie within their slot, which one join tells. Only of the others the further seats are asked:
-- a long visit may go on in them, as long as they are the same doctor's and leave no gap. Visits without
-- a slot are another check's, and those that have ended may lie anywhere.
create or replace view checks.appointment_outside_slot as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case broken.fault
    when 'doctor' then 'The appointment is with another doctor than its slot.'
    when 'location' then 'The appointment is at another place than its slot.'
    when 'start' then 'The appointment does not begin in its slot.'
    else 'The appointment lasts longer than the slots that it has seats in.'
  end as detail,
  jsonb_build_object(
    'slot_id', broken.slot_id, 'doctor_id', broken.doctor_id, 'status', broken.status, 'fault', broken.fault,
    'starts_at', broken.starts_at, 'ends_at', broken.ends_at,
    'slot_starts_at', broken.slot_starts_at, 'slot_ends_at', broken.slot_ends_at) as metadata,
  concat_ws(':', entry.name, broken.id, broken.fault) as cache_key
from (
  select appointment.hospital_id, appointment.id, appointment.slot_id, appointment.doctor_id, appointment.status,
    appointment.starts_at, appointment.ends_at, slot.starts_at as slot_starts_at, slot.ends_at as slot_ends_at,
    case
      when slot.doctor_id <> appointment.doctor_id then 'doctor'
      when slot.location_id is distinct from appointment.location_id then 'location'
      when not slot.during @> appointment.starts_at then 'start'
      when appointment.during <@ slot.during then null
      when not (
        select coalesce(range_agg(further.during), '{}') + multirange(slot.during)
        from app_public.appointment_seat
        join app_public.slot as further
          on further.hospital_id = appointment.hospital_id and further.id = appointment_seat.slot_id
        where appointment_seat.hospital_id = appointment.hospital_id
          and appointment_seat.appointment_id = appointment.id
          and further.doctor_id = appointment.doctor_id) @> appointment.during then 'end'
    end as fault
  from app_public.appointment
  join app_public.slot on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
  where appointment.holds_seat
) as broken
join app_public.health_check as entry on entry.name = 'appointment_outside_slot'
where broken.fault is not null;

comment on view checks.appointment_outside_slot is
  'Appointments that hold a seat but whose doctor, place or time is not that of the slots they sit in.';
revoke all on checks.appointment_outside_slot from public;
grant select on checks.appointment_outside_slot to app_monitor;

select app_private.declare_check(
  name => 'appointment_outside_slot', domain => 'slots', severity => 'critical', entity_type => 'appointment',
  title => 'An appointment is not where its slot is',
  meaning => 'The appointment holds a seat, but its doctor, its place or its time is not that of the slot, or of the further slots of a long visit.',
  importance => 'The patient is told one time or doctor while another one is kept free: the visit cannot take place as agreed.',
  resolution => $$Find out what was agreed with the patient: select * from app_public.audit_entry where table_name = 'appointment' and record_id = '<appointment>' order by recorded_at; Then have the front desk reschedule the appointment into the right slot, which writes doctor, place and time together. Do not change the columns by hand.$$,
  remedy => 'review',
  is_event_driven => true);
