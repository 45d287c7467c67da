// Every guard that the migrations declare is broken once in every way there is, many at a time: the check
// names exactly those, and what it says to run brings them back.
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { rolledBack } from '../../helpers/actors.ts';
import { createDatabase } from '../../helpers/database.ts';
import { lockRoles } from '../../helpers/roles.ts';
import { linesOf, missingGuards, restore } from './guards.ts';

const { ownerPool } = await createDatabase();
const { rows: versions } = await ownerPool.query<{ version: number }>(
  "select current_setting('server_version_num')::int / 10000 as version",
);
const version = versions[0]?.version ?? 0;

/** A way to break guards: which, how, and what else breaks with them. */
interface Break {
  says: string;
  /** Query of what is broken: kind, object, name, problem, and the statement that breaks it. */
  broken: string;
  /** Query of what falls with it: kind, object, name, problem. */
  fallsToo?: string;
  /** Statements before, that break nothing or what fallsToo tells. */
  before?: string;
  /** How many there are at least: a query that finds nothing tests nothing. */
  atLeast: number;
  /** Where Postgres cannot bring back what was there. */
  staysBroken?: true;
  since?: number;
}

const guards = (kind: string, problem: string, statement: string, where = 'true') => `
  select guard.kind, guard.object, guard.name, '${problem}' as problem, ${statement} as statement
  from app_private.guard where guard.kind = '${kind}' and ${where} order by guard.object, guard.name`;

const constraints = (letters: string, problem: string, statement: string) => `
  select guard.kind, guard.object, guard.name, '${problem}' as problem, ${statement} as statement
  from app_private.guard
  join pg_catalog.pg_constraint as fact on fact.conrelid = guard.object::regclass and fact.conname = guard.name
  where guard.kind = 'constraint' and fact.contype in (${letters}) order by fact.contype = 'p', guard.object`;

const dropConstraint =
  "format('alter table %s drop constraint %I cascade', guard.object, guard.name)";

const foreignKeys = `
  select kind, object, name, 'missing' as problem from app_private.guard
  where kind = 'constraint' and definition like 'FOREIGN KEY%'`;

// A view that groups by a key reads columns that only the key makes certain; others read that view.
const viewsOnKeys = `
  select guard.kind, guard.object, guard.name, 'missing' as problem
  from app_private.guard
  where regexp_replace(guard.object, '^.* ', '') in (
    with recursive fallen (view) as (
      select ev_class from pg_catalog.pg_rewrite
      join pg_catalog.pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
      where refclassid = 'pg_constraint'::regclass
      union
      select ev_class from fallen
      join pg_catalog.pg_depend on refclassid = 'pg_class'::regclass and refobjid = fallen.view and classid = 'pg_rewrite'::regclass
      join pg_catalog.pg_rewrite on pg_rewrite.oid = objid
    )
    select view::regclass::text from fallen)`;

// The owner does not see the catalog of checks any more.
const checksUnseen =
  "select kind, object, name, 'missing' as problem from app_private.guard where kind = 'check'";

const ownersOfSequences = `
  select kind, object, name, 'missing' as problem from app_private.guard
  where kind = 'owner' and object like 'sequence %'`;

