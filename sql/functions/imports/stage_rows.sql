-- What is empty, what is only blank and what is not there mean the same: nothing.
create or replace function app_private.stage_rows(hospital_id uuid, run_id uuid, row_numbers integer[], rows jsonb)
returns void
language plpgsql volatile
as $$
begin
  insert into app_private.import_row (hospital_id, run_id, row_number, fields)
  select stage_rows.hospital_id, stage_rows.run_id, row_numbers[staged.position::integer], cells.fields
  from jsonb_array_elements(stage_rows.rows) with ordinality as staged (cells, position)
  cross join lateral (
    select jsonb_strip_nulls(jsonb_object_agg(cell.key, nullif(btrim(cell.value, E' \t\r\n'), ''))) as fields
    from jsonb_each_text(case when jsonb_typeof(staged.cells) = 'object' then staged.cells end) as cell
  ) as cells;
end
$$;

comment on function app_private.stage_rows(uuid, uuid, integer[], jsonb) is
  'Takes rows of an import with their numbers: a list of objects of cells by column; null for a row that does not fit the header.';

revoke execute on function app_private.stage_rows(uuid, uuid, integer[], jsonb) from public;
grant execute on function app_private.stage_rows(uuid, uuid, integer[], jsonb) to app_admin;
