import type { Client } from 'pg';

/**
 * Has the checks of guards remember what a hand has changed, before a migration touches the same rows of
 * the catalog: what they have found, no migration takes into the manifest. Does nothing in a database
 * that has no such checks yet. (Before Postgres 16 `to_regprocedure` throws where a schema is missing.)
 */
export async function lookAtGuards(client: Pick<Client, 'query'>): Promise<void> {
  const { rows } = await client.query<{ checks: string[] | null }>(`
    select array(
      select name from unnest(array['missing_guard', 'undeclared_access']) as name
      where to_regclass(format('checks.%I', name)) is not null) as checks
    where exists (
      select from pg_catalog.pg_proc
      where proname = 'run_checks' and pronamespace = (
        select oid from pg_catalog.pg_namespace where nspname = 'app_private'))`);
  const checks = rows[0]?.checks ?? [];
  if (checks.length === 0) return;
  await client.query('begin');
  try {
    await client.query('set local role app_owner');
    await client.query("select app_private.run_checks(null, $1, 'manual')", [checks]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
