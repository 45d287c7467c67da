import type { ClientBase } from 'pg';

/** What the schema shows to clients, as a text: tables, views, types and functions with their grants. */
export async function publicSurface(db: Pick<ClientBase, 'query'>): Promise<string> {
  const section = async (title: string, sql: string) => {
    const { rows } = await db.query<{ line: string }>(sql);
    return [title, '='.repeat(title.length), ...rows.map(({ line }) => line), ''].join('\n');
  };
  return [
    'What app_public shows: a change of this file is a change for clients.\n',
    await section('Functions', functions),
    await section('Tables and views', tables),
    await section('Types', types),
  ].join('\n');
}

const functions = `
  select format(E'%s(%s)\\n  returns %s%s\\n  %s, %s, for %s\\n',
    proname,
    pg_get_function_arguments(pg_proc.oid),
    pg_get_function_result(pg_proc.oid),
    case when proisstrict then ' strictly' else '' end,
    case provolatile when 'v' then 'volatile' when 's' then 'stable' else 'immutable' end,
    case when prosecdef then 'with raised rights' else 'with the rights of the caller' end,
    coalesce((
      select string_agg(replace(grantee::regrole::text, 'app_', ''), ', ' order by grantee::regrole::text collate "C")
      from aclexplode(proacl) where grantee <> proowner), 'nobody')) as line
  from pg_catalog.pg_proc
  where pronamespace = 'app_public'::regnamespace
  order by proname collate "C", pg_get_function_arguments(pg_proc.oid) collate "C"`;

const tables = `
  select format(E'%s%s\\n%s\\n',
    relname,
    case when relkind in ('v', 'm') then ' (view)' else '' end,
    (select string_agg(format('  %s %s%s%s', attname, format_type(atttypid, atttypmod),
        case when attnotnull then ' not null' else '' end,
        case
          when attgenerated <> '' then ' generated'
          when attidentity <> '' then ' identity'
          when atthasdef then ' default ' || pg_get_expr(adbin, adrelid)
          else ''
        end), E'\\n' order by attnum)
     from pg_catalog.pg_attribute
     left join pg_catalog.pg_attrdef on adrelid = attrelid and adnum = attnum
     where attrelid = pg_class.oid and attnum > 0 and not attisdropped)) as line
  from pg_catalog.pg_class
  where relnamespace = 'app_public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
  order by relname collate "C"`;

const types = `
  select format(E'%s\\n  %s\\n', typname, coalesce(
    (select string_agg(enumlabel, ', ' order by enumsortorder) from pg_catalog.pg_enum where enumtypid = pg_type.oid),
    (select string_agg(format('%s %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)
     from pg_catalog.pg_attribute where attrelid = typrelid and attnum > 0 and not attisdropped))) as line
  from pg_catalog.pg_type
  left join pg_catalog.pg_class on pg_class.oid = typrelid
  where typnamespace = 'app_public'::regnamespace
    and (typtype in ('e', 'd', 'r') or typtype = 'c' and relkind = 'c')
  order by typname collate "C"`;
