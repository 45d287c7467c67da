--! Previous: sha1:8340fc683cf877d5211f696f4544355af311c16e
--! Hash: sha1:746d583d7e39ec59bb4c8a27eba1bb73968cfc8a
--! Message: slot-checks

--! split: 1-current.sql
-- Whether slots and those who sit in them agree, and whether slots are what the schedules give.
set local role app_owner;

--! Included checks/slots/slot_seats.sql
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
--! EndIncluded checks/slots/slot_seats.sql
--! Included checks/slots/slot_counter_mismatch.sql
-- Every slot and every seat is counted once; only slots whose two counts differ are looked up.
create or replace view checks.slot_counter_mismatch as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot counts %s seats, but %s are held.', broken.booked_count, broken.seated) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'starts_at', broken.starts_at, 'capacity', broken.capacity,
    'booked_count', broken.booked_count, 'seated', broken.seated) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, seats.booked_count, seats.seated, slot.doctor_id, slot.starts_at, slot.capacity
  from checks.slot_seats as seats
  cross join lateral (
    select slot.doctor_id, slot.starts_at, slot.capacity
    from app_public.slot
    where slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id
    offset 0
  ) as slot
  where seats.booked_count <> seats.seated
) as broken
join app_public.health_check as entry on entry.name = 'slot_counter_mismatch';

comment on view checks.slot_counter_mismatch is 'Slots whose count of seats is not the number of seats that appointments hold.';
revoke all on checks.slot_counter_mismatch from public;
grant select on checks.slot_counter_mismatch to app_monitor;

select app_private.declare_check(
  name => 'slot_counter_mismatch', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A slot counts its seats wrongly',
  meaning => 'The number of seats that a slot says are taken is not the number of appointments that hold one in it, further seats of long visits included.',
  importance => 'Bookings trust the count. Too high, and free time is refused to patients; too low, and a slot is booked over.',
  resolution => $$The repair counts anew under the lock of the slot, so it is safe beside bookings; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'slot_counter_mismatch' and resolved_at is null; If more sit in the slot than it has room for, it is left to people: add seats or move visits. If it comes back, look at checks.missing_guard: the triggers that count may be off.$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
--! EndIncluded checks/slots/slot_counter_mismatch.sql
--! Included checks/slots/booked_slot_without_appointment.sql
-- A slot that says it is full can be wrong only if its count is too high, so only those slots are asked
-- who is, or was, in them. Those who ended in it are another check's.
create or replace view checks.booked_slot_without_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  'The slot says that it is booked, but no appointment is in it.' as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'starts_at', broken.starts_at, 'capacity', broken.capacity,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, seats.booked_count, slot.doctor_id, slot.starts_at, slot.capacity
  from checks.slot_seats as seats
  cross join lateral (
    select slot.doctor_id, slot.starts_at, slot.capacity
    from app_public.slot
    where slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id and slot.status = 'booked'
      and not exists (
        select from app_public.appointment
        where appointment.hospital_id = seats.hospital_id and appointment.slot_id = seats.slot_id)
      and not exists (
        select from app_public.appointment_seat
        where appointment_seat.hospital_id = seats.hospital_id and appointment_seat.slot_id = seats.slot_id)
    offset 0
  ) as slot
  where seats.booked_count > seats.seated
) as broken
join app_public.health_check as entry on entry.name = 'booked_slot_without_appointment';

comment on view checks.booked_slot_without_appointment is 'Slots that say they are booked though no appointment is in them.';
revoke all on checks.booked_slot_without_appointment from public;
grant select on checks.booked_slot_without_appointment to app_monitor;

select app_private.declare_check(
  name => 'booked_slot_without_appointment', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A slot is booked by nobody',
  meaning => 'The slot says that all its seats are taken, but no appointment is in it, not even one that has ended.',
  importance => 'Nobody can book this time, and no visit will fill it: the doctor waits while patients are refused.',
  resolution => $$The repair counts the seats anew and offers the slot again; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'booked_slot_without_appointment' and resolved_at is null; Then look in the audit whether appointments were deleted by hand: select * from app_public.audit_entry where table_name = 'appointment' and operation = 'delete' order by recorded_at desc limit 20;$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
--! EndIncluded checks/slots/booked_slot_without_appointment.sql
--! Included checks/slots/available_slot_with_full_appointments.sql
-- A slot that offers room it does not have counts too few seats, so only those slots are looked up.
create or replace view checks.available_slot_with_full_appointments as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot still offers seats, but appointments hold %s of its %s.', broken.seated, broken.capacity) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'starts_at', broken.starts_at, 'capacity', broken.capacity,
    'booked_count', broken.booked_count, 'seated', broken.seated) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, seats.booked_count, seats.seated, slot.doctor_id, slot.starts_at, slot.capacity
  from checks.slot_seats as seats
  cross join lateral (
    select slot.doctor_id, slot.starts_at, slot.capacity
    from app_public.slot
    where slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id
      and slot.status = 'available' and slot.capacity <= seats.seated
    offset 0
  ) as slot
  where seats.booked_count < seats.seated
) as broken
join app_public.health_check as entry on entry.name = 'available_slot_with_full_appointments';

comment on view checks.available_slot_with_full_appointments is
  'Slots that say they are available though appointments hold all their seats.';
revoke all on checks.available_slot_with_full_appointments from public;
grant select on checks.available_slot_with_full_appointments to app_monitor;

