create or replace function app_private.clear_rows(hospital_id uuid, run_id uuid) returns void
language plpgsql volatile
as $$
begin
  delete from app_private.import_row
  where import_row.hospital_id = clear_rows.hospital_id and import_row.run_id = clear_rows.run_id;
end
$$;

comment on function app_private.clear_rows(uuid, uuid) is 'Throws away the rows of an import that has been carried out.';

revoke execute on function app_private.clear_rows(uuid, uuid) from public;
grant execute on function app_private.clear_rows(uuid, uuid) to app_admin;
