-- All hours of a doctor as they stand after a week was replaced: what held before ends the day before,
-- what held after the replaced days holds again, the new rows lie between. A row that is cut in two
-- keeps its identity before and gets a new one (none yet) after. Change and preview both start here.
create or replace function app_private.replaced_hours(
  hospital_id uuid, doctor_id uuid, effective_from date, rows app_public.schedule_row[], effective_until date)
returns app_private.working_hours[]
language sql stable
as $$
  with held as (
    select schedule.*
    from app_public.schedule
    where schedule.hospital_id = replaced_hours.hospital_id
      and schedule.doctor_id = replaced_hours.doctor_id
      and schedule.is_active
  )
  select coalesce(array_agg(piece.hours), '{}')
  from (
    select row(
      held.id, held.doctor_id, held.location_id, held.weekday, held.start_time, held.end_time,
      held.break_start, held.break_end, held.slot_capacity,
      held.effective_from, least(held.effective_until, replaced_hours.effective_from - 1)
    )::app_private.working_hours as hours
    from held
    where held.effective_from < replaced_hours.effective_from
    union all
    select row(
      case when held.effective_from >= replaced_hours.effective_from then held.id end,
      held.doctor_id, held.location_id, held.weekday, held.start_time, held.end_time,
      held.break_start, held.break_end, held.slot_capacity,
      greatest(held.effective_from, replaced_hours.effective_until + 1), held.effective_until
    )::app_private.working_hours
    from held
    where replaced_hours.effective_until is not null
      and (held.effective_until is null or held.effective_until > replaced_hours.effective_until)
    union all
    select row(
      null, replaced_hours.doctor_id, wish.location_id, wish.weekday, wish.start_time, wish.end_time,
      wish.break_start, wish.break_end, coalesce(wish.slot_capacity, 1),
      replaced_hours.effective_from, replaced_hours.effective_until
    )::app_private.working_hours
    from unnest(replaced_hours.rows) as wish
  ) as piece;
$$;

comment on function app_private.replaced_hours(uuid, uuid, date, app_public.schedule_row[], date) is
  'Weekly hours of a doctor after the days from effective_from to effective_until (null: no end) were replaced by these rows.';

revoke execute on function app_private.replaced_hours(uuid, uuid, date, app_public.schedule_row[], date) from public;
grant execute on function app_private.replaced_hours(uuid, uuid, date, app_public.schedule_row[], date)
  to app_doctor, app_receptionist, app_admin;
