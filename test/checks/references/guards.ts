import type { ClientBase } from 'pg';

/** What missing_guard says of one guard. */
export interface Missing {
  kind: string;
  object: string;
  name: string;
  problem: string;
  restore: string;
}

/** Everything that missing_guard says. */
export async function missingGuards(db: ClientBase): Promise<Missing[]> {
  const { rows } = await db.query<{ metadata: Missing }>(
    'select metadata from checks.missing_guard',
  );
  return rows.map(({ metadata }) => metadata);
}

/** Guards as sorted lines, with what became of them. */
export function linesOf(guards: readonly Pick<Missing, 'kind' | 'object' | 'name' | 'problem'>[]) {
  return guards
    .map(({ kind, object, name, problem }) => `${kind} ${name} on ${object}: ${problem}`)
    .toSorted();
}

/** What undeclared_access names, and how each is taken away. */
export async function undeclaredAccess(db: ClientBase) {
  const { rows } = await db.query<{ metadata: Omit<Missing, 'restore'> & { remove: string } }>(
    'select metadata from checks.undeclared_access order by cache_key',
  );
  return rows.map(({ metadata }) => metadata);
}

/**
 * Runs what the check says to run, as an operator would: all of it, and what failed because it stands on
 * something that was missing too, again. Returns what never succeeded.
 */
export async function restore(db: ClientBase, guards: readonly Missing[]): Promise<string[]> {
  let left = guards.map(({ restore }) => restore);
  let failures: string[] = [];
  for (let round = 1; round <= 10 && left.length > 0; round += 1) {
    await db.query("select pg_catalog.set_config('test.statements', $1, true)", [
      JSON.stringify(left),
    ]);
    await db.query(runAll);
    const { rows } = await db.query<{ failed: string }>(
      "select pg_catalog.current_setting('test.failed') as failed",
    );
    const failed = JSON.parse(rows[0]?.failed ?? '[]') as { statement: string; error: string }[];
    failures = failed.map(({ statement, error }) => `${statement} → ${error}`);
    if (failed.length === left.length) break;
    left = failed.map(({ statement }) => statement);
  }
  return failures;
}

const runAll = `
  do $$
  declare
    statement text;
    failed jsonb := '[]';
  begin
    for statement in select jsonb_array_elements_text(current_setting('test.statements')::jsonb) loop
      begin
        execute statement;
      exception when others then
        failed := failed || jsonb_build_object('statement', statement, 'error', sqlerrm);
      end;
    end loop;
    perform set_config('test.failed', failed::text, true);
  end $$`;
