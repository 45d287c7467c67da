--! Previous: sha1:7e715cbd2b7a93212b0607c01daf747565ae03ed
--! Hash: sha1:e226a6b3662ef0459b0c23e4796da349e32f4f0a
--! Message: guards

--! split: 1-current.sql
-- Functions and rights: The system checks that what protects it is still switched on: a manifest of guards that the migrations
-- write themselves, and the checks of references.
set local role app_owner;

--! Included functions/health/was_written_now.sql
-- Whether a row that we see was written by the transaction we are in. A row that is visible and whose
-- writer is still at work can only be our own, and a savepoint's number counts too. A frozen row keeps
-- the number of its writer, which after two thousand million transactions looks like one to come: the
-- server calls that an error, and the answer is no.
create or replace function app_private.was_written_now(written_by xid[]) returns boolean
language plpgsql volatile
set search_path = ''
as $$
declare
  first constant bigint := pg_current_xact_id()::text::bigint;
  span constant bigint := 4294967296;
  writer text;
  ahead bigint;
begin
  foreach writer in array coalesce(written_by::text[], '{}') loop
    ahead := (writer::bigint - first % span + span) % span;
    if ahead < span / 2 and pg_xact_status((first + ahead)::text::xid8) = 'in progress' then
      return true;
    end if;
  end loop;
  return false;
exception when invalid_parameter_value then
  return false;
end
$$;

comment on function app_private.was_written_now(xid[]) is
  'Whether one of these numbers of writers is the transaction that asks.';

