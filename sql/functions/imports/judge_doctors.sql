-- Looks at every cell of every row in one statement, against the other rows and against what is stored.
-- The constraints of the table say the same, but for one row, and only the first fault of it.
create or replace function app_private.judge_doctors(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
begin
  with wished as (
    select import_row.row_number, import_row.fields, cell.*,
      min(import_row.row_number) over (partition by cell.staff_number) as first_row,
      doctor.id as taken_by
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.doctor_import_row, import_row.fields) as cell
    left join app_public.doctor
      on doctor.hospital_id = judge_doctors.hospital_id and doctor.staff_number = cell.staff_number
    where import_row.hospital_id = judge_doctors.hospital_id and import_row.run_id = judge_doctors.run_id
      and import_row.fields is not null
  ), judged as (
    select wished.row_number, array_agg(
      app_private.import_fault(wished.row_number, wished.fields, verdict.column_name, verdict.scenario, verdict.message)
      order by verdict.position) as faults
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'staff_number', wished.staff_number is null, null),
      (2, 'cell_invalid', 'staff_number', length(wished.staff_number) > 50,
        'A staff number has at most 50 characters.'),
      (3, 'repeated_in_import', 'staff_number', wished.staff_number is not null and wished.first_row < wished.row_number,
        format('Row %s has this staff number already.', wished.first_row)),
      (4, 'staff_number_taken', 'staff_number', wished.taken_by is not null, null),
      (5, 'cell_missing', 'display_name', wished.display_name is null, null),
      (6, 'cell_invalid', 'display_name', length(wished.display_name) > 200, 'A name has at most 200 characters.'),
      (7, 'cell_invalid', 'specialty', length(wished.specialty) > 100, 'A specialty has at most 100 characters.'),
      (8, 'cell_invalid', 'slot_minutes',
        wished.slot_minutes is not null and coalesce(app_private.read_number(wished.slot_minutes), 0) not between 5 and 480,
        'Slots last 5 to 480 minutes.'),
      (9, 'cell_invalid', 'max_patients_per_day',
        wished.max_patients_per_day is not null
          and coalesce(app_private.read_number(wished.max_patients_per_day), 0) not between 1 and 500,
        'A day holds 1 to 500 patients.')
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    group by wished.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || judged.faults
  from judged
  where import_row.hospital_id = judge_doctors.hospital_id and import_row.run_id = judge_doctors.run_id
    and import_row.row_number = judged.row_number;
end
$$;

comment on function app_private.judge_doctors(uuid, uuid) is 'Notes every fault of every doctor to import.';

revoke execute on function app_private.judge_doctors(uuid, uuid) from public;
grant execute on function app_private.judge_doctors(uuid, uuid) to app_admin;
