-- Puts facts into a text: {name} becomes the fact of that name, or nothing where there is none. One
-- pass over the pieces between the braces, so that a fact is never read as a template itself, whatever
-- a person wrote into it. Templates have their braces in pairs; a constraint holds them to it.
create or replace function app_private.fill_template(words text, facts jsonb) returns text
language plpgsql immutable parallel safe
as $$
declare
  pieces text[] := string_to_array(replace(words, '}', '{'), '{');
  filled text := pieces[1];
begin
  for name_at in 2 .. cardinality(pieces) by 2 loop
    filled := concat(filled, facts ->> pieces[name_at], pieces[name_at + 1]);
  end loop;
  return rtrim(filled);
end
$$;

comment on function app_private.fill_template(text, jsonb) is
  'A text with the facts in place of their names in braces, without spaces at its end.';

revoke execute on function app_private.fill_template(text, jsonb) from public;
