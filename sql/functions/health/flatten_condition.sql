-- Postgres writes "a between 1 and 9 and b" as ((a >= 1) AND (a <= 9)) AND b, and once more read and
-- written without the inner brackets. So a condition that a restore or a hand has made anew is compared
-- with what was declared after taking away brackets around AND inside AND, and OR inside OR, and no others.
create or replace function app_private.flatten_condition(definition text) returns text
language plpgsql immutable
set search_path = ''
as $$
declare
  token text;
  depth integer := 1;
  done text[] := array[''];        -- per depth: operands that are complete, with what joins them
  operand text[] := array[''];     -- per depth: the operand that is being read
  inner_text text[] := array[''];  -- per depth: that operand without its brackets
  inner_join text[] := array[''];  -- per depth: what joins its parts, where it is one pair of brackets
  joined_by text[] := array[''];   -- per depth: what joins the operands
  whole text;
begin
  for token in
    select match[1] from regexp_matches(definition, '(''(?:[^'']|'''')*''|[()]| AND | OR |[^()'' ]+| )', 'g') as match
  loop
    if token = '(' then
      depth := depth + 1;
      done[depth] := '';
      operand[depth] := '';
      inner_text[depth] := '';
      inner_join[depth] := '';
      joined_by[depth] := '';
    elsif token = ')' and depth > 1 then
      whole := done[depth] ||
        case when inner_join[depth] <> '' and inner_join[depth] = joined_by[depth] then inner_text[depth] else operand[depth] end;
      depth := depth - 1;
      inner_join[depth] := case when operand[depth] = '' then joined_by[depth + 1] else '' end;
      inner_text[depth] := whole;
      operand[depth] := operand[depth] || '(' || whole || ')';
    elsif token in (' AND ', ' OR ') then
      joined_by[depth] := case when joined_by[depth] in ('', token) then token else 'both' end;
      done[depth] := done[depth] ||
        case when inner_join[depth] = token then inner_text[depth] else operand[depth] end || token;
      operand[depth] := '';
      inner_join[depth] := '';
    else
      operand[depth] := operand[depth] || token;
      inner_join[depth] := '';
    end if;
  end loop;
  return array_to_string(done[1:depth], '') || operand[depth];
end
$$;

comment on function app_private.flatten_condition(text) is
  'A condition without the brackets that say nothing: AND inside AND, OR inside OR.';

revoke execute on function app_private.flatten_condition(text) from public;
grant execute on function app_private.flatten_condition(text) to app_monitor;
