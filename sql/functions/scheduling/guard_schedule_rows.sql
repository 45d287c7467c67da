-- Looks at every row of a wished week before anything is written, and says everything that is wrong with
-- it at once. The constraints of the table say the same, but one fault at a time and without the row.
create or replace function app_private.guard_schedule_rows(hospital_id uuid, rows app_public.schedule_row[])
returns void
language plpgsql stable
as $$
declare
  faults jsonb;
begin
  with wished as (
    select wish.number, wish.location_id, wish.weekday, wish.start_time, wish.end_time, wish.break_start, wish.break_end,
      coalesce(wish.slot_capacity, 1) as slot_capacity, location.is_active as location_is_active
    from unnest(rows) with ordinality as wish (
      location_id, weekday, start_time, end_time, break_start, break_end, slot_capacity, number)
    left join app_public.location
      on location.hospital_id = guard_schedule_rows.hospital_id and location.id = wish.location_id
  ),
  fault as (
    select wished.number, verdict.position, verdict.field, verdict.problem, verdict.message, null::bigint as other_row
    from wished
    cross join lateral (values
      ('location_id', 1, 'missing', 'A location is needed.', wished.location_id is null),
      ('location_id', 2, 'unknown_location', 'There is no such location.',
        wished.location_id is not null and wished.location_is_active is null),
      ('location_id', 3, 'inactive_location', 'The location is closed.', not wished.location_is_active),
      ('weekday', 4, 'missing', 'A weekday is needed.', wished.weekday is null),
      ('weekday', 5, 'out_of_range', 'A weekday is 1 (Monday) to 7 (Sunday).', wished.weekday not between 1 and 7),
      ('start_time', 6, 'missing', 'A start is needed.', wished.start_time is null),
      ('end_time', 7, 'missing', 'An end is needed.', wished.end_time is null),
      ('end_time', 8, 'not_after_start', 'Work ends after it starts, on the same day.', wished.end_time <= wished.start_time),
      ('break_start', 9, 'missing', 'A break needs a start as well.',
        wished.break_start is null and wished.break_end is not null),
      ('break_end', 10, 'missing', 'A break needs an end as well.',
        wished.break_end is null and wished.break_start is not null),
      ('break_end', 11, 'not_after_start', 'A break ends after it starts.', wished.break_end <= wished.break_start),
      ('break_start', 12, 'outside_hours', 'A break starts within the working hours.',
        wished.break_start < wished.start_time or wished.break_start > wished.end_time),
      ('break_end', 13, 'outside_hours', 'A break ends within the working hours.',
        wished.break_end > wished.end_time or wished.break_end < wished.start_time),
      ('slot_capacity', 14, 'out_of_range', 'A slot takes 1 to 100 patients.',
        wished.slot_capacity not between 1 and 100)
    ) as verdict (field, position, problem, message, is_fault)
    where verdict.is_fault
    union all
    select wished.number, 15, 'start_time', 'overlaps',
      format('The hours overlap those of row %s.', other.number), other.number
    from wished
    join wished as other
      on other.number < wished.number
      and other.weekday = wished.weekday
      and other.start_time < wished.end_time
      and wished.start_time < other.end_time
      and other.start_time < other.end_time
      and wished.start_time < wished.end_time
  )
  select jsonb_agg(
    jsonb_strip_nulls(jsonb_build_object(
      'row', fault.number, 'field', fault.field, 'problem', fault.problem, 'message', fault.message,
      'other_row', fault.other_row))
    order by fault.number, fault.position, fault.other_row)
  into faults
  from fault;

  if faults is not null then
    perform app_private.refuse('schedule_invalid', jsonb_build_object('rows', faults));
  end if;
end
$$;

comment on function app_private.guard_schedule_rows(uuid, app_public.schedule_row[]) is
  'Refuses a wished week with every fault of every row.';

revoke execute on function app_private.guard_schedule_rows(uuid, app_public.schedule_row[]) from public;
grant execute on function app_private.guard_schedule_rows(uuid, app_public.schedule_row[])
  to app_doctor, app_receptionist, app_admin;
