-- Counts the seats of a slot anew. Safe beside bookings: whoever takes or gives up a seat changes the
-- slot first and its appointment after, so that under the lock of the slot the seats that can be seen are
-- those that count; who waits for the lock goes on from the right number. Seats that long visits left
-- behind when they ended are given up with their rows; their appointments are locked before the slot, as
-- everywhere. A slot that was only kept for those in it is withdrawn with the last of them. More seats than room, or seats in a slot that is withdrawn, are for people to decide.
create or replace function app_private.repair_slot_count(finding app_public.finding)
returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  wanted uuid := case finding.entity_type when 'slot' then finding.entity_id else (finding.metadata ->> 'slot_id')::uuid end;
  slot app_public.slot;
  abandoned uuid[];
  seated integer;
begin
  perform from app_public.appointment
  where appointment.hospital_id = finding.hospital_id
    and appointment.id in (
      select appointment_seat.appointment_id
      from app_public.appointment_seat
      where appointment_seat.hospital_id = finding.hospital_id and appointment_seat.slot_id = wanted)
    and not appointment.holds_seat
  order by appointment.id
  for no key update;
  select * into slot
  from app_public.slot as present
  where present.hospital_id = finding.hospital_id and present.id = wanted
  for no key update;
  if slot.id is null then
    return 'Nothing to do: the slot is gone.';
  end if;

  select array_agg(appointment_seat.appointment_id) into abandoned
  from app_public.appointment_seat
  join app_public.appointment
    on appointment.hospital_id = finding.hospital_id and appointment.id = appointment_seat.appointment_id
  where appointment_seat.hospital_id = finding.hospital_id
    and appointment_seat.slot_id = slot.id
    and not appointment.holds_seat;
  select coalesce(sum(seats.seated), 0) into seated
  from checks.slot_seats as seats
  where seats.hospital_id = finding.hospital_id and seats.slot_id = slot.id;
  if seated = slot.booked_count and abandoned is null then
    return 'Nothing to do: the slot counts its seats rightly.';
  elsif seated > slot.capacity or seated > 0 and slot.withdrawn_at is not null then
    return null;
  end if;

  delete from app_public.appointment_seat
  where appointment_seat.hospital_id = slot.hospital_id
    and appointment_seat.slot_id = slot.id
    and appointment_seat.appointment_id = any (abandoned);
  update app_public.slot as present
  set booked_count = seated
  where present.hospital_id = slot.hospital_id and present.id = slot.id;
  if slot.is_retired and seated = 0 then
    update app_public.slot as present
    set withdrawn_at = app_private.clock()
    where present.hospital_id = slot.hospital_id and present.id = slot.id and present.withdrawn_at is null;
  end if;

  perform app_private.record_repair(slot.hospital_id, 'slot', slot.id,
    jsonb_build_object('booked_count', slot.booked_count), jsonb_build_object('booked_count', seated));
  insert into app_private.outbox (hospital_id, topic, key, payload)
  values (slot.hospital_id, 'slots', slot.doctor_id::text,
    jsonb_build_object('doctor_id', slot.doctor_id, 'slot_ids', jsonb_build_array(slot.id)));
  return format('Counted the seats anew: %s instead of %s.%s', seated, slot.booked_count,
    case when abandoned is not null then format(' Seats of ended visits given up: %s.', cardinality(abandoned)) else '' end);
end
$$;

comment on function app_private.repair_slot_count(app_public.finding) is
  'Repairs the count of a slot''s seats, and gives up seats of visits that have ended.';

revoke execute on function app_private.repair_slot_count(app_public.finding) from public;
