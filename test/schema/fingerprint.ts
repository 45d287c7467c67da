import type { ClientBase } from 'pg';

/** A part of what a database is, as sorted lines. */
export type Fingerprint = Readonly<Record<string, readonly string[]>>;

/**
 * Everything that migrations and sql/ make, by name and without identifiers that differ from database
 * to database: two databases with the same fingerprint behave the same.
 */
export async function fingerprintOf(db: Pick<ClientBase, 'query'>): Promise<Fingerprint> {
  const parts: Record<string, readonly string[]> = {};
  for (const [part, sql] of Object.entries(queries)) {
    const { rows } = await db.query<{ line: string }>(sql);
    const lines = rows.map(({ line }) => line);
    parts[part] = part.endsWith(', in order') ? lines : lines.sort();
  }
  return parts;
}

const ours = "('app_public', 'app_private', 'app_extension', 'checks')";

// Rights, in an order that does not tell who was granted first.
const sorted = (acl: string) => `array(select item::text from unnest(${acl}) as item order by 1)`;

const queries: Readonly<Record<string, string>> = {
  schemas: `
    select format('%s %s %s %s', nspname, nspowner::regrole, ${sorted('nspacl')}, obj_description(oid, 'pg_namespace')) as line
    from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`,
  'default privileges': `
    select format('%s %s %s %s', defaclrole::regrole, defaclnamespace, defaclobjtype, defaclacl) as line
    from pg_catalog.pg_default_acl`,
  extensions: `
    select format('%s in %s', extname, extnamespace::regnamespace) as line from pg_catalog.pg_extension`,
  relations: `
    select format('%s.%s %s %s rls %s %s %s %s', nspname, relname, relkind, relowner::regrole,
      relrowsecurity, relforcerowsecurity, ${sorted('relacl')}, reloptions) as line
    from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ${ours}`,
  columns: `
    select format('%s.%s %s %s %s %s %s %s %s', attrelid::regclass, attname, attnum, format_type(atttypid, atttypmod),
      attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid), ${sorted('attacl')}) as line
    from pg_catalog.pg_attribute
    join pg_catalog.pg_class on pg_class.oid = attrelid
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
    where nspname in ${ours} and attnum > 0 and not attisdropped`,
  constraints: `
    select format('%s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid), convalidated) as line
    from pg_catalog.pg_constraint join pg_catalog.pg_namespace on pg_namespace.oid = connamespace
    where nspname in ${ours}`,
  indexes: `
    select pg_get_indexdef(indexrelid) as line
    from pg_catalog.pg_index join pg_catalog.pg_class on pg_class.oid = indrelid
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ${ours}`,
  views: `
    select format('%s %s', pg_class.oid::regclass, pg_get_viewdef(pg_class.oid)) as line
    from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ${ours} and relkind in ('v', 'm')`,
  types: `
    select format('%s.%s %s %s %s %s', nspname, typname, typtype, typowner::regrole, ${sorted('typacl')},
      (select string_agg(enumlabel, ',' order by enumsortorder) from pg_catalog.pg_enum where enumtypid = pg_type.oid)) as line
    from pg_catalog.pg_type join pg_catalog.pg_namespace on pg_namespace.oid = typnamespace
    where nspname in ${ours}`,
  functions: `
    select format('%s owned by %s, for %s', pg_get_functiondef(pg_proc.oid), proowner::regrole,
      array(select format('%s: %s', case grantee when 0 then 'public' else grantee::regrole::text end, privilege_type)
            from aclexplode(coalesce(proacl, acldefault('f', proowner))) order by 1)) as line
    from pg_catalog.pg_proc join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
    where nspname in ${ours} and prokind in ('f', 'p')`,
  // The order in which they came about: what clients see in a row must not shuffle.
  'functions, in order': `
    select pg_proc.oid::regprocedure::text as line
    from pg_catalog.pg_proc join pg_catalog.pg_namespace on pg_namespace.oid = pronamespace
    where nspname in ('app_public', 'app_private', 'checks') order by pg_proc.oid`,
  triggers: `
    select format('%s %s', pg_get_triggerdef(pg_trigger.oid), tgenabled) as line
    from pg_catalog.pg_trigger join pg_catalog.pg_class on pg_class.oid = tgrelid
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ${ours} and not tgisinternal`,
  policies: `
    select format('%s on %s: %s %s to %s using %s with check %s', polname, polrelid::regclass, polcmd, polpermissive,
      array(select role::regrole::text from unnest(polroles) as role order by 1),
      pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) as line
    from pg_catalog.pg_policy`,
  comments: `
    select format('%s %s: %s', (pg_identify_object(classoid, objoid, objsubid)).type,
      (pg_identify_object(classoid, objoid, objsubid)).identity, description) as line
    from pg_catalog.pg_description
    cross join lateral pg_identify_object(classoid, objoid, objsubid) as object
    where object.schema in ${ours} or object.type = 'schema' and object.identity in ${ours}
      or object.identity ~ ' (on|for) app_(public|private)\\.'`,
  'error catalog': 'select error_catalog::text as line from app_public.error_catalog',
  'health checks': 'select health_check::text as line from app_public.health_check',
  guards: `
    select format('%s %s %s: %s %s', kind, object, name, definition, md5(source)) as line from app_private.guard`,
  'appointment transitions':
    'select appointment_transition::text as line from app_public.appointment_transition',
  roles: `
    select format('%s login %s inherit %s %s', rolname, rolcanlogin, rolinherit,
      (select setconfig from pg_catalog.pg_db_role_setting where setrole = pg_roles.oid and setdatabase = 0)) as line
    from pg_catalog.pg_roles where rolname like 'app\\_%'`,
  memberships: `
    select format('%s in %s', member::regrole, roleid::regrole) as line
    from pg_catalog.pg_auth_members where roleid::regrole::text like 'app\\_%'`,
  'rights on the database': `
    select format('%s: %s', case grantee when 0 then 'public' else grantee::regrole::text end, privilege_type) as line
    from pg_catalog.pg_database cross join aclexplode(datacl)
    where datname = current_database() and grantee <> datdba`,
};
