-- A recorded state of a row without what is personal in it. What was null stays null and what is erased
-- already stays as it is, so that the log still explains the row as it now stands, and redacting twice
-- is redacting once. A list that had something in it has one erased thing in it.
create or replace function app_private.redacted_state(table_name text, state jsonb) returns jsonb
language sql immutable parallel safe
return case
  when jsonb_typeof(state) <> 'object' then state
  else state || coalesce((
    select jsonb_object_agg(field,
      case when jsonb_typeof(state -> field) = 'array' then '["[erased]"]' else '"[erased]"' end::jsonb)
    from unnest(app_private.personal_fields(table_name)) as field
    where jsonb_typeof(state -> field) <> 'null'
      and state -> field <> '[]'
      and state ->> field !~ '^(\[erased\]|Erased patient|erased-[0-9a-f-]{36}(@erased\.invalid)?)$'), '{}')
end;

comment on function app_private.redacted_state(text, jsonb) is
  'A state of a row of this table as the audit log has it, with every personal value replaced by [erased].';

revoke execute on function app_private.redacted_state(text, jsonb) from public;
grant execute on function app_private.redacted_state(text, jsonb) to app_eraser;
