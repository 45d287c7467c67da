-- Looks at every cell of every row in one statement, against the other rows and against what is stored.
-- The constraints of the table say the same, but for one row, and only the first fault of it.
create or replace function app_private.judge_patients(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
declare
  today date;
begin
  select (app_private.clock() at time zone hospital.time_zone)::date into today
  from app_public.hospital
  where hospital.id = judge_patients.hospital_id;

  with wished as (
    select import_row.row_number, import_row.fields, cell.*,
      min(import_row.row_number) over (partition by cell.medical_record_number) as first_row,
      patient.id as taken_by
    from app_private.import_row
    cross join lateral jsonb_populate_record(null::app_public.patient_import_row, import_row.fields) as cell
    left join app_public.patient
      on patient.hospital_id = judge_patients.hospital_id and patient.medical_record_number = cell.medical_record_number
    where import_row.hospital_id = judge_patients.hospital_id and import_row.run_id = judge_patients.run_id
      and import_row.fields is not null
  ), judged as (
    select wished.row_number, array_agg(
      app_private.import_fault(wished.row_number, wished.fields, verdict.column_name, verdict.scenario, verdict.message)
      order by verdict.position) as faults
    from wished
    cross join lateral (values
      (1, 'cell_missing', 'medical_record_number', wished.medical_record_number is null, null),
      (2, 'cell_invalid', 'medical_record_number', length(wished.medical_record_number) > 64,
        'A medical record number has at most 64 characters.'),
      (3, 'repeated_in_import', 'medical_record_number',
        wished.medical_record_number is not null and wished.first_row < wished.row_number,
        format('Row %s has this medical record number already.', wished.first_row)),
      (4, 'medical_record_number_taken', 'medical_record_number', wished.taken_by is not null, null),
      (5, 'cell_missing', 'name', wished.name is null, null),
      (6, 'cell_invalid', 'name', length(wished.name) > 200, 'A name has at most 200 characters.'),
      (7, 'cell_invalid', 'phone', wished.phone !~ '^\+?[0-9][0-9 ()/.-]{2,30}$',
        'A telephone number has 3 to 31 digits, spaces and ( ) / . - and may begin with +.'),
      (8, 'cell_invalid', 'email', wished.email !~ '^[^@\s]+@[^@\s]+$' or length(wished.email) > 254,
        'This is not an e-mail address.'),
      (9, 'cell_invalid', 'date_of_birth',
        wished.date_of_birth is not null
          and coalesce(app_private.read_day(wished.date_of_birth) not between '1850-01-01' and today, true),
        'A date of birth is a day YYYY-MM-DD, from 1850 to today.')
    ) as verdict (position, scenario, column_name, is_fault, message)
    where verdict.is_fault
    group by wished.row_number
  )
  update app_private.import_row
  set faults = import_row.faults || judged.faults
  from judged
  where import_row.hospital_id = judge_patients.hospital_id and import_row.run_id = judge_patients.run_id
    and import_row.row_number = judged.row_number;
end
$$;

comment on function app_private.judge_patients(uuid, uuid) is 'Notes every fault of every patient to import.';

revoke execute on function app_private.judge_patients(uuid, uuid) from public;
grant execute on function app_private.judge_patients(uuid, uuid) to app_admin;
