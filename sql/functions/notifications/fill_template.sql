-- Puts facts into a text: {name} becomes the fact of that name. Facts are never read as a template
-- themselves, because each name is replaced once and what a person wrote comes last.
create or replace function app_private.fill_template(words text, facts jsonb) returns text
language plpgsql immutable parallel safe
as $$
declare
  filled text := words;
  fact record;
begin
  if facts is null then
    return words;
  end if;
  for fact in select * from jsonb_each_text(facts) loop
    filled := replace(filled, '{' || fact.key || '}', coalesce(fact.value, ''));
  end loop;
  return filled;
end
$$;

comment on function app_private.fill_template(text, jsonb) is 'A text with the facts in place of their names in braces.';

revoke execute on function app_private.fill_template(text, jsonb) from public;
