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
