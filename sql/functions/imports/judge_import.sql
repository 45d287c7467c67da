-- Every row is looked at before the first one is stored. The run is entered when there is a chance that
-- it will be carried out: appointments are booked even beside rows at fault, to hear what booking says of
-- them all, and then undone together.
create or replace function app_private.judge_import(
  hospital_id uuid, run_id uuid, kind app_public.import_kind, file_name text default null)
returns void
language plpgsql volatile
as $$
declare
  content record;
  earlier record;
begin
  select count(*)::integer as row_count, min(import_row.row_number) as first_row,
    encode(sha256(convert_to(coalesce(string_agg(md5(import_row.fields::text), '' order by import_row.row_number), ''), 'UTF8')), 'hex') as fingerprint
  into content
  from app_private.import_row
  where import_row.hospital_id = judge_import.hospital_id and import_row.run_id = judge_import.run_id;
  if content.row_count = 0 then
    perform app_private.refuse('invalid_input', jsonb_build_object('rows', 'are missing'));
  end if;

  select import_run.id, import_run.imported_at, import_run.file_name into earlier
  from app_public.import_run
  where import_run.hospital_id = judge_import.hospital_id
    and import_run.kind = judge_import.kind
    and import_run.fingerprint = content.fingerprint;
  if found then
    update app_private.import_row
    set faults = array[app_private.import_fault(null, null, null, 'already_imported', format(
      'The same rows were imported already, at %s by run %s%s.',
      to_char(earlier.imported_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), earlier.id,
      coalesce(' from ' || earlier.file_name, '')))]
    where import_row.hospital_id = judge_import.hospital_id
      and import_row.run_id = judge_import.run_id and import_row.row_number = content.first_row;
    return;
  end if;

  insert into app_public.import_run (hospital_id, id, kind, file_name, row_count, fingerprint)
  values (hospital_id, run_id, kind, file_name, content.row_count, content.fingerprint);

  update app_private.import_row
  set faults = array[app_private.import_fault(import_row.row_number, null, null, 'wrong_number_of_cells')]
  where import_row.hospital_id = judge_import.hospital_id
    and import_row.run_id = judge_import.run_id and import_row.fields is null;
  case kind
    when 'doctors' then perform app_private.judge_doctors(hospital_id, run_id);
    when 'patients' then perform app_private.judge_patients(hospital_id, run_id);
    when 'schedules' then perform app_private.judge_schedules(hospital_id, run_id);
    when 'appointments' then perform app_private.judge_appointments(hospital_id, run_id);
  end case;
end
$$;

comment on function app_private.judge_import(uuid, uuid, app_public.import_kind, text) is
  'Judges all rows of an import, after the last has been taken, and notes every fault.';

revoke execute on function app_private.judge_import(uuid, uuid, app_public.import_kind, text) from public;
grant execute on function app_private.judge_import(uuid, uuid, app_public.import_kind, text) to app_admin;
