-- A whole import in one call. What a refused import or a dry run did is undone by a refusal that goes no
-- further than this function; the report has been made by then and is answered as a result, because a
-- list of faults is what was asked for.
create or replace function app_private.import_rows(kind app_public.import_kind, rows jsonb, is_dry_run boolean)
returns app_public.import_report
language plpgsql volatile
as $$
declare
  most_rows constant integer := 1000;
  hospital uuid := app_private.request_hospital_id();
  row_count integer := coalesce(jsonb_array_length(rows), 0);
  run uuid;
  report app_public.import_report;
begin
  perform app_private.guard_input(jsonb_build_object('rows', case
    when row_count = 0 then 'are missing'
    when row_count > most_rows then format('are more than %s', most_rows)
  end));
  begin
    run := app_private.start_import(hospital);
    perform app_private.stage_rows(hospital, run, array(select generate_series(1, row_count)), rows);
    perform app_private.judge_import(hospital, run, kind);
    perform app_private.store_rows(hospital, run, kind, 1, row_count);
    report := app_private.report_import(hospital, run, kind, coalesce(is_dry_run, false));
    if report.run_id is null then
      perform app_private.refuse('import_refused');
    end if;
    perform app_private.clear_rows(hospital, run);
  exception when sqlstate 'SK422' then
    if report.kind is null then
      raise;
    end if;
  end;
  return report;
end
$$;

comment on function app_private.import_rows(app_public.import_kind, jsonb, boolean) is
  'Imports a list of rows, all or none, or only tries; returns the report.';

revoke execute on function app_private.import_rows(app_public.import_kind, jsonb, boolean) from public;
grant execute on function app_private.import_rows(app_public.import_kind, jsonb, boolean) to app_admin;
