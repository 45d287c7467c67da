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
