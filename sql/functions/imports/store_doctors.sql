-- Somebody else may have entered one of them since the rows were judged: then it is left out here, and
-- the row that brought it is at fault like any other.
create or replace function app_private.store_doctors(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
begin
  with wished as materialized (
    select import_row.row_number, cell.*
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.doctor_import_row, import_row.fields) as cell
    where import_row.hospital_id = store_doctors.hospital_id and import_row.run_id = store_doctors.run_id
      and import_row.row_number between first_row and last_row
  ), stored as (
    insert into app_public.doctor (hospital_id, staff_number, display_name, specialty, slot_duration, max_patients_per_day)
    select store_doctors.hospital_id, wished.staff_number, wished.display_name, wished.specialty,
      make_interval(mins => coalesce(wished.slot_minutes::integer, 30)), coalesce(wished.max_patients_per_day::integer, 30)
    from wished
    order by wished.row_number
    on conflict on constraint a_staff_number_is_unique_in_its_hospital do nothing
    returning doctor.id, doctor.staff_number
  )
  insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
  select store_doctors.hospital_id, store_doctors.run_id, wished.row_number, stored.id
  from stored
  join wished on wished.staff_number = stored.staff_number;

  update app_private.import_row
  set faults = array[app_private.import_fault(import_row.row_number, import_row.fields, 'staff_number', 'staff_number_taken')]
  where import_row.hospital_id = store_doctors.hospital_id and import_row.run_id = store_doctors.run_id
    and import_row.row_number between first_row and last_row
    and not exists (
      select from app_public.imported_row
      where imported_row.hospital_id = store_doctors.hospital_id and imported_row.run_id = store_doctors.run_id
        and imported_row.row_number = import_row.row_number);
end
$$;

comment on function app_private.store_doctors(uuid, uuid, integer, integer) is 'Stores some of the doctors of an import that has no fault.';

revoke execute on function app_private.store_doctors(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_doctors(uuid, uuid, integer, integer) to app_admin;
