import type { ClientBase, Pool } from 'pg';
import { expect, test } from 'vitest';
import { rolledBack } from '../helpers/actors.ts';
import { nameOurThings } from './vocabulary.ts';

/** A rule of the schema, with the proof that a breach of it is noticed. */
export type Rule = {
  /** The rule, as a sentence. */
  says: string;
  /** Query of one column, the names of what breaks the rule; or a function that finds them. */
  offenders: string | ((db: ClientBase) => Promise<string[]>);
  /** What may break it, and why. One that does not break it (any more) fails too. */
  excused?: Readonly<Record<string, string>>;
  /** Statements that break it. */
  breach: string;
  /** Names of what breaks it after them. */
  noticed: readonly string[];
};

/** One test a rule: nobody breaks it but the excused, and its breach is noticed. */
export function hold(pool: Pool, rules: readonly Rule[]): void {
  test.each(rules)('$says', (rule) =>
    rolledBack(pool, async (db) => {
      await nameOurThings(db);
      const excused = Object.keys(rule.excused ?? {}).sort();
      expect(await offendersOf(db, rule)).toEqual(excused);
      await db.query(rule.breach);
      expect(await offendersOf(db, rule)).toEqual([...excused, ...rule.noticed].sort());
    }),
  );
}

async function offendersOf(db: ClientBase, { offenders }: Rule): Promise<string[]> {
  if (typeof offenders === 'function') return (await offenders(db)).sort();
  const { rows } = await db.query<[string]>({ text: offenders, rowMode: 'array' });
  return rows.map(([name]) => name).sort();
}
