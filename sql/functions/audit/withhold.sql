-- A recorded state without what is only read with a trace: that a value was there stays, and so does that
-- it changed; what it was does not.
create or replace function app_private.withhold(state jsonb, fields text[]) returns jsonb
language sql immutable parallel safe
return case
  when jsonb_typeof(state) <> 'object' then state
  else state || coalesce((
    select jsonb_object_agg(field, '[withheld]')
    from unnest(fields) as field
    where jsonb_typeof(state -> field) <> 'null'), '{}')
end;

comment on function app_private.withhold(jsonb, text[]) is
  'A state of a row with the values of these columns replaced by [withheld].';

revoke execute on function app_private.withhold(jsonb, text[]) from public;