select app_private.declare_check(
  name => 'available_slot_with_full_appointments', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A full slot is still offered',
  meaning => 'Appointments hold every seat of the slot, but its count is lower, so it says that it is available.',
  importance => 'The next patient who asks gets the seat of somebody else: two people will sit in the waiting room for one place.',
  resolution => $$The repair counts the seats anew, which closes the slot; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'available_slot_with_full_appointments' and resolved_at is null; When more appointments than seats are in it already, the repair leaves it to people. See who they are: select id, status, created_at from app_public.appointment where slot_id = '<slot>' and holds_seat; and add seats or move visits.$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
--! EndIncluded checks/slots/available_slot_with_full_appointments.sql
--! Included checks/slots/booked_slot_with_inactive_appointment.sql
-- Cancelled visits in a slot that others have booked since are right. Wrong is a slot that is full only
-- because its count still has them: those whose count is too high are asked who ended in them.
create or replace view checks.booked_slot_with_inactive_appointment as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.slot_id as entity_id,
  format('The slot says that it is booked and counts %s seats, but appointments hold %s; %s in it have ended.',
    broken.booked_count, broken.seated, cardinality(broken.ended)) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'starts_at', broken.starts_at, 'capacity', broken.capacity,
    'booked_count', broken.booked_count, 'seated', broken.seated, 'appointment_ids', broken.ended[1:10]) as metadata,
  concat_ws(':', entry.name, broken.slot_id) as cache_key
from (
  select seats.hospital_id, seats.slot_id, seats.booked_count, seats.seated, slot.doctor_id, slot.starts_at,
    slot.capacity, slot.ended
  from checks.slot_seats as seats
  cross join lateral (
    select slot.doctor_id, slot.starts_at, slot.capacity, array(
      select appointment.id
      from app_public.appointment
      where appointment.hospital_id = seats.hospital_id and appointment.slot_id = seats.slot_id
        and not appointment.holds_seat
      union
      select appointment.id
      from app_public.appointment_seat
      join app_public.appointment
        on appointment.hospital_id = seats.hospital_id and appointment.id = appointment_seat.appointment_id
      where appointment_seat.hospital_id = seats.hospital_id and appointment_seat.slot_id = seats.slot_id
        and not appointment.holds_seat
      order by id desc) as ended
    from app_public.slot
    where slot.hospital_id = seats.hospital_id and slot.id = seats.slot_id and slot.status = 'booked'
    offset 0
  ) as slot
  where seats.booked_count > seats.seated and slot.ended <> '{}'
) as broken
join app_public.health_check as entry on entry.name = 'booked_slot_with_inactive_appointment';

comment on view checks.booked_slot_with_inactive_appointment is
  'Slots that are booked only by appointments that were cancelled, expired, missed or completed.';
revoke all on checks.booked_slot_with_inactive_appointment from public;
grant select on checks.booked_slot_with_inactive_appointment to app_monitor;

select app_private.declare_check(
  name => 'booked_slot_with_inactive_appointment', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'A slot is booked by visits that have ended',
  meaning => 'The slot says that all its seats are taken, but fewer appointments hold one; others in it were cancelled, expired, missed or completed, and their seats were not given back.',
  importance => 'The time that a patient gave up is offered to nobody, also not to those on the waitlist.',
  resolution => $$The repair gives back the seats of visits that have ended, counts anew and offers the slot again; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'booked_slot_with_inactive_appointment' and resolved_at is null; The appointments stand in metadata; their history tells who ended them: select * from app_public.audit_entry where table_name = 'appointment' and record_id = '<appointment>' order by recorded_at;$$,
  repair => 'repair_slot_count',
  is_event_driven => true);
--! EndIncluded checks/slots/booked_slot_with_inactive_appointment.sql
--! Included checks/slots/overlapping_slots.sql
-- One place has many doctors at a time, and one doctor may work at many places: only slots of one doctor
-- can get in each other's way, wherever they are. Each slot asks the index for the next ones, because no
-- equality finds overlaps; slots of the very same time are another check's, and what is over harms nobody.
create or replace view checks.overlapping_slots as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The slot overlaps %s of the same doctor%s.',
    case broken.other_count when 1 then 'another slot' else format('%s slots', broken.other_count) end,
    case when broken.is_elsewhere then ' at another place' else '' end) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'starts_at', broken.starts_at,
    'ends_at', broken.ends_at, 'booked_count', broken.booked_count, 'other_slot_ids', broken.other_ids) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.location_id, slot.starts_at, slot.ends_at, slot.booked_count,
    other.other_count, other.other_ids, other.is_elsewhere
  from app_public.slot
  cross join lateral (
    select count(*) as other_count, array_agg(other.id order by other.starts_at, other.id) as other_ids,
      bool_or(other.location_id <> slot.location_id) as is_elsewhere
    from app_public.slot as other
    where other.hospital_id = slot.hospital_id
      and other.doctor_id = slot.doctor_id
      and other.starts_at >= slot.starts_at
      and other.starts_at < slot.ends_at
      and other.during <> slot.during
      and (other.starts_at > slot.starts_at or other.ends_at > slot.ends_at)
      and other.withdrawn_at is null
    offset 0
  ) as other
  where slot.withdrawn_at is null
    and slot.ends_at > (select app_private.clock())
    and other.other_count > 0
) as broken
join app_public.health_check as entry on entry.name = 'overlapping_slots';

comment on view checks.overlapping_slots is 'Slots during which another slot of the same doctor begins.';
revoke all on checks.overlapping_slots from public;
grant select on checks.overlapping_slots to app_monitor;

select app_private.declare_check(
  name => 'overlapping_slots', domain => 'slots', severity => 'critical', entity_type => 'slot',
  title => 'Slots of a doctor overlap',
  meaning => 'While this slot lasts, another slot of the same doctor begins, at the same place or at another one. Doctors who work at one place at the same time are right, and withdrawn slots do not count.',
  importance => 'Two patients can book the same minutes of one doctor, at two places even.',
  resolution => $$Decide which of the slots is right; metadata names them. Move the visits of the other one (select id, patient_id, status from app_public.appointment where slot_id = '<slot>' and holds_seat;), then withdraw it: update app_public.slot set withdrawn_at = now() where hospital_id = '<hospital>' and id = '<slot>' and booked_count = 0; The constraint slots_of_a_doctor_never_overlap forbids this: it must have been dropped. checks.missing_guard says so and how to put it back.$$,
  remedy => 'review');
