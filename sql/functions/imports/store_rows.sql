-- One fault anywhere, and rows that only have to be written are not written any more: nothing can be
-- learnt from it. Appointments are tried nevertheless, for what booking says of them.
create or replace function app_private.store_rows(
  hospital_id uuid, run_id uuid, kind app_public.import_kind, first_row integer, last_row integer)
returns void
language plpgsql volatile
as $$
begin
  if not exists (
    select from app_public.import_run
    where import_run.hospital_id = store_rows.hospital_id and import_run.id = store_rows.run_id)
  then
    return;
  end if;
  if kind = 'appointments' then
    perform app_private.store_appointments(hospital_id, run_id, first_row, last_row);
    return;
  end if;
  if exists (
    select from app_private.import_row
    where import_row.hospital_id = store_rows.hospital_id and import_row.run_id = store_rows.run_id
      and import_row.faults <> '{}')
  then
    return;
  end if;
  case kind
    when 'doctors' then perform app_private.store_doctors(hospital_id, run_id, first_row, last_row);
    when 'patients' then perform app_private.store_patients(hospital_id, run_id, first_row, last_row);
    when 'schedules' then perform app_private.store_schedules(hospital_id, run_id, first_row, last_row);
  end case;
end
$$;

comment on function app_private.store_rows(uuid, uuid, app_public.import_kind, integer, integer) is
  'Stores the rows of an import from one number to another, after all were judged.';

revoke execute on function app_private.store_rows(uuid, uuid, app_public.import_kind, integer, integer) from public;
grant execute on function app_private.store_rows(uuid, uuid, app_public.import_kind, integer, integer) to app_admin;
