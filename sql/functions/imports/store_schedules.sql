-- New hours beside those that there are; nobody else can have entered any since they were judged, because
-- the calendar is locked. Two of one doctor never begin at the same time of the same days, so that tells
-- which row became which. The slots follow by the background job, once a doctor.
create or replace function app_private.store_schedules(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = store_schedules.hospital_id;

  with wished as materialized (
    select import_row.row_number, doctor.id as doctor_id, location.id as location_id,
      app_private.read_weekday(cell.weekday) as weekday,
      cell.start_time::time as start_time, cell.end_time::time as end_time,
      cell.break_start::time as break_start, cell.break_end::time as break_end,
      coalesce(cell.slot_capacity::integer, 1) as slot_capacity,
      coalesce(app_private.read_day(cell.effective_from), today) as effective_from,
      app_private.read_day(cell.effective_until) as effective_until
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.schedule_import_row, import_row.fields) as cell
    join app_public.doctor
      on doctor.hospital_id = store_schedules.hospital_id and doctor.staff_number = cell.staff_number
    join app_public.location
      on location.hospital_id = store_schedules.hospital_id and location.name = cell.location
    where import_row.hospital_id = store_schedules.hospital_id and import_row.run_id = store_schedules.run_id
      and import_row.row_number between first_row and last_row
  ), stored as (
    insert into app_public.schedule (
      hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end,
      slot_capacity, effective_from, effective_until)
    select store_schedules.hospital_id, wished.doctor_id, wished.location_id, wished.weekday, wished.start_time,
      wished.end_time, wished.break_start, wished.break_end, wished.slot_capacity, wished.effective_from,
      wished.effective_until
    from wished
    order by wished.row_number
    returning schedule.id, schedule.doctor_id, schedule.weekday, schedule.start_time, schedule.effective_from
  )
  insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
  select store_schedules.hospital_id, store_schedules.run_id, wished.row_number, stored.id
  from stored
  join wished
    on wished.doctor_id = stored.doctor_id and wished.weekday = stored.weekday
    and wished.start_time = stored.start_time and wished.effective_from = stored.effective_from;
end
$$;

comment on function app_private.store_schedules(uuid, uuid, integer, integer) is 'Stores some of the weekly hours of an import that has no fault.';

revoke execute on function app_private.store_schedules(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_schedules(uuid, uuid, integer, integer) to app_admin;
