-- The words of a fault are those of the catalog, unless the judge can say it more exactly. Of a row it
-- repeats the cell at fault and nothing else.
create or replace function app_private.import_fault(
  row_number integer, fields jsonb, column_name text, scenario text, message text default null)
returns app_public.import_fault
language plpgsql stable
as $$
begin
  return row(
    row_number,
    column_name,
    scenario,
    coalesce(message, (
      select error_catalog.message from app_public.error_catalog
      where error_catalog.scenario = import_fault.scenario)),
    left(fields ->> column_name, 100))::app_public.import_fault;
end
$$;

comment on function app_private.import_fault(integer, jsonb, text, text, text) is 'A fault of a row of an import.';

revoke execute on function app_private.import_fault(integer, jsonb, text, text, text) from public;
grant execute on function app_private.import_fault(integer, jsonb, text, text, text) to app_admin;
