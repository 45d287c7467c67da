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
