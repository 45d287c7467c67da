-- Somebody else may have registered one of them since the rows were judged: then it is left out here, and
-- the row that brought it is at fault like any other.
create or replace function app_private.store_patients(hospital_id uuid, run_id uuid, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
begin
  with wished as materialized (
    select import_row.row_number, cell.*
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.patient_import_row, import_row.fields) as cell
    where import_row.hospital_id = store_patients.hospital_id and import_row.run_id = store_patients.run_id
      and import_row.row_number between first_row and last_row
  ), stored as (
    insert into app_public.patient (hospital_id, medical_record_number, name, phone, email, date_of_birth)
    select store_patients.hospital_id, wished.medical_record_number, wished.name, wished.phone, lower(wished.email),
      app_private.read_day(wished.date_of_birth)
    from wished
    order by wished.row_number
    on conflict on constraint a_medical_record_number_is_unique_in_its_hospital do nothing
    returning patient.id, patient.medical_record_number
  )
  insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
  select store_patients.hospital_id, store_patients.run_id, wished.row_number, stored.id
  from stored
  join wished on wished.medical_record_number = stored.medical_record_number;

  update app_private.import_row
  set faults = array[app_private.import_fault(
    import_row.row_number, import_row.fields, 'medical_record_number', 'medical_record_number_taken')]
  where import_row.hospital_id = store_patients.hospital_id and import_row.run_id = store_patients.run_id
    and import_row.row_number between first_row and last_row
    and not exists (
      select from app_public.imported_row
      where imported_row.hospital_id = store_patients.hospital_id and imported_row.run_id = store_patients.run_id
        and imported_row.row_number = import_row.row_number);
end
$$;

comment on function app_private.store_patients(uuid, uuid, integer, integer) is 'Stores some of the patients of an import that has no fault.';

revoke execute on function app_private.store_patients(uuid, uuid, integer, integer) from public;
grant execute on function app_private.store_patients(uuid, uuid, integer, integer) to app_admin;
