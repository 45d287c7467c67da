-- The statements that bring a guard back to what was declared, whatever became of it: present is its
-- definition now, null when it is gone. With no declared definition they take away what nobody declared.
-- Text only: nothing is run, so that a person reads it first.
create or replace function app_private.guard_restoration(
  kind text, object text, name text, definition text, source text, present text)
returns text
language plpgsql stable
set search_path = ''
as $$
declare
  asleep constant text := ' (its triggers are disabled)';
  broken constant text := ' (its index is not valid)';
  space constant text := split_part(object, '.', 1);
  privilege constant text := substring(name from '^(\w+(?: \(.*\))?) to ');
  whom constant text := substring(name from '^\w+(?: \(.*\))? to (.*)$');
  place constant text := case object when 'database' then format('database %I', current_database()) else object end;
  base text := replace(replace(present, asleep, ''), broken, '');
  parameter constant text := split_part(name, ' ', 1);
begin
  if definition is null then
    return case kind
      when 'policy' then format('drop policy %I on %s;', name, object)
      when 'trigger' then format('drop trigger %I on %s;', name, object)
      when 'rule' then format('drop rule %I on %s;', name, object)
      when 'grant' then format('revoke %s on %s from %s;', privilege, place, whom)
      when 'membership' then format('revoke %s;', replace(name, ' to ', ' from '))
      when 'function' then format('drop function %s.%s;', object, name)
      when 'role' then format('alter role %I nosuperuser nobypassrls;', name)
      when 'superuser' then format('alter role %I nosuperuser nobypassrls;', name)
      when 'default_rights' then (
        select string_agg(format('alter default privileges for role %I%s revoke all on %s from %s;', object,
          ' in schema ' || nullif(split_part(name, ' ', 2), ''),
          case left(name, 1) when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end,
          coalesce(nullif(split_part(acl, '=', 1), ''), 'public')), ' ' order by acl)
        from unnest(present::text[]) as acl)
      when 'setting' then case
        when object = 'system' then format('alter system reset %I; select pg_catalog.pg_reload_conf();', parameter)
        when object = 'role all' and name like '% in database' then format('alter database %I reset %I;', current_database(), parameter)
        when name like '% in database' then format('alter %s in database %I reset %I;', object, current_database(), parameter)
        else format('alter %s reset %I;', object, parameter)
      end
    end;
  end if;
  return case kind
    when 'constraint' then concat(
      case when present like '%' || asleep || '%' then
        format('alter table %s enable trigger all; alter table %s enable trigger all; ',
          object, substring(definition from ' REFERENCES (.+?)\('))
      end,
      case when present like '%' || broken then format('reindex index %s.%I; ', space, name) end,
      case
        when base = definition then null
        when base is null then format('alter table %s add constraint %I %s;', object, name, definition)
        when base = definition || ' NOT VALID' then format('alter table %s validate constraint %I;', object, name)
        when base = definition || ' NOT ENFORCED' and definition like 'FOREIGN KEY%' then
          format('alter table %s alter constraint %I enforced;', object, name)
        else format('alter table %s drop constraint %I, add constraint %2$I %3$s;', object, name, definition)
      end)
    when 'not_null' then format('alter table %s alter column %I set not null;', object, name)
    when 'unique_index' then case
      when present is null then definition || ';'
      when present = definition || ' (not valid)' then format('reindex index %s.%I;', space, name)
      else format('drop index %s.%I; %s;', space, name, definition)
    end
    when 'trigger' then format('%s; alter table %s enable trigger %I;',
      regexp_replace(definition, '^CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), object, name)
    when 'rule' then regexp_replace(definition, '^CREATE RULE', 'CREATE OR REPLACE RULE')
    when 'policy' then concat(case when present is not null then format('drop policy %I on %s; ', name, object) end, definition, ';')
    when 'row_security' then concat(format('alter table %s ', object),
      case when definition like 'enabled%' then 'enable row level security' end,
      case when definition = 'enabled and forced' then ', ' end,
      case when definition like '%forced' then 'force row level security' end, ';')
    when 'grant' then concat(case when present is not null then format('revoke %s on %s from %s; ', privilege, place, whom) end,
      format('grant %s on %s to %s%s;', privilege, place, whom,
        case when definition like '% with grant option' then ' with grant option' end))
    when 'owner' then format('alter %s owner to %I;', case when object ~ '^(schema|sequence) ' then object else 'table ' || object end, definition)
    when 'default' then case
      when definition like 'default %' then format('alter table %s alter column %I set %s;', object, name, definition)
      when definition like '% as identity' and present is null then format('alter table %s alter column %I add %s;', object, name, definition)
      when definition like '% as identity' then
        format('alter table %s alter column %I set %s;', object, name, replace(definition, ' as identity', ''))
      else format('alter table %s drop column %I; alter table %1$s add column %2$I %3$s %4$s;', object, name, source, definition)
    end
    when 'role' then format('%s role %I %s;', case when present is null then 'create' else 'alter' end, name, definition)
    when 'membership' then concat(case when present is not null then format('revoke %s; ', replace(name, ' to ', ' from ')) end,
      'grant ', name, case when definition like '%may pass it on%' then ' with admin option' end, ';',
      -- A member inherits as its role says, unless it is said here.
      case when definition like '%inherits%' and present is not null then format(' grant %s with inherit true;', name) end)
    when 'default_rights' then format('alter default privileges for role %I revoke execute on functions from public;', object)
    else source
  end;
end
$$;

comment on function app_private.guard_restoration(text, text, text, text, text, text) is
  'The statements that bring a guard back to what was declared, or take away what nobody declared.';

revoke execute on function app_private.guard_restoration(text, text, text, text, text, text) from public;
grant execute on function app_private.guard_restoration(text, text, text, text, text, text) to app_monitor;
