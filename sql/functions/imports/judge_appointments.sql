-- What the cells stand for is looked up for all rows together; whether the visits can take place is left
-- to booking itself, which comes after. Everything is locked in between.
create or replace function app_private.judge_appointments(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
declare
  zone text;
begin
  select hospital.time_zone into zone
  from app_public.hospital
  where hospital.id = judge_appointments.hospital_id;

  with wished as materialized (
    select import_row.row_number, import_row.fields, cell.*,
      min(import_row.row_number) over (partition by cell.external_id) as first_row,
      app_private.read_start(cell.starts_at, zone) as starts,
      patient.id as patient_id, doctor.id as doctor_id, service.id as service_id, imported_row.run_id as imported_by
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.appointment_import_row, import_row.fields) as cell
    left join app_public.patient
      on patient.hospital_id = judge_appointments.hospital_id and patient.medical_record_number = cell.medical_record_number
    left join app_public.doctor
      on doctor.hospital_id = judge_appointments.hospital_id and doctor.staff_number = cell.staff_number
    left join app_public.service
      on service.hospital_id = judge_appointments.hospital_id and service.name = cell.service and service.is_active
    left join app_public.imported_row
      on imported_row.hospital_id = judge_appointments.hospital_id and imported_row.external_id = cell.external_id
    where import_row.hospital_id = judge_appointments.hospital_id and import_row.run_id = judge_appointments.run_id
      and import_row.fields is not null
  ), judged as (
    select wished.row_number, array_agg(
      app_private.import_fault(wished.row_number, wished.fields, verdict.column_name, verdict.scenario, verdict.message)
      order by verdict.position) as faults
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'medical_record_number', wished.medical_record_number is null, null),
      (2, 'patient_not_found', 'medical_record_number', wished.medical_record_number is not null and wished.patient_id is null,
        'There is no patient with this medical record number.'),
      (3, 'cell_missing', 'staff_number', wished.staff_number is null, null),
      (4, 'doctor_not_found', 'staff_number', wished.staff_number is not null and wished.doctor_id is null,
        'There is no doctor with this staff number.'),
      (5, 'cell_missing', 'starts_at', wished.starts_at is null, null),
      (6, 'cell_invalid', 'starts_at', wished.starts_at is not null and wished.starts is null,
        'A start is YYYY-MM-DD HH:MM, with or without an offset such as +02:00.'),
      (7, 'local_time_skipped', 'starts_at', cardinality(wished.starts) = 0, null),
      (8, 'local_time_ambiguous', 'starts_at', cardinality(wished.starts) = 2, null),
      (9, 'service_not_found', 'service', wished.service is not null and wished.service_id is null, null),
      (10, 'cell_invalid', 'reason', length(wished.reason) > 2000, 'A reason has at most 2000 characters.'),
      (11, 'cell_invalid', 'external_id', length(wished.external_id) > 100, 'An external id has at most 100 characters.'),
      (12, 'repeated_in_import', 'external_id',
        wished.external_id is not null and wished.first_row < wished.row_number,
        format('Row %s has this external id already.', wished.first_row)),
      (13, 'external_id_taken', 'external_id', wished.imported_by is not null, null)
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    group by wished.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || coalesce(judged.faults, '{}'),
      found = jsonb_strip_nulls(jsonb_build_object(
        'patient_id', wished.patient_id,
        'doctor_id', wished.doctor_id,
        'service_id', wished.service_id,
        'starts_at', case when cardinality(wished.starts) = 1 then wished.starts[1] end))
  from wished
  left join judged on judged.row_number = wished.row_number
  where import_row.hospital_id = judge_appointments.hospital_id and import_row.run_id = judge_appointments.run_id
    and import_row.row_number = wished.row_number;

  perform app_private.lock_imported_seats(hospital_id, run_id);
end
$$;

comment on function app_private.judge_appointments(uuid, uuid) is
  'Looks up what the cells of all appointments to import stand for, notes every fault, and locks what booking them will touch.';

revoke execute on function app_private.judge_appointments(uuid, uuid) from public;
grant execute on function app_private.judge_appointments(uuid, uuid) to app_admin;
