-- The last word on an import, before it is committed or rolled back: whoever hears that it is not accepted
-- rolls back.
create or replace function app_private.report_import(
  hospital_id uuid, run_id uuid, kind app_public.import_kind, is_dry_run boolean, max_faults integer default 1000)
returns app_public.import_report
language plpgsql stable
as $$
declare
  counted record;
  listed app_public.import_fault[];
begin
  select count(*)::integer as rows, coalesce(sum(cardinality(import_row.faults)), 0)::integer as faults into counted
  from app_private.import_row
  where import_row.hospital_id = report_import.hospital_id and import_row.run_id = report_import.run_id;

  select array_agg(fault.told order by fault.row_number, fault.position) into listed
  from (
    select import_row.row_number, told.position, row(
      told.row_number, told.column_name, told.scenario, told.message, told.value)::app_public.import_fault as told
    from app_private.import_row
    cross join lateral unnest(import_row.faults) with ordinality
      as told (row_number, column_name, scenario, message, value, position)
    where import_row.hospital_id = report_import.hospital_id and import_row.run_id = report_import.run_id
      and import_row.faults <> '{}'
    order by import_row.row_number, told.position
    limit report_import.max_faults
  ) as fault;

  return row(
    case when counted.faults = 0 and not report_import.is_dry_run then report_import.run_id end,
    report_import.kind,
    counted.faults = 0,
    report_import.is_dry_run,
    counted.rows,
    counted.faults,
    coalesce(listed, '{}'))::app_public.import_report;
end
$$;

comment on function app_private.report_import(uuid, uuid, app_public.import_kind, boolean, integer) is
  'What became of an import: how many rows, and which faults.';

revoke execute on function app_private.report_import(uuid, uuid, app_public.import_kind, boolean, integer) from public;
grant execute on function app_private.report_import(uuid, uuid, app_public.import_kind, boolean, integer) to app_admin;
