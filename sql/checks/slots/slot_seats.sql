-- The seats of every slot, counted twice: by the slot, and by those who sit in it. No check of its own,
-- but the one place where the checks of seats count. Both counts are taken together, so that slots in
-- which nobody sits and says to sit cost nothing, and a filter on the slot reaches the index of each
-- table. A further seat is held by the appointment that it belongs to, or by nobody.
create or replace view checks.slot_seats as
select counted.hospital_id, counted.slot_id,
  sum(counted.booked_count)::integer as booked_count, sum(counted.seated)::integer as seated
from (
  select slot.hospital_id, slot.id as slot_id, slot.booked_count, 0 as seated
  from app_public.slot
  where slot.booked_count <> 0
  union all
  select appointment.hospital_id, appointment.slot_id, 0, 1
  from app_public.appointment
  where appointment.holds_seat
  union all
  select appointment_seat.hospital_id, appointment_seat.slot_id, 0, 1
  from app_public.appointment_seat
  join app_public.appointment
    on appointment.hospital_id = appointment_seat.hospital_id and appointment.id = appointment_seat.appointment_id
  where appointment.holds_seat
) as counted
group by counted.hospital_id, counted.slot_id;

comment on view checks.slot_seats is
  'How many seats each slot counts, and how many appointments hold one in it; slots with neither are left out.';
revoke all on checks.slot_seats from public;