const breaks: readonly Break[] = [
  {
    says: 'checks that are dropped',
    broken: constraints("'c'", 'missing', dropConstraint),
    atLeast: 250,
  },
  {
    says: 'checks that say something else',
    broken: constraints(
      "'c'",
      'different',
      "format('alter table %s drop constraint %I, add constraint %2$I check (true)', guard.object, guard.name)",
    ),
    atLeast: 250,
  },
  {
    says: 'checks that were never validated',
    broken: constraints(
      "'c'",
      'not valid',
      "format('alter table %s drop constraint %I, add constraint %2$I %3$s not valid', guard.object, guard.name, guard.definition)",
    ),
    atLeast: 250,
  },
  {
    says: 'checks that are not enforced',
    since: 18,
    broken: constraints(
      "'c'",
      'not enforced',
      "format('alter table %s drop constraint %I, add constraint %2$I %3$s not enforced', guard.object, guard.name, guard.definition)",
    ),
    atLeast: 250,
  },
  {
    says: 'exclusions that are dropped',
    broken: constraints("'x'", 'missing', dropConstraint),
    atLeast: 8,
  },
  {
    says: 'keys that are dropped, with the foreign keys that stand on them',
    broken: constraints("'p', 'u'", 'missing', dropConstraint),
    fallsToo: `${foreignKeys} union all ${viewsOnKeys}`,
    atLeast: 90,
  },
  {
    says: 'keys whose index is not valid',
    broken: constraints(
      "'p', 'u', 'x'",
      'not valid',
      "format('update pg_catalog.pg_index set indisvalid = false where indexrelid = %s', fact.conindid)",
    ),
    atLeast: 90,
  },
  {
    says: 'foreign keys that are dropped',
    broken: constraints("'f'", 'missing', dropConstraint),
    atLeast: 150,
  },
  {
    says: 'foreign keys that were never validated',
    broken: constraints(
      "'f'",
      'not valid',
      "format('alter table %s drop constraint %I, add constraint %2$I %3$s not valid', guard.object, guard.name, guard.definition)",
    ),
    atLeast: 150,
  },
  {
    says: 'foreign keys that are not enforced',
    since: 18,
    broken: constraints(
      "'f'",
      'not enforced',
      "format('alter table %s alter constraint %I not enforced', guard.object, guard.name)",
    ),
    atLeast: 150,
  },
  {
    says: 'foreign keys and triggers that sleep',
    broken: `
      select distinct on (object) kind, object, name, 'disabled' as problem,
        format('alter table %s disable trigger all', object) as statement
      from app_private.guard where kind = 'trigger' or kind = 'constraint' and definition like 'FOREIGN KEY%'
      order by object`,
    fallsToo: `
      select kind, object, name, 'disabled' as problem
      from app_private.guard where kind = 'trigger' or kind = 'constraint' and definition like 'FOREIGN KEY%'`,
    atLeast: 60,
  },
  {
    says: 'columns that may be null',
    before: `
      do $$ declare statements text; begin
        select string_agg(
          case when kind = 'default' then format('alter table %s alter column %I drop identity', object, name)
            else format('alter table %s drop constraint %I cascade', object, name) end, ';')
        into statements
        from app_private.guard where definition like 'PRIMARY KEY%' or definition like '% as identity';
        execute statements;
      end $$`,
    broken: guards(
      'not_null',
      'missing',
      "format('alter table %s alter column %I drop not null', guard.object, guard.name)",
    ),
    fallsToo: `
      select kind, object, name, 'missing' as problem from app_private.guard
      where definition like 'PRIMARY KEY%' or definition like '% as identity'
      union all
      ${viewsOnKeys}
      union all
      ${ownersOfSequences}
      union all
      select kind, object, name, 'missing' from app_private.guard
      join pg_catalog.pg_constraint as reference on conrelid = object::regclass and conname = name and contype = 'f'
      join pg_catalog.pg_index on indexrelid = conindid and indisprimary
      where kind = 'constraint' and definition like 'FOREIGN KEY%'`,
    atLeast: 500,
  },
  {
    says: 'unique indexes that are dropped',
    broken: guards(
      'unique_index',
      'missing',
      "format('drop index %s.%I', split_part(guard.object, '.', 1), guard.name)",
    ),
    atLeast: 9,
  },
  {
    says: 'unique indexes that are not valid',
    broken: guards(
      'unique_index',
      'not valid',
      `format('update pg_catalog.pg_index set indisvalid = false where indexrelid = %L::regclass',
         format('%s.%I', split_part(guard.object, '.', 1), guard.name))`,
    ),
    atLeast: 9,
  },
  {
    says: 'unique indexes of something else',
    broken: guards(
      'unique_index',
      'different',
      `format('drop index %s.%I; create unique index %2$I on %3$s (hospital_id)',
         split_part(guard.object, '.', 1), guard.name, guard.object)`,
    ),
    atLeast: 9,
  },
  {
    says: 'triggers that are dropped',
    broken: guards(
      'trigger',
      'missing',
      "format('drop trigger %I on %s', guard.name, guard.object)",
    ),
    atLeast: 170,
  },
  {
    says: 'triggers that are disabled',
    broken: guards(
      'trigger',
      'disabled',
      "format('alter table %s disable trigger %I', guard.object, guard.name)",
    ),
    atLeast: 170,
  },
  {
    says: 'triggers that fire on replicas only',
    broken: guards(
      'trigger',
      'different',
      "format('alter table %s enable replica trigger %I', guard.object, guard.name)",
    ),
    atLeast: 170,
  },
  {
    says: 'triggers that call something else',
    broken: guards(
      'trigger',
      'different',
      `format('create or replace trigger %I before insert on %s for each row execute function suppress_redundant_updates_trigger()',
         guard.name, guard.object)`,
    ),
    atLeast: 170,
  },
  {
    says: 'policies that are dropped',
    broken: guards('policy', 'missing', "format('drop policy %I on %s', guard.name, guard.object)"),
    fallsToo: checksUnseen,
    atLeast: 250,
  },
  {
    says: 'policies for other roles',
    broken: guards(
      'policy',
      'different',
      "format('alter policy %I on %s to app_anonymous, app_monitor, app_eraser', guard.name, guard.object)",
    ),
    fallsToo: checksUnseen,
    atLeast: 250,
  },
  {
    says: 'policies that read wide open',
    broken: guards(
      'policy',
      'different',
      "format('alter policy %I on %s using (true or false)', guard.name, guard.object)",
      "guard.definition like '% using (%'",
    ),
    atLeast: 200,
  },
  {
    says: 'policies that let anything be written',
    broken: guards(
      'policy',
      'different',
      "format('alter policy %I on %s with check (true or false)', guard.name, guard.object)",
      "guard.definition like '% with check (%'",
    ),
    atLeast: 100,
  },
  {
    says: 'row security that is disabled',
    broken: guards(
      'row_security',
      'different',
      "format('alter table %s disable row level security', guard.object)",
    ),
    atLeast: 55,
  },
  {
    says: 'row security that the owner passes by',
    broken: guards(
      'row_security',
      'different',
      "format('alter table %s no force row level security', guard.object)",
    ),
    atLeast: 55,
  },
  {
    says: 'grants that are revoked',
    broken: guards(
      'grant',
      'missing',
      'app_private.guard_restoration(guard.kind, guard.object, guard.name, null, null, guard.definition)',
    ),
    atLeast: 1800,
  },
  {
    says: 'grants that may be passed on',
    broken: guards(
      'grant',
      'different',
      `replace(app_private.guard_restoration(guard.kind, guard.object, guard.name, guard.definition, null, null),
         ';', ' with grant option')`,
      "guard.name not like '% to public'",
    ),
    atLeast: 1800,
  },
  {
    says: 'functions that run with the rights of somebody else',
    broken: guards(
      'function',
      'different',
      `format('alter routine %s.%s security %s', guard.object, guard.name,
         case when guard.definition like '%security definer%' then 'invoker' else 'definer' end)`,
    ),
    atLeast: 480,
  },
  {
    says: 'functions that look names up elsewhere',
    broken: guards(
      'function',
      'different',
      "format('alter routine %s.%s set search_path = public', guard.object, guard.name)",
      // It could not be asked any more.
      "guard.name not like 'guards_in_force%' and guard.name not like 'guard_restoration%'",
    ),
    atLeast: 480,
  },
  {
    says: 'functions that do something else',
    broken: `
      select guard.kind, guard.object, guard.name, 'different' as problem,
        format('update pg_catalog.pg_proc set prosrc = prosrc || ''-- '' where oid = %s', function.oid) as statement
      from app_private.guard
      join pg_catalog.pg_proc as function
        on function.oid = to_regprocedure(format('%s.%s', guard.object, guard.name)) and function.prosqlbody is null
      where guard.kind = 'function'`,
    atLeast: 450,
  },
  {
    says: 'functions that are dropped, with the rights on them',
    broken: `
      select guard.kind, guard.object, guard.name, 'missing' as problem,
        format('drop routine %s.%s', guard.object, guard.name) as statement
      from app_private.guard
      join pg_catalog.pg_proc as function on function.oid = to_regprocedure(format('%s.%s', guard.object, guard.name))
      where guard.kind = 'function' and not exists (
        select from pg_catalog.pg_depend
        where refclassid = 'pg_proc'::regclass and refobjid = function.oid and deptype in ('n', 'a'))`,
    fallsToo: `
      select granted.kind, granted.object, granted.name, 'missing' as problem
      from app_private.guard as granted
      join pg_catalog.pg_proc as function on function.oid = to_regprocedure(
        regexp_replace(granted.object, '^(function|procedure) ', ''))
      where granted.kind = 'grant' and granted.object ~ '^(function|procedure) ' and not exists (
        select from pg_catalog.pg_depend
        where refclassid = 'pg_proc'::regclass and refobjid = function.oid and deptype in ('n', 'a'))`,
    atLeast: 300,
  },
  {
    says: 'tables and schemas of another owner',
    before: 'create role somebody_else',
    broken: guards(
      'owner',
      'different',
      `format('alter %s owner to somebody_else',
         case when guard.object ~ '^(schema|sequence) ' then guard.object else 'table ' || guard.object end)`,
      // The owner of the check reads these; a sequence that counts a column goes with its table.
      `guard.object not in ('checks.missing_guard', 'app_private.guard', 'app_public.health_check', 'schema app_public',
         'schema app_private', 'schema checks') and guard.object not like 'sequence %'`,
    ),
    fallsToo: `select kind, object, name, 'different' as problem from app_private.guard
      where kind = 'owner' and object like 'sequence %'`,
    atLeast: 70,
  },
  {
    says: 'columns without their default',
    broken: guards(
      'default',
      'missing',
      `format('alter table %s alter column %I drop %s', guard.object, guard.name,
         case when guard.definition like 'default %' then 'default' else 'identity' end)`,
      "guard.definition not like 'generated always as (%'",
    ),
    fallsToo: ownersOfSequences,
    atLeast: 150,
  },
  {
    says: 'columns with another default',
    broken: guards(
      'default',
      'different',
      `format('alter table %s alter column %I set %s', guard.object, guard.name,
         case when guard.definition like 'default %'
           then format('default coalesce((%s), (%1$s))', substr(guard.definition, 9)) else 'generated by default' end)`,
      "guard.definition not like 'generated always as (%'",
    ),
    atLeast: 150,
  },
  {
    says: 'columns that are not generated any more',
    broken: guards(
      'default',
      'missing',
      "format('alter table %s alter column %I drop expression', guard.object, guard.name)",
      "guard.definition like 'generated always as (%'",
    ),
    atLeast: 7,
    staysBroken: true,
  },
  {
    says: 'views with other options',
    broken: guards(
      'view',
      'different',
      "format('alter view %s set (security_barrier)', guard.object)",
    ),
    atLeast: 6,
  },
  {
    says: 'views that are dropped, with the rights on them and the views that read them',
    broken: guards(
      'view',
      'missing',
      "format('drop view if exists %s cascade', guard.object)",
      "guard.object <> 'checks.missing_guard'",
    ),
    fallsToo: `
      select kind, object, name, 'missing' as problem from app_private.guard
      where kind in ('owner', 'grant') and object like 'checks.%' and object <> 'checks.missing_guard'`,
    atLeast: 5,
  },
  {
    says: 'checks that are taken out of the catalog',
    broken: guards(
      'check',
      'missing',
      "format('delete from app_public.health_check where name = %L', guard.name)",
    ),
    atLeast: 4,
  },
  {
    says: 'checks that are made harmless',
    broken: guards(
      'check',
      'different',
      "format('update app_public.health_check set severity = ''info'', domain = ''other'' where name = %L', guard.name)",
    ),
    atLeast: 4,
  },
  {
    says: 'roles that may do more',
    broken: guards('role', 'different', "format('alter role %I superuser bypassrls', guard.name)"),
    atLeast: 13,
  },
  {
    says: 'roles that inherit, and roles that do not any more',
    broken: guards(
      'role',
      'different',
      `format('alter role %I %s', guard.name,
         case when guard.definition like '% noinherit %' then 'inherit' else 'noinherit' end)`,
    ),
    atLeast: 13,
  },
  {
    says: 'memberships that are revoked',
    before: lockRoles,
    broken: guards(
      'membership',
      'missing',
      "format('revoke %s', replace(guard.name, ' to ', ' from '))",
    ),
    atLeast: 8,
  },
  {
    says: 'memberships that may be passed on',
    before: lockRoles,
    broken: guards('membership', 'different', "format('grant %s with admin option', guard.name)"),
    atLeast: 8,
  },
  {
    says: 'memberships that are always in force, and those that are not any more',
    before: lockRoles,
    since: 16,
    broken: guards(
      'membership',
      'different',
      "format('grant %s with inherit %s', guard.name, case when guard.definition like '%inherits%' then 'false' else 'true' end)",
    ),
    atLeast: 8,
  },
  {
    says: 'rights that everybody gets',
    broken: guards(
      'default_rights',
      'missing',
      "format('alter default privileges for role %I grant execute on functions to public', guard.object)",
    ),
    atLeast: 1,
  },
];