--! EndIncluded checks/slots/overlapping_slots.sql
--! Included checks/slots/appointment_outside_slot.sql
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
--! EndIncluded checks/slots/appointment_outside_slot.sql
--! Included checks/generation/slot_hours.sql
-- Whether each slot ahead is one that its schedule gives: what cut_slots would cut, looked at from the
-- slot. No check of its own, but the one place where checks hold slots against hours. The wall clock
-- tells at once of nearly all that they are right, as long as the clocks did not change between midnight
-- and the slot's end; the others are judged in absolute time, by hours_of_day, as they were cut.
-- Retired slots are kept for those in them and are on no schedule any more. A doctor whose hours are
-- just changing waits for the job that brings the slots in line: nothing is wrong with them yet. Slots
-- without a schedule that holds are another check's. What few slots need is asked in the branches of one
-- case, so that it is asked for those only.
create or replace view checks.slot_hours as
select slot.hospital_id, slot.id, slot.doctor_id, slot.location_id, slot.schedule_id, slot.starts_at, slot.ends_at,
  slot.booked_count, local.opening, doctor.slot_duration,
  case
    when slot.ends_at - local.midnight = local.closing - local.closing::date::timestamp
      and schedule.weekday = extract(isodow from local.opening)::smallint
      and local.opening::date >= schedule.effective_from
      and (schedule.effective_until is null or local.opening::date <= schedule.effective_until)
      and local.closing - local.opening = doctor.slot_duration
      and local.opening::date = local.closing::date
      and local.opening::time >= schedule.start_time
      and local.closing::time <= schedule.end_time
      and case
        when schedule.break_start is null or local.closing::time <= schedule.break_start
          then date_bin(doctor.slot_duration, local.opening, local.opening::date + schedule.start_time) = local.opening
        when local.opening::time >= schedule.break_end
          then date_bin(doctor.slot_duration, local.opening, local.opening::date + schedule.break_end) = local.opening
        else false
      end
      then null
    when not (schedule.doctor_id = slot.doctor_id and schedule.location_id = slot.location_id
        and schedule.is_active and doctor.is_active and location.is_active)
      or exists (
        select from app_private.outbox
        where outbox.hospital_id = slot.hospital_id and outbox.topic = 'schedule' and outbox.key = slot.doctor_id::text)
      then null
    when schedule.weekday <> extract(isodow from local.opening)::smallint then 'weekday'
    when local.opening::date < schedule.effective_from or local.opening::date > schedule.effective_until then 'dates'
    else (
      select case
        when not slot.during <@ hours.whole then 'hours'
        when schedule.break_start is not null and slot.during && hours.break_time then 'break'
        when slot.ends_at - slot.starts_at <> doctor.slot_duration then 'length'
        when date_bin(doctor.slot_duration, slot.starts_at,
            case when schedule.break_start is not null and slot.starts_at >= lower(hours.after_break)
              then lower(hours.after_break) else lower(hours.whole) end) <> slot.starts_at then 'grid'
      end
      from app_private.hours_of_day(
        hospital.time_zone, local.opening::date,
        schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time) as hours)
  end as fault
from app_public.slot
join app_public.hospital on hospital.id = slot.hospital_id
join app_public.schedule on schedule.hospital_id = slot.hospital_id and schedule.id = slot.schedule_id
join app_public.doctor on doctor.hospital_id = slot.hospital_id and doctor.id = slot.doctor_id
join app_public.location on location.hospital_id = slot.hospital_id and location.id = slot.location_id
cross join lateral (
  select slot.starts_at at time zone hospital.time_zone as opening,
    slot.ends_at at time zone hospital.time_zone as closing,
    (slot.ends_at at time zone hospital.time_zone)::date::timestamp at time zone hospital.time_zone as midnight
  offset 0
) as local
where slot.withdrawn_at is null
  and not slot.is_retired
  and slot.starts_at > (select app_private.clock());

comment on view checks.slot_hours is
  'Offered slots ahead that follow a schedule, and what is wrong with their time: weekday, dates, hours, break, length, grid, or null.';
revoke all on checks.slot_hours from public;
--! EndIncluded checks/generation/slot_hours.sql
--! Included checks/generation/duplicate_slots.sql
-- Of two slots of one doctor at the very same time one has to go: the one that nobody sits in, that is
-- only kept, that follows no schedule, that came later. That one is named, so that each pair is told once.
create or replace view checks.duplicate_slots as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The doctor has this slot twice%s%s.',
    case when broken.is_elsewhere then ', at two places' else '' end,
    case when broken.booked_count > 0 then ', and patients sit in both' else '' end) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'starts_at', broken.starts_at,
    'booked_count', broken.booked_count, 'other_slot_ids', broken.other_ids) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.location_id, slot.starts_at, slot.booked_count,
    array_agg(other.id order by other.id) as other_ids,
    bool_or(other.location_id <> slot.location_id) as is_elsewhere
  from app_public.slot
  join app_public.slot as other
    on other.hospital_id = slot.hospital_id
    and other.doctor_id = slot.doctor_id
    and other.starts_at = slot.starts_at
    and other.ends_at = slot.ends_at
    and other.id <> slot.id
    and other.withdrawn_at is null
    and other.ends_at > (select app_private.clock())
    and (
      (other.booked_count > 0, not other.is_retired, other.schedule_id is not null)
        > (slot.booked_count > 0, not slot.is_retired, slot.schedule_id is not null)
      or (other.booked_count > 0, not other.is_retired, other.schedule_id is not null)
          = (slot.booked_count > 0, not slot.is_retired, slot.schedule_id is not null)
        and (other.created_at, other.id) < (slot.created_at, slot.id))
  where slot.withdrawn_at is null
    and slot.ends_at > (select app_private.clock())
  group by slot.hospital_id, slot.id
) as broken
join app_public.health_check as entry on entry.name = 'duplicate_slots';

comment on view checks.duplicate_slots is 'Slots at a time at which their doctor has a better one already.';
revoke all on checks.duplicate_slots from public;
grant select on checks.duplicate_slots to app_monitor;

select app_private.declare_check(
  name => 'duplicate_slots', domain => 'generation', severity => 'critical', entity_type => 'slot',
  title => 'A slot is there twice',
  meaning => 'The doctor has another slot at the very same time, at the same place or at another one. The finding names the one to give up: nobody sits in it, or it came later.',
  importance => 'Two patients can book the same time of one doctor.',
  resolution => $$The repair withdraws the empty twin; the hourly job does it by itself. Where patients sit in both, move those of one (select id, patient_id from app_public.appointment where slot_id = '<slot>' and holds_seat;), and run the repair again: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'duplicate_slots' and resolved_at is null; The constraint slots_of_a_doctor_never_overlap forbids twins: it must have been dropped. checks.missing_guard says so and how to put it back.$$,
  repair => 'repair_stray_slot');
