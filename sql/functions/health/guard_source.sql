-- The text that makes anew what a definition only sums up: functions, views, rows of the catalog of
-- checks, and the type of a generated column. Null where the definition says it all.
create or replace function app_private.guard_source(kind text, object_id oid, name text)
returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return case guard_source.kind
    when 'function' then (
      select format('%s; alter routine %s owner to %I; revoke all on routine %2$s from public;',
        rtrim(pg_get_functiondef(function.oid), E'\n'), function.oid::regprocedure, pg_get_userbyid(function.proowner))
      from pg_catalog.pg_proc as function where function.oid = guard_source.object_id)
    when 'view' then (
      select format('create or replace view %s%s as %s alter table %1$s owner to %4$I;', class.oid::regclass,
        ' with (' || array_to_string(class.reloptions, ', ') || ')', pg_get_viewdef(class.oid), pg_get_userbyid(class.relowner))
      from pg_catalog.pg_class as class where class.oid = guard_source.object_id)
    when 'check' then (
      select format('insert into app_public.health_check select * from jsonb_populate_record(null::app_public.health_check, %L) '
        'on conflict (name) do update set (%s) = row (%s);', to_jsonb(health_check),
        (select string_agg(quote_ident(field), ', ') from jsonb_object_keys(to_jsonb(health_check)) as field),
        (select string_agg('excluded.' || quote_ident(field), ', ') from jsonb_object_keys(to_jsonb(health_check)) as field))
      from app_public.health_check where health_check.name = guard_source.name)
    when 'default' then (
      select format_type(attribute.atttypid, attribute.atttypmod) from pg_catalog.pg_attribute as attribute
      where attribute.attrelid = guard_source.object_id and attribute.attname = guard_source.name)
  end;
end
$$;

comment on function app_private.guard_source(text, oid, text) is
  'The text that makes a guard anew where its definition only sums it up.';

revoke execute on function app_private.guard_source(text, oid, text) from public;
