-- A calendar is synchronised to telephones and shown to who looks over a shoulder: initials tell a doctor
-- enough, and others little.
create or replace function app_private.initials(name text) returns text
language sql immutable parallel safe
return (
  select string_agg(upper(left(word, 1)) || '.', ' ' order by number)
  from regexp_split_to_table(btrim(name), '\s+') with ordinality as part (word, number)
  where number <= 3 and word <> '');

comment on function app_private.initials(text) is 'The first letters of the first three words of a name.';

revoke execute on function app_private.initials(text) from public;
grant execute on function app_private.initials(text) to app_patient, app_doctor;
