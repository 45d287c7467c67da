import type { ClientBase } from 'pg';
import pg from 'pg';
import type { Subject } from './subject.ts';

/** What a check has to name: the type of its entity, and its id where it has one. */
export interface Named {
  entityType: string;
  entityId: string | null;
}

/** One way in which a hospital's data can go wrong, made on purpose, and what has to become of it. */
export interface Damage {
  /** The check that must speak. */
  check: string;
  /** How it could happen, in a sentence, for people who read about the check. */
  story: string;
  /** What becomes of it: repaired without a person, given to people to review, or told to operators. */
  ends: 'repaired' | 'reviewed' | 'told';
  /** Other checks that rightly speak of the same damage. */
  alsoFound?: readonly string[];
  /** Does it, as the owner of the database; returns what the check must name, no more and no less. */
  inflict(db: ClientBase, subject: Subject): Promise<readonly Named[]>;
  /** Does something that looks alike and is right: no check may speak of it. */
  nearMiss(db: ClientBase, subject: Subject): Promise<void>;
}

/** Runs `work` with every trigger and foreign key asleep, as a restore or a hand with rights could. */
export async function unguarded<T>(db: ClientBase, work: () => Promise<T>): Promise<T> {
  await db.query("select pg_catalog.set_config('session_replication_role', 'replica', true)");
  try {
    return await work();
  } finally {
    // After an error of `work` this one is refused as well, and says less.
    await db
      .query("select pg_catalog.set_config('session_replication_role', 'origin', true)")
      .catch(() => {});
  }
}

/** Runs `work` without a constraint (`app_public.slot`, its name), which stays dropped afterwards. */
export async function withoutConstraint<T>(
  db: ClientBase,
  table: string,
  constraint: string,
  work: () => Promise<T>,
): Promise<T> {
  await db.query(
    `alter table ${table} drop constraint if exists ${pg.escapeIdentifier(constraint)}`,
  );
  return work();
}