--! EndIncluded checks/generation/duplicate_slots.sql
--! Included checks/generation/missing_slots.sql
-- A day has either all of its rows or none: a day that has some is held against its schedules, by counting.
-- A day that has none is read from its hours by every search and made real by the first booking, so it is
-- missing only amid days that the nightly job has generated long ago: before the last two of those that
-- are stored, with later days there. It may lack its rows for having been a holiday that was cancelled.
-- Only days with too few rows are looked at slot by slot: what already lies there, begun, kept for its
-- patients or moved by the clocks, keeps a slot from being generated, and that is right. A doctor whose
-- hours are just changing waits for the job that brings the slots in line.
-- One look by index for each schedule and day, of which there are few against slots.
create or replace view checks.missing_slots as
select gap.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, gap.doctor_id as entity_id,
  format('%s of %s slots are missing on %s.', gap.missing, gap.wanted, to_char(gap.day, 'YYYY-MM-DD')) as detail,
  jsonb_build_object('day', gap.day, 'missing', gap.missing, 'wanted', gap.wanted, 'first_missing_at', gap.first_missing_at)
    as metadata,
  concat_ws(':', entry.name, gap.doctor_id, gap.day) as cache_key
from (
  select schedule.hospital_id, schedule.doctor_id, calendar.midnight::date as day,
    sum(absent.missing)::integer as missing, sum(expected.slots)::integer as wanted, min(absent.first_start) as first_missing_at
  from app_public.schedule
  join app_public.hospital on hospital.id = schedule.hospital_id
  join app_public.doctor
    on doctor.hospital_id = schedule.hospital_id and doctor.id = schedule.doctor_id and doctor.is_active
  join app_public.location
    on location.hospital_id = schedule.hospital_id and location.id = schedule.location_id and location.is_active
  cross join lateral (
    select ((select app_private.clock()) at time zone hospital.time_zone)::date as day
    offset 0
  ) as today
  cross join lateral (
    select (slot.starts_at at time zone hospital.time_zone)::date as day
    from app_public.slot
    where slot.hospital_id = schedule.hospital_id
      and slot.doctor_id = schedule.doctor_id
      and slot.starts_at > (select app_private.clock())
      and slot.withdrawn_at is null
    order by slot.starts_at desc
    limit 1
  ) as latest
  cross join lateral (select greatest(today.day, schedule.effective_from) as day) as earliest
  cross join lateral (
    select (earliest.day + (schedule.weekday + 7 - extract(isodow from earliest.day)::integer) % 7 + 7 * week.number)::timestamp
      as midnight
    from generate_series(0, 52) as week (number)
    where week.number <= (least(latest.day, schedule.effective_until) - earliest.day) / 7
    offset 0
  ) as calendar
  cross join lateral (
    select hours_of_day.whole, hours_of_day.before_break, hours_of_day.after_break
    from app_private.hours_of_day(
      hospital.time_zone, calendar.midnight::date,
      schedule.start_time, schedule.break_start, schedule.break_end, schedule.end_time)
    offset 0
  ) as hours
  cross join lateral (
    select floor(extract(epoch from upper(hours.before_break) - lower(hours.before_break))
        / extract(epoch from doctor.slot_duration))::integer
      + case when schedule.break_start is null then 0
          else floor(extract(epoch from upper(hours.after_break) - lower(hours.after_break))
            / extract(epoch from doctor.slot_duration))::integer end as slots
    offset 0
  ) as expected
  cross join lateral (
    select count(*) as slots, count(*) filter (where slot.schedule_id = schedule.id and not slot.is_retired) as own_slots
    from app_public.slot
    where slot.hospital_id = schedule.hospital_id
      and slot.doctor_id = schedule.doctor_id
      and slot.starts_at >= calendar.midnight at time zone hospital.time_zone
      and slot.starts_at < (calendar.midnight + interval '1 day') at time zone hospital.time_zone
      and slot.withdrawn_at is null
    offset 0
  ) as present
  cross join lateral (
    select count(*) as missing, min(wanted.starts_at) as first_start
    from (
      select lower(part.during) + step.number * doctor.slot_duration as starts_at,
        lower(part.during) + (step.number + 1) * doctor.slot_duration as ends_at
      from (
        select hours.before_break as during
        union all
        select hours.after_break where schedule.break_start is not null
      ) as part
      cross join generate_series(0, 287) as step (number)
      where lower(part.during) + (step.number + 1) * doctor.slot_duration <= upper(part.during)
    ) as wanted
    where present.own_slots < expected.slots
      and wanted.starts_at > (select app_private.clock())
      and not exists (
        select from app_public.slot
        where slot.hospital_id = schedule.hospital_id
          and slot.doctor_id = schedule.doctor_id
          and slot.starts_at > wanted.starts_at - interval '1 day'
          and slot.starts_at < wanted.ends_at
          and slot.ends_at > wanted.starts_at
          and slot.withdrawn_at is null
        offset 0)
    offset 0
  ) as absent
  where schedule.is_active
    and calendar.midnight::date <= least(latest.day, schedule.effective_until)
    and present.own_slots < expected.slots
    and case when absent.missing > 0 then not exists (
      select from app_private.outbox
      where outbox.hospital_id = schedule.hospital_id and outbox.topic = 'schedule'
        and outbox.key = schedule.doctor_id::text) end
    and not exists (
      select from app_public.holiday
      where holiday.hospital_id = schedule.hospital_id
        and holiday.month_day = (extract(month from calendar.midnight) * 100 + extract(day from calendar.midnight))::integer
        and (holiday.is_recurring or holiday.date = calendar.midnight::date)
        and (holiday.is_active or present.slots = 0))
    and (present.slots > 0
      or calendar.midnight::date
        <= today.day + coalesce(hospital.generated_days, hospital.booking_horizon_days) - 2)
  group by schedule.hospital_id, schedule.doctor_id, calendar.midnight
) as gap
join app_public.health_check as entry on entry.name = 'missing_slots';

