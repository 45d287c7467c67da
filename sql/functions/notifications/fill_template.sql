-- Puts facts into a text: {name} becomes the fact of that name, or nothing where there is none. The names
-- become numbers of format() first, all facts come in one pass then, so that a fact is never read as a
-- template itself, whatever a person wrote into it. One expression, so that it is inlined: it runs inside
-- every booking. A name that is missing here is one that no template may use; a constraint says so.
create or replace function app_private.fill_template(
  words text, patient text, doctor text, location text, starts_at text, facts jsonb)
returns text
language sql stable parallel safe
return rtrim(format(
  replace(replace(replace(replace(replace(replace(replace(replace(replace(words,
    '%', '%%'),
    '{patient}', '%1$s'),
    '{doctor}', '%2$s'),
    '{location}', '%3$s'),
    '{starts_at}', '%4$s'),
    '{reason}', '%5$s'),
    '{held_until}', '%6$s'),
    '{holiday}', '%7$s'),
    '{message}', '%8$s'),
  patient, doctor, location, starts_at,
  facts ->> 'reason', facts ->> 'held_until', facts ->> 'holiday', facts ->> 'message'));

comment on function app_private.fill_template(text, text, text, text, text, jsonb) is
  'A text with the facts in place of their names in braces, without spaces at its end.';

revoke execute on function app_private.fill_template(text, text, text, text, text, jsonb) from public;