revoke execute on function app_private.was_written_now(xid[]) from public;
--! EndIncluded functions/health/was_written_now.sql
--! Included functions/health/guards_in_force.sql
-- What guards the data now, read from the catalogs of Postgres: one row a guard, with a definition that
-- changes whenever the guard does; a guard that is there but asleep has another definition. The settings
-- hold still whatever shapes the text of an expression, so that every session reads the same. Catalogs
-- that everybody may read, and our own catalog of checks: definer because of the latter.
create or replace function app_private.guards_in_force()
returns table (kind text, object text, name text, definition text, is_access boolean, written_by xid[], object_id oid)
language plpgsql stable security definer rows 5000
set search_path = ''
set quote_all_identifiers = off
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set bytea_output = 'hex'
set extra_float_digits = 1
as $$
begin
  return query
  with space as materialized (
    select namespace.oid, namespace.nspname, namespace.nspowner, namespace.nspacl, namespace.xmin as written
    from pg_catalog.pg_namespace as namespace
    where namespace.nspname in ('app_public', 'app_private', 'app_extension', 'checks')
  ), relation as materialized (
    select class.oid, class.relkind, class.relowner, class.relacl, class.relrowsecurity, class.relforcerowsecurity,
      class.reloptions, class.xmin as written, format('%I.%I', space.nspname, class.relname) as object,
      case when class.relkind = 'S' then 'sequence ' else '' end || format('%I.%I', space.nspname, class.relname) as named
    from space join pg_catalog.pg_class as class on class.relnamespace = space.oid
    where class.relkind in ('r', 'p', 'v', 'm', 'S') and space.nspname <> 'app_extension'
  ), routine as materialized (
    select function.*, function.xmin as written, space.nspname, language.lanname,
      format('%I(%s)', function.proname, oidvectortypes(function.proargtypes)) as signature
    from space
    join pg_catalog.pg_proc as function on function.pronamespace = space.oid
    join pg_catalog.pg_language as language on language.oid = function.prolang
    where function.prokind in ('f', 'p') and space.nspname <> 'app_extension'
      and language.lanname <> 'internal' -- the constructors of range types
  ), key_triggers as materialized (
    select internal.tgconstraint, bool_and(internal.tgenabled = 'O') as are_awake
    from pg_catalog.pg_trigger as internal
    where internal.tgisinternal group by internal.tgconstraint
  ), permission (named, relation_object, acl, owner, written, object_id) as (
    select relation.named, relation.object, relation.relacl, relation.relowner, relation.written, relation.oid from relation
    union all
    select 'schema ' || quote_ident(space.nspname), 'schema ' || quote_ident(space.nspname), space.nspacl, space.nspowner,
      space.written, space.oid
    from space
    union all
    select format('%s %I.%s', case routine.prokind when 'p' then 'procedure' else 'function' end, routine.nspname, routine.signature),
      format('%s %I.%s', case routine.prokind when 'p' then 'procedure' else 'function' end, routine.nspname, routine.signature),
      coalesce(routine.proacl, acldefault('f', routine.proowner)), routine.proowner, routine.written, routine.oid
    from routine
    union all
    select 'database', 'database', coalesce(database.datacl, acldefault('d', database.datdba)), database.datdba,
      database.xmin, database.oid
    from pg_catalog.pg_database as database where database.datname = current_database()
  ), granted as (
    select permission.named, lower(acl.privilege_type) as privilege, acl.grantee, bool_or(acl.is_grantable) as is_grantable,
      permission.written, permission.object_id
    from permission cross join lateral aclexplode(permission.acl) as acl
    where acl.grantee <> permission.owner
    group by permission.named, acl.privilege_type, acl.grantee, permission.written, permission.object_id
    union all
    select relation.named, format('%s (%I)', lower(acl.privilege_type), attribute.attname), acl.grantee,
      bool_or(acl.is_grantable), attribute.xmin, relation.oid
    from relation
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = relation.oid
    cross join lateral aclexplode(attribute.attacl) as acl
    where not attribute.attisdropped and acl.grantee <> relation.relowner
    group by relation.named, acl.privilege_type, attribute.attname, acl.grantee, attribute.xmin, relation.oid
  )
  select 'constraint', relation.object, fact.conname::text,
    concat(pg_get_constraintdef(fact.oid),
      case when not key_triggers.are_awake then ' (its triggers are disabled)' end,
      case when not (index.indisvalid and index.indisready) then ' (its index is not valid)' end),
    false, array[fact.xmin], fact.oid
  from relation
  join pg_catalog.pg_constraint as fact on fact.conrelid = relation.oid and fact.contype in ('c', 'u', 'p', 'x', 'f')
  left join key_triggers on key_triggers.tgconstraint = fact.oid and fact.contype = 'f'
  left join pg_catalog.pg_index as index on index.indexrelid = fact.conindid and fact.contype in ('u', 'p', 'x')
  union all
  select 'not_null', relation.object, attribute.attname::text,
    case when fact.convalidated is false then 'not null not valid' else 'not null' end,
    false, array[attribute.xmin, fact.xmin], relation.oid
  from relation
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = relation.oid and attribute.attnum > 0 and attribute.attnotnull and not attribute.attisdropped
  left join pg_catalog.pg_constraint as fact -- since Postgres 18
    on fact.conrelid = relation.oid and fact.contype = 'n' and fact.conkey = array[attribute.attnum]
  where relation.relkind in ('r', 'p')
  union all
  select 'unique_index', relation.object, class.relname::text,
    concat(pg_get_indexdef(class.oid), case when not (index.indisvalid and index.indisready) then ' (not valid)' end),
    false, array[index.xmin], class.oid
  from relation
  join pg_catalog.pg_index as index on index.indrelid = relation.oid and index.indisunique
  join pg_catalog.pg_class as class on class.oid = index.indexrelid
  where not exists (
    select from pg_catalog.pg_constraint as fact where fact.conrelid = relation.oid and fact.conindid = class.oid
      and fact.contype in ('u', 'p', 'x'))
  union all
  select 'trigger', relation.object, reflex.tgname::text,
    concat(pg_get_triggerdef(reflex.oid),
      case reflex.tgenabled when 'D' then ' (disabled)' when 'R' then ' (only on replicas)' when 'A' then ' (always)' end),
    true, array[reflex.xmin], reflex.oid
  from relation join pg_catalog.pg_trigger as reflex on reflex.tgrelid = relation.oid and not reflex.tgisinternal
  union all
  select 'rule', relation.object, rule.rulename::text, pg_get_ruledef(rule.oid), true, array[rule.xmin], rule.oid
  from relation join pg_catalog.pg_rewrite as rule on rule.ev_class = relation.oid and rule.rulename <> '_RETURN'
  union all
  select 'policy', relation.object, policy.polname::text,
    concat(
      format('create policy %I on %s as %s for %s to %s', policy.polname, relation.object,
        case when policy.polpermissive then 'permissive' else 'restrictive' end,
        case policy.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
        (select string_agg(case role when 0 then 'public' else quote_ident(pg_get_userbyid(role)) end, ', ' order by pg_get_userbyid(role))
         from unnest(policy.polroles) as role)),
      ' using (' || pg_get_expr(policy.polqual, policy.polrelid) || ')',
      ' with check (' || pg_get_expr(policy.polwithcheck, policy.polrelid) || ')'),
    true, array[policy.xmin], policy.oid
  from relation join pg_catalog.pg_policy as policy on policy.polrelid = relation.oid
  union all
  select 'row_security', relation.object, 'row_security',
    concat_ws(' and ', case when relation.relrowsecurity then 'enabled' end, case when relation.relforcerowsecurity then 'forced' end),
    false, array[relation.written], relation.oid
  from relation where relation.relkind in ('r', 'p') and (relation.relrowsecurity or relation.relforcerowsecurity)
  union all
  select 'grant', granted.named, format('%s to %s', granted.privilege, whom.name),
    concat(format('grant %s on %s to %s', granted.privilege, granted.named, whom.name),
      case when granted.is_grantable then ' with grant option' end),
    true, array[granted.written], granted.object_id
  from granted
  cross join lateral (
    select case granted.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(granted.grantee)) end as name) as whom
  union all
  select 'function', quote_ident(routine.nspname), routine.signature,
    concat_ws(' ', routine.lanname,
      case routine.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
      case when routine.prosecdef then 'security definer' end, case when routine.proleakproof then 'leakproof' end,
      'owned by', pg_get_userbyid(routine.proowner),
      md5(concat_ws('|', routine.prosrc, pg_get_function_sqlbody(routine.oid), routine.proconfig::text, routine.proisstrict,
        routine.proparallel, routine.proretset, routine.prosupport, routine.proargnames::text, routine.proargmodes::text,
        format_type(routine.prorettype, null), pg_get_expr(routine.proargdefaults, 0)))),
    routine.prosecdef, array[routine.written], routine.oid
  from routine
  union all
  select 'owner', relation.named, 'owner', pg_get_userbyid(relation.relowner)::text, false, array[relation.written], relation.oid
  from relation
  union all
  select 'owner', 'schema ' || quote_ident(space.nspname), 'owner', pg_get_userbyid(space.nspowner)::text, false,
    array[space.written], space.oid
  from space
  union all
  select 'default', relation.object, attribute.attname::text,
    case
      when attribute.attidentity = 'a' then 'generated always as identity'
      when attribute.attidentity = 'd' then 'generated by default as identity'
      when attribute.attgenerated <> '' then format('generated always as (%s) %s',
        pg_get_expr(fallback.adbin, fallback.adrelid), case attribute.attgenerated when 's' then 'stored' else 'virtual' end)
      else 'default ' || pg_get_expr(fallback.adbin, fallback.adrelid)
    end,
    false, array[fallback.xmin, attribute.xmin], relation.oid
  from relation
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
  left join pg_catalog.pg_attrdef as fallback on fallback.adrelid = attribute.attrelid and fallback.adnum = attribute.attnum
  where relation.relkind in ('r', 'p') and (attribute.atthasdef or attribute.attidentity <> '')
  union all
  -- Postgres writes more brackets, and fewer names of columns, the first time than the second.
  select 'view', relation.object, 'view',
    concat_ws(' ', relation.reloptions::text, md5(regexp_replace(pg_get_viewdef(relation.oid), '\sAS\s+("[^"]+"|\w+)|[()\s]+', '', 'g'))),
    false, array[relation.written, rule.xmin], relation.oid
  from relation
  join pg_catalog.pg_rewrite as rule on rule.ev_class = relation.oid and rule.rulename = '_RETURN'
  where relation.relkind in ('v', 'm')
  union all
  select 'check', 'app_public.health_check', entry.name,
    concat_ws(' ', entry.domain, entry.severity, entry.entity_type, entry.remedy, entry.repair,
      case when entry.is_event_driven then 'event driven' end),
    false, array[entry.xmin], 0::oid
  from app_public.health_check as entry
  union all
  select 'default_rights', pg_get_userbyid(privileges.defaclrole)::text,
    concat_ws(' ', privileges.defaclobjtype, nullif(privileges.defaclnamespace, 0)::regnamespace),
    array(select acl::text from unnest(privileges.defaclacl) as acl order by 1)::text,
    true, array[privileges.xmin], privileges.oid
  from pg_catalog.pg_default_acl as privileges
  where pg_get_userbyid(privileges.defaclrole)::text like 'app\_%'
  union all
  -- The catalog of roles tells nobody who wrote it.
  select 'role', '', role.rolname::text,
    concat_ws(' ', case when role.rolcanlogin then 'login' else 'nologin' end,
      case when role.rolinherit then 'inherit' else 'noinherit' end,
      case when role.rolsuper then 'superuser' else 'nosuperuser' end,
      case when role.rolbypassrls then 'bypassrls' else 'nobypassrls' end,
      case when role.rolcreaterole then 'createrole' else 'nocreaterole' end,
      case when role.rolcreatedb then 'createdb' else 'nocreatedb' end,
      case when role.rolreplication then 'replication' else 'noreplication' end),
    role.rolsuper or role.rolbypassrls, null::xid[], role.oid
  from pg_catalog.pg_roles as role where role.rolname like 'app\_%'
  union all
  select 'superuser', '', role.rolname::text, concat_ws(' and ', case when role.rolsuper then 'superuser' end,
    case when role.rolbypassrls then 'bypassrls' end), true, null::xid[], role.oid
  from pg_catalog.pg_roles as role where (role.rolsuper or role.rolbypassrls) and role.rolname not like 'app\_%'
  union all
  -- Postgres 15 has no options of a membership but the right to pass it on.
  select 'membership', '', format('%I to %I', pg_get_userbyid(link.roleid), pg_get_userbyid(link.member)),
    concat('member', case when bool_or(link.admin_option) then ', may pass it on' end,
      case when bool_or(to_jsonb(link) ->> 'inherit_option' = 'true') then ', inherits' end,
      case when bool_and(to_jsonb(link) ->> 'set_option' = 'false') then ', may not become it' end),
    true, array_agg(link.xmin), link.roleid
  from pg_catalog.pg_auth_members as link
  where pg_get_userbyid(link.roleid)::text like 'app\_%' or pg_get_userbyid(link.member)::text like 'app\_%'
  group by link.roleid, link.member
  union all
  select 'setting', coalesce('role ' || quote_ident(pg_get_userbyid(nullif(setting.setrole, 0))), 'role all'),
    concat_ws(' ', split_part(entry, '=', 1), case when setting.setdatabase <> 0 then 'in database' end),
    split_part(entry, '=', 2), true, array[setting.xmin], setting.setrole
  from pg_catalog.pg_db_role_setting as setting cross join lateral unnest(setting.setconfig) as entry
  where setting.setdatabase in (0, (select database.oid from pg_catalog.pg_database as database where database.datname = current_database()))
    and (entry ~* '^session_replication_role=' and entry !~* '=origin$' or entry ~* '^row_security=' and entry !~* '=(on|true|yes|1)$')
  union all
  select 'setting', 'system', parameter.name, parameter.reset_val, true, null::xid[], 0::oid
  from pg_catalog.pg_settings as parameter
  where parameter.name in ('session_replication_role', 'row_security') and parameter.reset_val <> parameter.boot_val
    and parameter.source in ('configuration file', 'command line', 'environment variable');