comment on view checks.missing_slots is
  'Days of doctors on which slots are missing that their schedules give, among those that are generated.';
revoke all on checks.missing_slots from public;
grant select on checks.missing_slots to app_monitor;

select app_private.declare_check(
  name => 'missing_slots', domain => 'generation', severity => 'warning', entity_type => 'doctor',
  title => 'Slots are missing in a working day',
  meaning => 'The schedules of the doctor give slots on this day that do not exist, although the day is generated. Holidays, days beyond those that are stored, and times that other slots of the doctor take are right.',
  importance => 'The doctor works and nobody can book that time; long visits find no row of free slots.',
  resolution => $$The repair generates the missing slots of the day; the hourly job does it by itself. At once, for a doctor and a day: select app_private.cut_slots('<hospital>', '<day>', '<day>', '<doctor>'); Repeating it changes nothing. Whole days of many doctors mean that the nightly generation failed: look at app_public.job_run for generate_slots.$$,
  repair => 'repair_missing_slots');
--! EndIncluded checks/generation/missing_slots.sql
--! Included checks/generation/slot_outside_schedule.sql
-- A slot is held against the schedule that it names; one that names none is another check's.
create or replace view checks.slot_outside_schedule as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format(case broken.fault
      when 'weekday' then 'The slot of %s is on another weekday than its schedule.'
      when 'dates' then 'The slot of %s is on a day on which its schedule does not hold.'
      when 'break' then 'The slot of %s lies in the break of its schedule.'
      else 'The slot of %s reaches beyond the hours of its schedule.'
    end, to_char(broken.opening, 'YYYY-MM-DD HH24:MI')) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'schedule_id', broken.schedule_id,
    'fault', broken.fault, 'starts_at', broken.starts_at, 'ends_at', broken.ends_at, 'local_start', broken.opening,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from checks.slot_hours as broken
join app_public.health_check as entry on entry.name = 'slot_outside_schedule'
where broken.fault in ('weekday', 'dates', 'hours', 'break');

comment on view checks.slot_outside_schedule is
  'Offered slots ahead outside the hours of their schedule: on another weekday or date, too early, too late or in the break.';
revoke all on checks.slot_outside_schedule from public;
grant select on checks.slot_outside_schedule to app_monitor;

select app_private.declare_check(
  name => 'slot_outside_schedule', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot outside the working hours',
  meaning => 'The slot is offered, but its schedule has no hours then: another weekday, a day before or after its dates, earlier or later than the hours, or in the break. Slots that were only kept for those who already sat in them are right.',
  importance => 'It is shown as free and every booking of it is refused; a visit already in it finds no doctor.',
  resolution => $$The repair withdraws the slot when nobody sits in it; the hourly job does it by itself. With somebody in it, decide: extend the hours, or bring all slots of the doctor in line, which keeps the visits and tells their patients: select app_private.follow_schedule('<hospital>', '<doctor>'); Many findings of one doctor mean that this job did not run after a change: look at job_health.$$,
  repair => 'repair_stray_slot');
