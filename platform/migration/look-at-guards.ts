import type { Client } from 'pg';

/**
 * Has the checks of guards remember what a hand has changed, before a migration touches the same rows of
 * the catalog: what they have found, no migration takes into the manifest. Does nothing in a database
 * that has no such checks yet.
 */
export async function lookAtGuards(client: Pick<Client, 'query'>): Promise<void> {
  const { rows } = await client.query<{ checks: string[] | null }>(`
    select array(
      select name from unnest(array['missing_guard', 'undeclared_access']) as name
      where to_regclass(format('checks.%I', name)) is not null) as checks
    where to_regprocedure('app_private.run_checks(uuid, text[], app_public.check_trigger, uuid)') is not null`);
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
