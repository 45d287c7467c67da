-- Looks at every cell of every row in one statement; rows whose cells are right are then laid beside each
-- other and beside the hours that the doctors have. Nobody changes hours meanwhile: the calendar of the
-- whole hospital is locked first. The constraints of the table say the same, for one row at a time.
create or replace function app_private.judge_schedules(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
declare
  today date;
begin
  perform app_private.lock_calendar(hospital_id);
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = judge_schedules.hospital_id;

  with wished as materialized (
    select import_row.row_number, import_row.fields, cell.*,
      doctor.id as doctor_id, doctor.is_active as doctor_is_active, location.id as location_id,
      app_private.read_weekday(cell.weekday) as day_of_week,
      app_private.read_minute(cell.start_time) as starts, app_private.read_minute(cell.end_time) as ends,
      app_private.read_minute(cell.break_start) as pause_starts, app_private.read_minute(cell.break_end) as pause_ends,
      case when cell.effective_from is null then today else app_private.read_day(cell.effective_from) end as holds_from,
      app_private.read_day(cell.effective_until) as holds_until
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.schedule_import_row, import_row.fields) as cell
    left join app_public.doctor
      on doctor.hospital_id = judge_schedules.hospital_id and doctor.staff_number = cell.staff_number
    left join app_public.location
      on location.hospital_id = judge_schedules.hospital_id and location.name = cell.location and location.is_active
    where import_row.hospital_id = judge_schedules.hospital_id and import_row.run_id = judge_schedules.run_id
      and import_row.fields is not null
  ), complete as materialized (
    select wished.row_number, wished.doctor_id, wished.day_of_week,
      app_private.time_range(wished.starts, wished.ends) as hours,
      daterange(wished.holds_from, wished.holds_until, '[]') as days
    from wished
    where wished.doctor_id is not null and wished.day_of_week is not null
      and wished.starts < wished.ends
      and (wished.holds_until >= wished.holds_from or wished.effective_until is null and wished.holds_from is not null)
  ), clash as (
    select complete.row_number, min(other.row_number) as other_row
    from complete
    join complete as other
      on other.doctor_id = complete.doctor_id and other.day_of_week = complete.day_of_week
      and other.row_number < complete.row_number
      and other.hours && complete.hours and other.days && complete.days
    group by complete.row_number
    union all
    select complete.row_number, null
    from complete
    where exists (
      select from app_public.schedule
      where schedule.hospital_id = judge_schedules.hospital_id
        and schedule.doctor_id = complete.doctor_id and schedule.weekday = complete.day_of_week
        and schedule.is_active
        and app_private.time_range(schedule.start_time, schedule.end_time) && complete.hours
        and daterange(schedule.effective_from, schedule.effective_until, '[]') && complete.days)
  ), fault as (
    select wished.row_number, wished.fields, verdict.position, verdict.scenario, verdict.column_name, verdict.message
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'staff_number', wished.staff_number is null, null),
      (2, 'doctor_not_found', 'staff_number', wished.staff_number is not null and wished.doctor_id is null,
        'There is no doctor with this staff number.'),
      (3, 'doctor_inactive', 'staff_number', not wished.doctor_is_active, null),
      (4, 'cell_missing', 'location', wished.location is null, null),
      (5, 'location_not_found', 'location', wished.location is not null and wished.location_id is null,
        'There is no location of this name, or it is closed.'),
      (6, 'cell_missing', 'weekday', wished.weekday is null, null),
      (7, 'cell_invalid', 'weekday', wished.weekday is not null and wished.day_of_week is null,
        'A weekday is 1 (Monday) to 7 (Sunday), or its English name.'),
      (8, 'cell_missing', 'start_time', wished.start_time is null, null),
      (9, 'cell_invalid', 'start_time', wished.start_time is not null and wished.starts is null, 'A time is HH:MM.'),
      (10, 'cell_missing', 'end_time', wished.end_time is null, null),
      (11, 'cell_invalid', 'end_time', wished.end_time is not null and wished.ends is null, 'A time is HH:MM, up to 24:00.'),
      (12, 'cell_invalid', 'end_time', wished.ends <= wished.starts, 'Work ends after it starts, on the same day.'),
      (13, 'cell_missing', 'break_start', wished.break_start is null and wished.break_end is not null,
        'A break needs a start as well.'),
      (14, 'cell_invalid', 'break_start', wished.break_start is not null and wished.pause_starts is null, 'A time is HH:MM.'),
      (15, 'cell_invalid', 'break_start', wished.pause_starts < wished.starts or wished.pause_starts > wished.ends,
        'A break starts within the working hours.'),
      (16, 'cell_missing', 'break_end', wished.break_end is null and wished.break_start is not null,
        'A break needs an end as well.'),
      (17, 'cell_invalid', 'break_end', wished.break_end is not null and wished.pause_ends is null, 'A time is HH:MM.'),
      (18, 'cell_invalid', 'break_end', wished.pause_ends <= wished.pause_starts, 'A break ends after it starts.'),
      (19, 'cell_invalid', 'break_end', wished.pause_ends > wished.ends, 'A break ends within the working hours.'),
      (20, 'cell_invalid', 'slot_capacity',
        wished.slot_capacity is not null and coalesce(app_private.read_number(wished.slot_capacity), 0) not between 1 and 100,
        'A slot takes 1 to 100 patients.'),
      (21, 'cell_invalid', 'effective_from', wished.effective_from is not null and wished.holds_from is null,
        'This is not a day YYYY-MM-DD.'),
      (22, 'schedule_in_past', 'effective_from', wished.holds_from < today, null),
      (23, 'cell_invalid', 'effective_until', wished.effective_until is not null and wished.holds_until is null,
        'This is not a day YYYY-MM-DD.'),
      (24, 'cell_invalid', 'effective_until', wished.holds_until < wished.holds_from,
        'The last day comes before the first.')
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    union all
    select wished.row_number, wished.fields, 25, 'schedule_overlaps', 'start_time',
      case
        when clash.other_row is null then 'The doctor has hours at this time already.'
        else format('The hours overlap those of row %s.', clash.other_row)
      end
    from clash
    join wished on wished.row_number = clash.row_number
  ), judged as (
    select fault.row_number, array_agg(
      app_private.import_fault(fault.row_number, fault.fields, fault.column_name, fault.scenario, fault.message)
      order by fault.position, fault.message) as faults
    from fault
    group by fault.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || judged.faults
  from judged
  where import_row.hospital_id = judge_schedules.hospital_id and import_row.run_id = judge_schedules.run_id
    and import_row.row_number = judged.row_number;
end
$$;

comment on function app_private.judge_schedules(uuid, uuid) is 'Notes every fault of all weekly hours to import.';

revoke execute on function app_private.judge_schedules(uuid, uuid) from public;
grant execute on function app_private.judge_schedules(uuid, uuid) to app_admin;
