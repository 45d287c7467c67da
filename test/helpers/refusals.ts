import type { ClientBase, DatabaseError } from 'pg';
import { expect } from 'vitest';

/** A refusal of the database, as a client reads it. */
export type DatabaseRefusal = {
  code: string;
  message: string;
  scenario: string;
  recoverable: boolean;
  details: Record<string, unknown>;
  hint: string | undefined;
};

/**
 * The refusal that `attempt` meets; fails the test when it succeeds or fails otherwise. The attempt
 * runs under a savepoint, so that the transaction goes on afterwards.
 */
export async function refusalOf(
  db: ClientBase,
  attempt: () => Promise<unknown>,
): Promise<DatabaseRefusal> {
  const error = await errorOf(db, attempt);
  expect(error.code, error.message).toMatch(/^SK\d{3}$/);
  const { scenario, recoverable, details } = JSON.parse(error.detail ?? '{}');
  return {
    code: error.code ?? '',
    message: error.message,
    scenario,
    recoverable,
    details,
    hint: error.hint,
  };
}

/** The error of Postgres that `attempt` meets, such as that of a constraint; fails when it succeeds. */
export async function errorOf(
  db: ClientBase,
  attempt: () => Promise<unknown>,
): Promise<DatabaseError> {
  await db.query('savepoint attempt');
  try {
    await attempt();
  } catch (error) {
    await db.query('rollback to savepoint attempt');
    return error as DatabaseError;
  }
  throw new Error('the attempt succeeded, but should have been refused');
}

/** What `scenarioOf(error)` of a committed attempt says: the scenario, or the SQLSTATE of a raw error. */
export function scenarioOf(error: unknown): string {
  const { code, detail } = error as DatabaseError;
  if (!code?.startsWith('SK')) return code ?? String(error);
  return JSON.parse(detail ?? '{}').scenario;
}
