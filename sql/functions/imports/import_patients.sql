-- See import_rows; the cells are texts, so that one judge reads files and mutations alike.
create or replace function app_public.import_patients(rows app_public.patient_import_row[], is_dry_run boolean default false)
returns app_public.import_report
language plpgsql volatile
as $$
begin
  return app_private.import_rows('patients', to_jsonb(rows), is_dry_run);
end
$$;

comment on function app_public.import_patients(app_public.patient_import_row[], boolean) is
  'Registers patients. All rows or none: with one fault in any row nothing is stored, and the report lists every fault by row and column. At most 1000 rows, as many as fit into a request; more by npm run import. For admins.';

revoke execute on function app_public.import_patients(app_public.patient_import_row[], boolean) from public;
grant execute on function app_public.import_patients(app_public.patient_import_row[], boolean) to app_admin;
