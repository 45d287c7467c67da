// plpgsql_check reads every PL/pgSQL function as Postgres would run it: names, types, columns. It is an
// extension that not every server has; REQUIRE_PLPGSQL_CHECK=1 says that this one must.
import { expect, test } from 'vitest';
import { rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';

const { ownerPool } = await createDatabase();

const { rowCount } = await ownerPool.query(
  "select from pg_catalog.pg_available_extensions where name = 'plpgsql_check'",
);
const isAvailable = rowCount === 1;
const isRequired = process.env.REQUIRE_PLPGSQL_CHECK === '1';

type Finding = { function: string; level: string; line: number; message: string };

const findings = `
  select function.oid::regprocedure::text as function, level, lineno as line, message
  from (
    select pg_proc.oid, coalesce(tgrelid, 0) as table_of_trigger
    from pg_catalog.pg_proc
    join pg_catalog.pg_language on pg_language.oid = prolang and lanname = 'plpgsql'
    left join (select distinct tgfoid, tgrelid from pg_catalog.pg_trigger where not tgisinternal) as trigger
      on tgfoid = pg_proc.oid
    where pronamespace in (
      select oid from pg_catalog.pg_namespace where nspname in ('app_public', 'app_private', 'checks'))
  ) as function
  cross join lateral plpgsql_check.plpgsql_check_function_tb(
    function.oid, function.table_of_trigger,
    other_warnings => true, extra_warnings => true, performance_warnings => false, security_warnings => true)
  order by function, line`;

/** A dynamic query that is returned as it is fills the columns of the table, which cannot be seen. */
const isOfDynamicRows = (finding: Finding) =>
  finding.function === 'app_private.queue_state(interval)' &&
  finding.message.endsWith('is maybe unmodified');

test('plpgsql_check is there where it is required', () => {
  expect(isAvailable || !isRequired).toBe(true);
});

test.skipIf(!isAvailable)('plpgsql_check finds no fault in any function', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query(
      "create schema plpgsql_check; create extension plpgsql_check schema plpgsql_check; set local search_path = ''",
    );
    const { rows } = await db.query<Finding>(findings);
    expect(rows.filter((finding) => !isOfDynamicRows(finding))).toEqual([]);
    await db.query(`
      create function app_private.broken() returns void language plpgsql
      as 'begin perform slot.colour from app_public.slot; end'`);
    const { rows: broken } = await db.query<Finding>(findings);
    expect(broken.filter((finding) => !isOfDynamicRows(finding))).toMatchObject([
      { function: 'app_private.broken()', level: 'error' },
    ]);
  }),
);