end
$$;

comment on function app_private.guards_in_force() is
  'What guards the data now: constraints, triggers, policies, grants, functions, owners, defaults, roles, views; read from the catalogs.';

revoke execute on function app_private.guards_in_force() from public;
grant execute on function app_private.guards_in_force() to app_monitor;
--! EndIncluded functions/health/guards_in_force.sql
--! Included functions/health/flatten_condition.sql
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
--! EndIncluded functions/health/flatten_condition.sql
--! Included functions/health/guard_source.sql
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
--! EndIncluded functions/health/guard_source.sql
--! Included functions/health/guard_restoration.sql
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
--! EndIncluded functions/health/guard_restoration.sql
--! Included functions/health/rebuild_orphaned_row.sql
-- The check of references is made from the catalog, so that no foreign key is forgotten: a branch a table,
-- which is read once and joined with everything that it refers to, and one more for each column that is
-- mostly null and has an index of the rest; a full run hashes, a run for one row goes by keys. Some references have no
-- foreign key on purpose: medical records and the log of no-shows outlive the visit, which moves to the
-- archive; the logs outlive what they tell of, but not their hospital, and hospitals are found by
-- skipping through the index. A row without a uuid goes by a digest of its key, for keys may be secret.
-- A table or foreign key that is about to be dropped is left out: the view would hold it.
-- Definer, so that the view is the owner's whoever migrates.
create or replace function app_private.rebuild_orphaned_row(
  without_table text default null, without_constraint text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  child record;
  branches text[] := array[]::text[];
  archived constant text := $query$
    select child.hospital_id, %1$L::text as entity_type, child.id as entity_id, %2$L::text as reference, 'appointment'::text as target,
      child.id::text as row_key, jsonb_build_object('appointment_id', child.appointment_id) as row_columns
    from app_public.%1$I as child
    where not exists (
        select from app_public.appointment as target
        where target.hospital_id = child.hospital_id and target.id = child.appointment_id)
      and not exists (
        select from app_public.appointment_archive as target
        where target.hospital_id = child.hospital_id and target.id = child.appointment_id)$query$;
  homeless constant text := $query$
    select found.hospital_id, %1$L::text as entity_type, null::uuid as entity_id, %2$L::text as reference, 'hospital'::text as target,
      found.hospital_id::text as row_key, jsonb_build_object('hospital_id', found.hospital_id) as row_columns
    from (
      with recursive tenant as (
        (select child.hospital_id from %3$s as child order by child.hospital_id limit 1)
        union all
        select (select child.hospital_id from %3$s as child
                where child.hospital_id > tenant.hospital_id order by child.hospital_id limit 1)
        from tenant where tenant.hospital_id is not null
      )
      select tenant.hospital_id from tenant where tenant.hospital_id <> app_private.machinery()
    ) as found
    where not exists (select from app_public.hospital as target where target.id = found.hospital_id)$query$;
begin
  for child in
    select
      format($query$
    select child.hospital_id, %1$L::text as entity_type, %2$s as entity_id, orphan.reference, orphan.target,
      %3$s as row_key, orphan.row_columns
    from %4$s as child%5$s
    cross join lateral (values%6$s) as orphan (reference, target, row_columns, is_lost)
    where %8$s(%7$s) and orphan.is_lost$query$,
        relation.relname,
        case when identity.has_uuid then 'child.id' else 'null::uuid' end,
        case when identity.has_uuid then 'child.id::text' else format('md5(concat_ws('':'', %s))', identity.key) end,
        relation.oid::regclass,
        string_agg(format(E'\n    left join %s as target_%s on %s', fact.confrelid::regclass, fact.number, columns.matched),
          '' order by fact.number),
        string_agg(format(E'\n      (%L::text, %L::text, jsonb_build_object(%s), %s)', fact.conname, target.relname,
          columns.named, columns.lost), ',' order by fact.number),
        string_agg(columns.lost, ' or ' order by fact.number),
        case when fact.sparse is not null then format('child.%I is not null and ', fact.sparse) end) as branch
    from (
      select held.*, row_number() over (partition by held.conrelid order by held.conname collate "C") as number,
        (select min(attribute.attname::text)
         from pg_catalog.pg_index as sparse
         join pg_catalog.pg_attribute as attribute on attribute.attrelid = held.conrelid and attribute.attnum = any (held.conkey)
         where sparse.indrelid = held.conrelid
           and pg_get_expr(sparse.indpred, held.conrelid) = format('(%I IS NOT NULL)', attribute.attname)) as sparse
      from pg_catalog.pg_constraint as held
      where held.contype = 'f'
        and (without_table is null
          or case when without_constraint is null then to_regclass(without_table) not in (held.conrelid, held.confrelid)
               else held.conrelid <> to_regclass(without_table) or held.conname <> without_constraint end) is not false
    ) as fact
    join pg_catalog.pg_class as relation on relation.oid = fact.conrelid
    join pg_catalog.pg_namespace as space on space.oid = relation.relnamespace
    join pg_catalog.pg_class as target on target.oid = fact.confrelid
    cross join lateral (
      select
        string_agg(format('%L, child.%I', source.attname, source.attname), ', ' order by pair.position) as named,
        string_agg(format('target_%s.%I = child.%I', fact.number, counterpart.attname, source.attname),
          ' and ' order by pair.position) as matched,
        string_agg(case when source.attnotnull then '' else format('child.%I is not null and ', source.attname) end,
          '' order by pair.position)
          || format('target_%s.%I is null', fact.number, min(counterpart.attname::text) filter (where pair.position = 1)) as lost
      from unnest(fact.conkey, fact.confkey) with ordinality as pair (from_column, to_column, position)
      join pg_catalog.pg_attribute as source on source.attrelid = fact.conrelid and source.attnum = pair.from_column
      join pg_catalog.pg_attribute as counterpart on counterpart.attrelid = fact.confrelid and counterpart.attnum = pair.to_column
    ) as columns
    cross join lateral (
      select coalesce(bool_or(attribute.attname = 'id' and attribute.atttypid = 'uuid'::regtype), false) as has_uuid,
        string_agg(format('child.%I', attribute.attname), ', ' order by attribute.attnum)
          filter (where attribute.attnum = any (identifier.conkey)) as key
      from pg_catalog.pg_attribute as attribute
      left join pg_catalog.pg_constraint as identifier
        on identifier.conrelid = attribute.attrelid and identifier.contype = 'p'
      where attribute.attrelid = fact.conrelid and attribute.attnum > 0 and not attribute.attisdropped
    ) as identity
    where space.nspname in ('app_public', 'app_private')
    group by relation.oid, relation.relname, space.nspname, identity.has_uuid, identity.key, fact.sparse
    order by space.nspname collate "C", relation.relname collate "C", fact.sparse collate "C" nulls first
  loop
    branches := branches || child.branch;
  end loop;
  branches := branches
    || format(archived, 'consultation', 'consultation_of_an_appointment')
    || format(archived, 'no_show_log', 'no_show_of_an_appointment')
    || format(archived, 'vitals_entry', 'vitals_of_an_appointment')
    || format(homeless, 'audit_entry', 'audit_of_a_hospital', 'app_public.audit_entry')
    || format(homeless, 'job_run', 'run_of_a_hospital', 'app_public.job_run')
    || format(homeless, 'job_hour', 'job_hour_of_a_hospital', 'app_private.job_hour')
    || format(homeless, 'job_state', 'job_state_of_a_hospital', 'app_private.job_state')
    || format(homeless, 'outbox', 'outbox_of_a_hospital', 'app_private.outbox');
  execute format($view$
create or replace view checks.orphaned_row as
select orphan.hospital_id, entry.name as check_name, entry.severity, orphan.entity_type, orphan.entity_id,
  format('A row of %%s refers to a row of %%s that does not exist.', orphan.entity_type, orphan.target) as detail,
  jsonb_build_object('reference', orphan.reference, 'target', orphan.target, 'columns', orphan.row_columns) as metadata,
  concat_ws(':', entry.name, orphan.reference, orphan.row_key) as cache_key
from (%s
) as orphan
join app_public.health_check as entry on entry.name = 'orphaned_row'$view$,
    array_to_string(branches, E'\n    union all'));
end
$$;

comment on function app_private.rebuild_orphaned_row(text, text) is
  'Makes the check of references anew, with a branch for every foreign key that there is, but for those of a table, or one of them, that are about to go.';

revoke execute on function app_private.rebuild_orphaned_row(text, text) from public;
--! EndIncluded functions/health/rebuild_orphaned_row.sql
--! Included functions/health/declare_guards.sql
-- Writes what guards the data now into the manifest. Every migration ends with it. It must not bless what a
-- hand has done: it takes only guards whose row in the catalog this very transaction wrote, and of those
-- none that a run of checks has found changed. It forgets nothing: a migration that drops a guard says so
-- with retire_guard(). An empty manifest takes everything, and so does an operator who has looked.
-- Who wrote a role is not to be read; a new one without special rights is taken.
-- Definer, so that the manifest and the view of references are the owner's whoever migrates.
create or replace function app_private.declare_guards(everything boolean default false)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  takes_all constant boolean := everything or not exists (select from app_private.guard);
  declared integer;
begin
  perform app_private.rebuild_orphaned_row();
  insert into app_private.guard (kind, object, name, definition, source)
  select present.kind, present.object, present.name, present.definition,
    app_private.guard_source(present.kind, present.object_id, present.name)
  from app_private.guards_in_force() as present
  left join app_private.guard as known
    on known.kind = present.kind and known.object = present.object and known.name = present.name
  where present.kind <> 'setting' and known.definition is distinct from present.definition
    and (takes_all
      or (app_private.was_written_now(present.written_by) or present.kind = 'role' and known.kind is null and not present.is_access)
        and not exists (
          select from app_public.finding
          where finding.hospital_id = app_private.machinery() and finding.resolved_at is null
            and finding.cache_key in (
              concat_ws(':', 'missing_guard', present.kind, present.object, present.name),
              concat_ws(':', 'undeclared_access', present.kind, present.object, present.name))))
  on conflict (kind, object, name) do update
    set definition = excluded.definition, source = excluded.source, declared_at = excluded.declared_at;
  get diagnostics declared = row_count;
  return declared;
end
$$;

comment on function app_private.declare_guards(boolean) is
  'Writes the guards that this transaction made or changed into the manifest; everything => true takes all that there are, after a person has looked. Returns how many.';

revoke execute on function app_private.declare_guards(boolean) from public;
--! EndIncluded functions/health/declare_guards.sql
--! Included functions/health/retire_guard.sql
-- A migration that drops a guard, or that changes a role, says so with this: the manifest forgets nothing
-- by itself, so that what vanishes without a word is noticed. Null stands for all: before a table is
-- dropped comes retire_guard(null, 'app_public.thing'). It comes before, because the check of references
-- reads the table and lets go of it here. Definer, because the manifest is the owner's whoever migrates.
create or replace function app_private.retire_guard(kind text, object text, name text default null)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  retired integer;
begin
  if retire_guard.kind is null or retire_guard.kind = 'constraint' then
    perform app_private.rebuild_orphaned_row(retire_guard.object, retire_guard.name);
  end if;
  delete from app_private.guard
  where retire_guard.kind = 'function' and guard.object in (
      format('function %s.%s', retire_guard.object, retire_guard.name), format('procedure %s.%s', retire_guard.object, retire_guard.name))
    or (retire_guard.kind is null or guard.kind = retire_guard.kind)
      and (retire_guard.name is null or guard.name = retire_guard.name)
      and (guard.object in (retire_guard.object, 'sequence ' || retire_guard.object, 'schema ' || retire_guard.object)
        or guard.object in (
          select 'sequence ' || counted.objid::regclass::text
          from pg_catalog.pg_depend as counted
          join pg_catalog.pg_class as sequence on sequence.oid = counted.objid and sequence.relkind = 'S'
          where counted.refobjid = to_regclass(retire_guard.object) and counted.deptype in ('a', 'i')));
  get diagnostics retired = row_count;
  return retired;
end
$$;

comment on function app_private.retire_guard(text, text, text) is
  'Takes guards that a migration drops out of the manifest: a kind, what it is on, its name; null stands for all. Returns how many.';

revoke execute on function app_private.retire_guard(text, text, text) from public;
--! EndIncluded functions/health/retire_guard.sql
--! Included checks/references/missing_guard.sql
-- What the migrations declared, against what the catalogs say now. A guard that is asleep has another
-- definition than one that is awake, so that one comparison finds all that can become of it. Of settings
-- the right ones are none. Superusers are known, so that new ones are noticed; one that is gone is no loss. Brackets
-- that say nothing may differ. The catalog of checks is not asked for the name: it stands behind guards.
create or replace view checks.missing_guard as
select app_private.machinery() as hospital_id, 'missing_guard' as check_name, 'critical'::app_public.check_severity as severity,
  'system' as entity_type, null::uuid as entity_id,
  case
    when guard.problem = 'set' then
      format('%s is set to %s for %s: what guards the data may be passed by.', guard.name, guard.found, guard.object)
    else format('The %s %s%s is %s.%s', replace(guard.kind, '_', ' '), guard.name,
      ' on ' || nullif(guard.object, ''), guard.problem,
      case when guard.kind not in ('function', 'view', 'check') then format(' Declared is: %s', left(guard.declared, 300)) end)
  end as detail,
  jsonb_build_object('kind', guard.kind, 'object', guard.object, 'name', guard.name, 'problem', guard.problem,
    'declared', guard.declared, 'found', guard.found,
    'restore', app_private.guard_restoration(
      guard.kind, guard.object, guard.name, guard.declared, guard.source, guard.found)) as metadata,
  concat_ws(':', 'missing_guard', guard.kind, guard.object, guard.name) as cache_key
from (
  select coalesce(declared.kind, found.kind) as kind, coalesce(declared.object, found.object) as object,
    coalesce(declared.name, found.name) as name, declared.definition as declared, declared.source, found.definition as found,
    case
      when declared.kind is null then 'set'
      when found.kind is null then 'missing'
      when found.definition like '%(disabled)' or found.definition like '%(its triggers are disabled)' then 'disabled'
      when found.definition ilike '%not enforced' then 'not enforced'
      when found.definition ilike '%not valid' or found.definition like '%not valid)' then 'not valid'
      else 'different'
    end as problem
  from app_private.guard as declared
  full join app_private.guards_in_force() as found
    on found.kind = declared.kind and found.object = declared.object and found.name = declared.name
  where declared.definition is distinct from found.definition
    and (declared.kind in ('constraint', 'unique_index', 'trigger', 'policy')
      and app_private.flatten_condition(declared.definition) = app_private.flatten_condition(found.definition)) is not true
    and (declared.kind <> 'superuser' or declared.kind is null and found.kind = 'setting')
) as guard;

comment on view checks.missing_guard is
  'What the migrations declared to guard the data and is gone, disabled, not valid or different. metadata.restore holds the statements that bring it back.';
revoke all on checks.missing_guard from public;
grant select on checks.missing_guard to app_monitor;

select app_private.declare_check(
  name => 'missing_guard', domain => 'references', severity => 'critical', entity_type => 'system',
  title => 'Guard that is missing or switched off',
  meaning => 'A constraint, unique index, trigger, policy, row security, grant, function, owner, default, role, view or check that the migrations declared is gone, disabled, not valid or different, or a setting switches guards off.',
  importance => 'What it protected is not protected any more: the next double booking, or the next look into another hospital, meets no wall.',
  resolution => 'Read what metadata.restore holds and run it in psql as the owner of the database. Run all checks afterwards: they tell what came of the gap.',
  remedy => 'operator');
--! EndIncluded checks/references/missing_guard.sql
--! Included checks/references/undeclared_access.sql
-- Whatever opens a door and is in no migration: one permissive policy more opens the wall, and one trigger
-- more can swallow what others write. Whom operators let look on as app_monitor is theirs to say: it reads what
-- is broken and changes nothing. The catalog of checks is not asked for the name: it stands behind guards
-- itself.
create or replace view checks.undeclared_access as
select app_private.machinery() as hospital_id, 'undeclared_access' as check_name, 'critical'::app_public.check_severity as severity,
  'system' as entity_type, null::uuid as entity_id,
  format('No migration declared the %s %s%s: %s.', replace(found.kind, '_', ' '), found.name,
    ' on ' || nullif(found.object, ''), left(found.definition, 300)) as detail,
  jsonb_build_object('kind', found.kind, 'object', found.object, 'name', found.name, 'found', found.definition,
    'remove', app_private.guard_restoration(found.kind, found.object, found.name, null, null, found.definition)) as metadata,
  concat_ws(':', 'undeclared_access', found.kind, found.object, found.name) as cache_key
from app_private.guards_in_force() as found
where found.is_access and found.kind <> 'setting'
  and not (found.kind = 'membership' and found.name like 'app\_monitor to %'
    and found.definition !~ 'pass it on')
  and not exists (
    select from app_private.guard as declared
    where declared.kind = found.kind and declared.object = found.object and declared.name = found.name);

comment on view checks.undeclared_access is
  'Policies, grants, memberships, definer functions, superusers, triggers and rules that no migration declared. metadata.remove holds the statement that takes one away.';
revoke all on checks.undeclared_access from public;
grant select on checks.undeclared_access to app_monitor;

select app_private.declare_check(
  name => 'undeclared_access', domain => 'references', severity => 'critical', entity_type => 'system',
  title => 'Access that no migration declared',
  meaning => 'There is a policy, a grant, a membership of a role, a function that runs with the rights of its owner, a superuser, a trigger or a rule that no migration made.',
  importance => 'Somebody may read or change what the rules of access keep from them, or something changes what others write; the walls between hospitals may have a hole.',
  resolution => 'Find out who made it. Take it away with what metadata.remove holds; what should stay belongs into a migration.',
  remedy => 'operator');
--! EndIncluded checks/references/undeclared_access.sql
--! Included checks/references/unenforced_foreign_key.sql
-- A foreign key can stand in the schema and hold nothing: never validated, not enforced (since Postgres
-- 18), or with the triggers that carry it disabled. No manifest is asked, so that one that a migration
-- left unvalidated is found too.
create or replace view checks.unenforced_foreign_key as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type, null::uuid as entity_id,
  format('The foreign key %s of %s is %s.', reference.name, reference.child, array_to_string(reference.faults, ', ')) as detail,
  jsonb_build_object('constraint', reference.name, 'table', reference.child, 'target', reference.target,
    'problems', reference.faults) as metadata,
  concat_ws(':', entry.name, reference.child, reference.name) as cache_key
from (
  select fact.conname::text collate "default" as name, fact.conrelid::pg_catalog.regclass::text as child,
    fact.confrelid::pg_catalog.regclass::text as target,
    array_remove(array[
      case when to_jsonb(fact) ->> 'conenforced' = 'false' then 'not enforced' end,
      case when not fact.convalidated then 'not valid' end,
      case when exists (
        select from pg_catalog.pg_trigger as internal
        where internal.tgconstraint = fact.oid and internal.tgisinternal and internal.tgenabled <> 'O')
      then 'disabled: its triggers sleep' end], null) as faults
  from pg_catalog.pg_constraint as fact
  join pg_catalog.pg_namespace as space on space.oid = fact.connamespace
  where fact.contype = 'f' and space.nspname in ('app_public', 'app_private', 'checks')
) as reference
join app_public.health_check as entry on entry.name = 'unenforced_foreign_key'
where reference.faults <> '{}';

comment on view checks.unenforced_foreign_key is 'Foreign keys that stand in the schema and hold nothing.';
revoke all on checks.unenforced_foreign_key from public;
grant select on checks.unenforced_foreign_key to app_monitor;

select app_private.declare_check(
  name => 'unenforced_foreign_key', domain => 'references', severity => 'critical', entity_type => 'system',
  title => 'Foreign key that holds nothing',
  meaning => 'A foreign key was never validated, is not enforced, or its triggers are disabled.',
  importance => 'Rows may already refer to others that do not exist, and the next ones may too.',
  resolution => 'Look at orphaned_row first, then run what missing_guard names for it: enable its triggers, alter the constraint enforced, or validate it.',
  remedy => 'operator');
--! EndIncluded checks/references/unenforced_foreign_key.sql

reset role;