describe('names exactly what was broken, and what it says to run brings it back', () => {
  test.each(breaks.filter(({ since = 0 }) => since <= version))('$says', (each) =>
    rolledBack(ownerPool, async (db) => {
      expect(linesOf(await missingGuards(db))).toEqual([]);
      const { expected, statements } = await plan(db, each);
      expect(statements.length).toBeGreaterThanOrEqual(each.atLeast);
      if (each.before) await db.query(each.before);
      await db.query(statements.join(';'));

      const missing = await missingGuards(db);
      expect(linesOf(missing)).toEqual(expected);

      const failed = await restore(db, missing);
      if (each.staysBroken) return;
      expect(failed).toEqual([]);
      expect(linesOf(await missingGuards(db))).toEqual([]);
      const { rows } = await db.query('select cache_key from checks.undeclared_access');
      expect(rows).toEqual([]);
    }),
  );
});

test('every kind of guard is broken by some test', async () => {
  const tried = breaks.flatMap(({ broken }) => [...broken.matchAll(/guard\.kind = '(\w+)'/g)]);
  const { rows } = await ownerPool.query<{ kind: string }>(
    'select distinct kind from app_private.guard order by kind',
  );
  const kinds = rows.map(({ kind }) => kind).filter((kind) => kind !== 'superuser');
  expect([...new Set(tried.map(([, kind]) => kind))].toSorted()).toEqual(kinds.toSorted());
});

async function plan(db: ClientBase, { broken, fallsToo }: Break) {
  type Row = { kind: string; object: string; name: string; problem: string; statement: string };
  const { rows } = await db.query<Row>(broken);
  const fallen = fallsToo ? (await db.query<Row>(fallsToo)).rows : [];
  return {
    expected: [...new Set(linesOf([...rows, ...fallen]))],
    statements: rows.map(({ statement }) => statement),
  };
}