--! EndIncluded checks/generation/slot_outside_schedule.sql
--! Included checks/generation/slot_without_schedule.sql
-- Every slot that is offered follows a schedule that holds: of its own doctor, at its own place, of a
-- doctor who works and a place that is open. A doctor whose hours are just changing waits for the job
-- that brings the slots in line.
create or replace view checks.slot_without_schedule as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case broken.fault
    when 'none' then 'The slot follows no schedule.'
    when 'gone' then 'The schedule of the slot does not exist.'
    when 'inactive' then 'The schedule of the slot is not active any more.'
    when 'doctor' then 'The schedule of the slot is another doctor''s.'
    when 'location' then 'The schedule of the slot is for another place.'
    when 'doctor_inactive' then 'The doctor of the slot does not work here any more.'
    else 'The place of the slot is closed.'
  end as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'schedule_id', broken.schedule_id,
    'fault', broken.fault, 'starts_at', broken.starts_at, 'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.location_id, slot.schedule_id, slot.starts_at, slot.booked_count,
    case
      when schedule.doctor_id = slot.doctor_id and schedule.location_id = slot.location_id
        and schedule.is_active and doctor.is_active and location.is_active
        then null
      when exists (
        select from app_private.outbox
        where outbox.hospital_id = slot.hospital_id and outbox.topic = 'schedule' and outbox.key = slot.doctor_id::text)
        then null
      when slot.schedule_id is null then 'none'
      when schedule.id is null then 'gone'
      when schedule.doctor_id <> slot.doctor_id then 'doctor'
      when schedule.location_id <> slot.location_id then 'location'
      when not schedule.is_active then 'inactive'
      when not doctor.is_active then 'doctor_inactive'
      when not location.is_active then 'location_inactive'
    end as fault
  from app_public.slot
  left join app_public.schedule on schedule.hospital_id = slot.hospital_id and schedule.id = slot.schedule_id
  left join app_public.doctor on doctor.hospital_id = slot.hospital_id and doctor.id = slot.doctor_id
  left join app_public.location on location.hospital_id = slot.hospital_id and location.id = slot.location_id
  where slot.withdrawn_at is null
    and not slot.is_retired
    and slot.starts_at > (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'slot_without_schedule'
where broken.fault is not null;

comment on view checks.slot_without_schedule is
  'Offered slots ahead whose schedule is missing, ended, another doctor''s or another place''s, or whose doctor or place is not active.';
revoke all on checks.slot_without_schedule from public;
grant select on checks.slot_without_schedule to app_monitor;

select app_private.declare_check(
  name => 'slot_without_schedule', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot without a schedule',
  meaning => 'The slot is offered, but the working hours that it came from do not exist, have ended, or are those of another doctor or place; or its doctor has left, or its place is closed.',
  importance => 'No change of the schedule reaches this slot any more, and bookings of it are refused or find a closed door.',
  resolution => $$The repair lets the slot follow the schedule that has this very time, if there is one; otherwise it withdraws the slot when nobody sits in it. The hourly job does it by itself. With somebody in it, decide: give the doctor hours for it, or bring all slots of the doctor in line, which keeps the visits and tells their patients: select app_private.follow_schedule('<hospital>', '<doctor>');$$,
  repair => 'repair_stray_slot');
--! EndIncluded checks/generation/slot_without_schedule.sql
--! Included checks/generation/slot_off_grid.sql
-- Hours are cut from their beginning and from the end of the break, in steps of the doctor's slot length.
-- Only slots within the hours are judged here; those outside are another check's.
create or replace view checks.slot_off_grid as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case broken.fault
    when 'length' then format('The slot of %s lasts %s minutes, but the slots of its doctor last %s.',
      to_char(broken.opening, 'YYYY-MM-DD HH24:MI'),
      round(extract(epoch from broken.ends_at - broken.starts_at) / 60),
      round(extract(epoch from broken.slot_duration) / 60))
    else format('The slot of %s does not begin where the schedule is cut.', to_char(broken.opening, 'YYYY-MM-DD HH24:MI'))
  end as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'location_id', broken.location_id, 'schedule_id', broken.schedule_id,
    'fault', broken.fault, 'starts_at', broken.starts_at, 'ends_at', broken.ends_at, 'local_start', broken.opening,
    'slot_duration', broken.slot_duration, 'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id) as cache_key
from checks.slot_hours as broken
join app_public.health_check as entry on entry.name = 'slot_off_grid'
where broken.fault in ('grid', 'length');

comment on view checks.slot_off_grid is
  'Offered slots ahead within the hours of their schedule that begin between its steps or last longer or shorter than one.';
revoke all on checks.slot_off_grid from public;
grant select on checks.slot_off_grid to app_monitor;

select app_private.declare_check(
  name => 'slot_off_grid', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot off the grid of its schedule',
  meaning => 'The slot lies within the working hours, but does not begin where they are cut into slots, or has another length than the slots of its doctor.',
  importance => 'It keeps the right slot from being generated. Many at once are the sign of a fault with time zones or with a day on which the clocks change: patients would be told a wrong hour.',
  resolution => $$The repair withdraws the slot when nobody sits in it, and the missing one is generated afterwards; the hourly job does both by itself. Are there many? Compare local_start in metadata with the schedule: a constant shift means that somebody wrote local time as UTC, or changed the zone of the hospital by hand (select time_zone from app_public.hospital;). To bring a doctor in line, keeping the visits and telling their patients: select app_private.follow_schedule('<hospital>', '<doctor>');$$,
  repair => 'repair_stray_slot');
--! EndIncluded checks/generation/slot_off_grid.sql
--! Included checks/generation/slot_on_holiday.sql
-- A slot knows the holiday that closes it; a slot ahead on a holiday that it does not name is open. The
-- days of the hospital's own zone count. Where a day has a holiday is asked only of hospitals that have any.
create or replace view checks.slot_on_holiday as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  format('The slot is open on %s, a holiday of the hospital.', to_char(broken.day, 'YYYY-MM-DD')) as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'holiday_id', broken.holiday_id, 'day', broken.day, 'starts_at', broken.starts_at,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.holiday_id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count, local.day, holiday.id as holiday_id
  from app_public.slot
  join app_public.hospital on hospital.id = slot.hospital_id
  cross join lateral (
    select (slot.starts_at at time zone hospital.time_zone)::date as day
    offset 0
  ) as local
  join app_public.holiday
    on holiday.hospital_id = slot.hospital_id
    and holiday.month_day = (extract(month from local.day) * 100 + extract(day from local.day))::integer
    and (holiday.is_recurring or holiday.date = local.day)
    and holiday.is_active
  where slot.withdrawn_at is null
    and not slot.is_retired
    and slot.holiday_id is null
    and slot.starts_at > (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'slot_on_holiday';

comment on view checks.slot_on_holiday is 'Slots ahead that are not closed though their local day is a holiday of the hospital.';
revoke all on checks.slot_on_holiday from public;
grant select on checks.slot_on_holiday to app_monitor;

select app_private.declare_check(
  name => 'slot_on_holiday', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot is open on a holiday',
  meaning => 'The local day of the slot is a holiday of the hospital, but the slot is not closed by it.',
  importance => 'Patients can book a day on which nobody is there.',
  resolution => $$The repair closes the slot and tells the patients who sit in it, as entering the holiday does; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'slot_on_holiday' and resolved_at is null; If the hospital is open on that day, cancel the holiday instead.$$,
  repair => 'repair_slot_closure',
  is_event_driven => true);
--! EndIncluded checks/generation/slot_on_holiday.sql
--! Included checks/generation/unblocked_slot_in_absence.sql
-- A slot knows the absence that closes it; a slot ahead that an active absence of its doctor touches and
-- that names none is open. Absences are few and lead to their slots by the doctor and the time; no slot
-- is longer than a day.
create or replace view checks.unblocked_slot_in_absence as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  'The slot is open though its doctor is away.' as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'absence_id', broken.absence_id, 'starts_at', broken.starts_at,
    'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.absence_id) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count, absence.id as absence_id
  from app_public.slot
  join app_public.absence
    on absence.hospital_id = slot.hospital_id
    and absence.doctor_id = slot.doctor_id
    and absence.status = 'active'
    and absence.during && slot.during
    and slot.starts_at > lower(absence.during) - interval '1 day'
    and slot.starts_at < upper(absence.during)
  where slot.withdrawn_at is null
    and not slot.is_retired
    and slot.absence_id is null
    and slot.starts_at > (select app_private.clock())
) as broken
join app_public.health_check as entry on entry.name = 'unblocked_slot_in_absence';

comment on view checks.unblocked_slot_in_absence is 'Slots ahead that are not closed though an active absence of their doctor touches them.';
revoke all on checks.unblocked_slot_in_absence from public;
grant select on checks.unblocked_slot_in_absence to app_monitor;

select app_private.declare_check(
  name => 'unblocked_slot_in_absence', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot is open while its doctor is away',
  meaning => 'An active absence of the doctor touches the slot, but the slot is not closed by it.',
  importance => 'Patients can book a doctor who will not be there.',
  resolution => $$The repair closes the slot and tells the patients who sit in it, as entering the absence does; the hourly job does it by itself. Somebody in an emergency absence is left to people, because such visits are cancelled: cancel the appointment, then run select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'unblocked_slot_in_absence' and resolved_at is null; If the doctor is here after all, cancel the absence instead.$$,
  repair => 'repair_slot_closure',
  is_event_driven => true);
--! EndIncluded checks/generation/unblocked_slot_in_absence.sql
--! Included checks/generation/block_without_absence.sql
-- The other way round: a slot ahead is closed by an absence that was cancelled, is another doctor's or
-- touches it not, or by a holiday that was cancelled or falls on another day. Only closed slots are read,
-- by the two partial indexes. What somebody blocked by hand has its own reason and is none of this.
create or replace view checks.block_without_absence as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.id as entity_id,
  case broken.closure
    when 'absence' then 'The slot is closed by an absence that does not hold then.'
    else 'The slot is closed by a holiday that does not hold then.'
  end as detail,
  jsonb_build_object(
    'doctor_id', broken.doctor_id, 'closure', broken.closure, 'closure_id', broken.closure_id,
    'starts_at', broken.starts_at, 'booked_count', broken.booked_count) as metadata,
  concat_ws(':', entry.name, broken.id, broken.closure) as cache_key
from (
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count,
    'absence' as closure, slot.absence_id as closure_id
  from app_public.slot
  left join app_public.absence
    on absence.hospital_id = slot.hospital_id
    and absence.id = slot.absence_id
    and absence.doctor_id = slot.doctor_id
    and absence.status = 'active'
    and absence.during && slot.during
  where slot.absence_id is not null
    and slot.withdrawn_at is null
    and not slot.is_retired
    and slot.starts_at > (select app_private.clock())
    and absence.id is null
  union all
  select slot.hospital_id, slot.id, slot.doctor_id, slot.starts_at, slot.booked_count, 'holiday', slot.holiday_id
  from app_public.slot
  join app_public.hospital on hospital.id = slot.hospital_id
  cross join lateral (
    select (slot.starts_at at time zone hospital.time_zone)::date as day
    offset 0
  ) as local
  left join app_public.holiday
    on holiday.hospital_id = slot.hospital_id
    and holiday.id = slot.holiday_id
    and holiday.is_active
    and holiday.month_day = (extract(month from local.day) * 100 + extract(day from local.day))::integer
    and (holiday.is_recurring or holiday.date = local.day)
  where slot.holiday_id is not null
    and slot.withdrawn_at is null
    and not slot.is_retired
    and slot.starts_at > (select app_private.clock())
    and holiday.id is null
) as broken
join app_public.health_check as entry on entry.name = 'block_without_absence';

comment on view checks.block_without_absence is 'Slots ahead that are closed by an absence or a holiday that does not hold then.';
revoke all on checks.block_without_absence from public;
grant select on checks.block_without_absence to app_monitor;

select app_private.declare_check(
  name => 'block_without_absence', domain => 'generation', severity => 'warning', entity_type => 'slot',
  title => 'A slot is closed without a reason',
  meaning => 'The slot is closed by an absence or a holiday that was cancelled, is at another time, or is another doctor''s. Slots blocked by hand are right.',
  importance => 'The doctor is there and the time is offered to nobody.',
  resolution => $$The repair opens the slot, or hands it to the absence or holiday that does hold then; the hourly job does it by itself. At once: select app_private.repair_finding(hospital_id, id) from app_public.finding where check_name = 'block_without_absence' and resolved_at is null;$$,
  repair => 'repair_slot_closure');
--! EndIncluded checks/generation/block_without_absence.sql
--! Included functions/health/is_still_found.sql
-- A repair looks again once it holds the locks: what the check says then, nobody changes any more.
create or replace function app_private.is_still_found(finding app_public.finding)
returns boolean
language plpgsql volatile
as $$
declare
  answer boolean;
begin
  execute format(
    'select exists (select from checks.%I as found where found.hospital_id = $1 and found.entity_id = $2 and found.cache_key = $3)',
    finding.check_name)
  into answer using finding.hospital_id, finding.entity_id, finding.cache_key;
  return answer;
end
$$;

comment on function app_private.is_still_found(app_public.finding) is 'Whether its check still finds this problem.';

revoke execute on function app_private.is_still_found(app_public.finding) from public;
--! EndIncluded functions/health/is_still_found.sql
--! Included functions/health/repair_slot_count.sql
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
--! EndIncluded functions/health/repair_slot_count.sql
--! Included functions/health/repair_stray_slot.sql
-- A slot that should not be offered (twice there, off the hours or the grid, of no schedule) is withdrawn
-- when nobody sits in it; its row stays, for whoever refers to it. One that an active schedule has at this
-- very time and place only lost its way: it follows that schedule again. With somebody in it people
-- decide. The calendar is locked first, so that no change of the hours comes in between, then the slot:
-- a booking that has it is waited for, and counts.
create or replace function app_private.repair_stray_slot(finding app_public.finding)
returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  slot app_public.slot;
  day date;
  zone text;
  right_schedule uuid;
begin
  select * into slot
  from app_public.slot as present
  where present.hospital_id = finding.hospital_id and present.id = finding.entity_id;
  if slot.id is null then
    return 'Nothing to do: the slot is gone.';
  end if;
  perform app_private.lock_calendar(slot.hospital_id, slot.doctor_id);
  select * into slot
  from app_public.slot as present
  where present.hospital_id = finding.hospital_id and present.id = finding.entity_id
  for no key update;
  if slot.id is null or not app_private.is_still_found(finding) then
    return 'Nothing to do: the slot is right.';
  end if;

  if finding.check_name = 'slot_without_schedule' then
    select hospital.time_zone, (slot.starts_at at time zone hospital.time_zone)::date into zone, day
    from app_public.hospital
    where hospital.id = slot.hospital_id;
    select wanted.schedule_id into right_schedule
    from app_private.wanted_slots(
      slot.hospital_id, zone, app_private.working_hours_from(slot.hospital_id, slot.doctor_id, day), day, day) as wanted
    where wanted.during = slot.during and wanted.location_id = slot.location_id;
    if right_schedule is not null then
      update app_public.slot as present
      set schedule_id = right_schedule
      where present.hospital_id = slot.hospital_id and present.id = slot.id;
      perform app_private.record_repair(slot.hospital_id, 'slot', slot.id,
        jsonb_build_object('schedule_id', slot.schedule_id), jsonb_build_object('schedule_id', right_schedule));
      return 'The slot follows the schedule that has its time.';
    end if;
  end if;
  if slot.booked_count > 0 or exists (
    select from checks.slot_seats as seats
    where seats.hospital_id = slot.hospital_id and seats.slot_id = slot.id and seats.seated > 0)
  then
    return null;
  end if;
  update app_public.slot as present
  set withdrawn_at = app_private.clock()
  where present.hospital_id = slot.hospital_id and present.id = slot.id;
  return 'Nobody sat in the slot: it is withdrawn.';
end
$$;

comment on function app_private.repair_stray_slot(app_public.finding) is
  'Withdraws a slot that should not be there when nobody sits in it, or gives it the schedule that has its time.';

revoke execute on function app_private.repair_stray_slot(app_public.finding) from public;
--! EndIncluded functions/health/repair_stray_slot.sql
--! Included functions/health/repair_slot_closure.sql
-- Closes a slot for the absence and the holiday that hold at its time, and opens it where none does: what
-- entering and cancelling them does for all slots, done for one that was passed over. Those who sit in a
-- slot that is closed now are told as they would have been; in an emergency they would have been
-- cancelled, which is for people to do. The calendar is locked first, then the slot.
create or replace function app_private.repair_slot_closure(finding app_public.finding)
returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  slot app_public.slot;
  absence app_public.absence;
  holiday app_public.holiday;
  affected app_public.affected_appointment[];
begin
  select * into slot
  from app_public.slot as present
  where present.hospital_id = finding.hospital_id and present.id = finding.entity_id;
  if slot.id is null then
    return 'Nothing to do: the slot is gone.';
  end if;
  perform app_private.lock_calendar(slot.hospital_id, slot.doctor_id);
  select * into slot
  from app_public.slot as present
  where present.hospital_id = finding.hospital_id and present.id = finding.entity_id
  for no key update;
  if slot.id is null or not app_private.is_still_found(finding) then
    return 'Nothing to do: the slot is closed and open as it should be.';
  end if;

  select * into absence
  from app_public.absence as away
  where away.hospital_id = slot.hospital_id
    and away.doctor_id = slot.doctor_id
    and away.status = 'active'
    and away.during && slot.during
  order by away.id <> coalesce(slot.absence_id, away.id), away.during
  limit 1;
  select (app_private.holiday_on(slot.hospital_id, (slot.starts_at at time zone hospital.time_zone)::date)).* into holiday
  from app_public.hospital
  where hospital.id = slot.hospital_id;
  affected := array(
    select visit
    from app_private.find_affected(slot.hospital_id, slot.doctor_id, slot.during, with_alternatives => false) as visit
    join app_public.appointment
      on appointment.hospital_id = slot.hospital_id and appointment.id = visit.appointment_id and appointment.holds_seat);
  if slot.absence_id is null and absence.type = 'emergency' and affected <> '{}' then
    return null;
  end if;

  update app_public.slot as present
  set absence_id = absence.id, holiday_id = holiday.id
  where present.hospital_id = slot.hospital_id and present.id = slot.id;
  perform app_private.record_repair(slot.hospital_id, 'slot', slot.id,
    jsonb_build_object('absence_id', slot.absence_id, 'holiday_id', slot.holiday_id),
    jsonb_build_object('absence_id', absence.id, 'holiday_id', holiday.id));
  perform app_private.announce_calendar(slot.hospital_id, slot.doctor_id);
  if slot.absence_id is null and absence.id is not null then
    perform app_private.tell_affected(slot.hospital_id, 'doctor_absent', affected);
  end if;
  if slot.holiday_id is null and holiday.id is not null then
    perform app_private.tell_affected(
      slot.hospital_id, 'hospital_closed', affected, jsonb_build_object('holiday', holiday.name));
  end if;
  return case when absence.id is null and holiday.id is null
    then 'The slot is open again.' else 'The slot is closed by what holds at its time.' end;
end
$$;

comment on function app_private.repair_slot_closure(app_public.finding) is
  'Closes or opens a slot as absences and holidays say.';

revoke execute on function app_private.repair_slot_closure(app_public.finding) from public;
--! EndIncluded functions/health/repair_slot_closure.sql
--! Included functions/health/repair_missing_slots.sql
-- The same generation as every night, for one day of one doctor: in turn with everything else that
-- writes this calendar, beside bookings, and without effect where nothing is missing.
create or replace function app_private.repair_missing_slots(finding app_public.finding)
returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  day date := (finding.metadata ->> 'day')::date;
  generated integer;
begin
  generated := app_private.cut_slots(finding.hospital_id, day, day, finding.entity_id);
  if generated = 0 then
    return 'Nothing to do: no slot is missing on this day.';
  end if;
  return format('Generated %s slots.', generated);
end
$$;

comment on function app_private.repair_missing_slots(app_public.finding) is 'Generates the missing slots of a doctor''s day.';

revoke execute on function app_private.repair_missing_slots(app_public.finding) from public;
--! EndIncluded functions/health/repair_missing_slots.sql
--! Included checks/all_findings.sql
-- Everything that is wrong now, of all checks.
select app_private.unite_checks();

comment on view checks.all_findings is 'Everything that is wrong now: the findings of all checks. Empty while all is well.';
revoke all on checks.all_findings from public;
grant select on checks.all_findings to app_monitor;

comment on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'What the event-driven checks say of these appointments, slots, doctors and patients of a hospital.';
revoke execute on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) from public;
--! EndIncluded checks/all_findings.sql

reset role;
