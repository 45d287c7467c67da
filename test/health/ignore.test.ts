// People choose not to be told of a finding, for a time or for good, and it is known who chose so.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { clockOf, moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { breakSamples, createSamples, findingOf, runAll, SYSTEM } from './samples.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);
await createSamples(ownerPool);
await breakSamples(ownerPool, hospital.id, 'sample', 'a');
await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'gone');
await breakSamples(ownerPool, other.id, 'sample', 'theirs');
await breakSamples(ownerPool, SYSTEM, 'sample_of_system', 'everywhere');
await runAll(ownerPool);
await ownerPool.query("delete from app_private.sample where word = 'gone'");
await runAll(ownerPool);
const [a, gone, theirs, everywhere] = await Promise.all(
  ['a', 'gone', 'theirs', 'everywhere'].map((word) => findingOf(ownerPool, word)),
);

async function ignore(
  db: ClientBase,
  id = a,
  reason: string | null = 'known',
  until?: Date | string,
) {
  const { rows } = await db.query('select * from app_public.ignore_finding($1, $2, $3)', [
    id,
    reason,
    until ?? null,
  ]);
  return rows[0];
}

async function unignore(db: ClientBase, id = a) {
  const { rows } = await db.query('select * from app_public.unignore_finding($1)', [id]);
  return rows[0];
}

test('an admin ignores a finding until a time: it is open again afterwards', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const until = new Date((await clockOf(db)).getTime() + 3_600_000);
    expect(await ignore(db, a, '  we know  ', until)).toMatchObject({
      id: a,
      ignored_by: hospital.admin.accountId,
      ignored_at: await clockOf(db),
      ignored_until: until,
      ignore_reason: 'we know',
    });
    const open = async () => (await db.query('select id from app_public.open_findings()')).rows;
    expect(await open()).toEqual([]);
    await moveClock(db, '1 hour');
    expect(await open()).toEqual([{ id: a }]);
  }));

test('it is looked for all the same, and stays ignored', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const before = await ignore(db);
    await asOwner(db);
    await runAll(db);
    const { rows } = await db.query('select * from app_public.finding where id = $1', [a]);
    expect(rows[0]).toMatchObject({
      times_seen: before.times_seen + 1,
      ignored_at: before.ignored_at,
      resolved_at: null,
    });
  }));

test('the log and the audit tell who ignored it and why, and who ended that', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    await ignore(db);
    expect(await unignore(db)).toMatchObject({
      ignored_by: null,
      ignored_at: null,
      ignored_until: null,
      ignore_reason: null,
    });
    await asOwner(db);
    const { rows: entries } = await db.query(
      `select kind, level, name, outcome, message, actor_account_id, actor_role, request_id, details
       from app_public.log_entry where details ->> 'finding_id' = $1 and message like 'A finding is %' order by id`,
      [a],
    );
    const common = {
      kind: 'finding',
      level: 'info',
      name: 'sample',
      outcome: 'noted',
      actor_account_id: hospital.admin.accountId,
      actor_role: 'admin',
      request_id: 'test-request',
    };
    expect(entries).toEqual([
      {
        ...common,
        message: 'A finding is ignored for good.',
        details: { finding_id: a, reason: 'known', until: null },
      },
      {
        ...common,
        message: 'A finding is no longer ignored.',
        details: { finding_id: a, reason: 'known' },
      },
    ]);
    const { rows: audited } = await db.query(
      `select operation, changed_columns ->> 'ignore_reason' as reason, actor_account_id
       from app_public.audit_entry where table_name = 'finding' and record_id = $1 order by id`,
      [a],
    );
    expect(audited).toEqual([
      { operation: 'update', reason: 'known', actor_account_id: hospital.admin.accountId },
      { operation: 'update', reason: null, actor_account_id: hospital.admin.accountId },
    ]);
  }));

test('an operator in psql ignores findings of the system, without an account', () =>
  rolledBack(ownerPool, async (db) => {
    const { rows } = await db.query(
      "select * from app_private.set_finding_ignored($1, $2, 'being replaced', null)",
      [SYSTEM, everywhere],
    );
    expect(rows[0]).toMatchObject({ ignored_by: null, ignore_reason: 'being replaced' });
    expect(rows[0].ignored_at).not.toBeNull();
  }));

test('all that is wrong with the wish is told at once', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const reason of [null, '  ', 'x'.repeat(2001)]) {
      expect(await refusalOf(db, () => ignore(db, a, reason, '2001-01-01'))).toMatchObject({
        scenario: 'invalid_input',
        details: { reason: expect.any(String), until: expect.any(String) },
      });
    }
  }));

test('what is resolved is not ignored, and what is not ignored cannot be let count again', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => ignore(db, gone))).toMatchObject({
      scenario: 'finding_is_resolved',
    });
    expect(await refusalOf(db, () => unignore(db))).toMatchObject({
      scenario: 'finding_is_not_ignored',
    });
  }));

test('findings of other hospitals are not there; those of the system are not theirs', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const act of [ignore, unignore]) {
      expect(await refusalOf(db, () => act(db, theirs))).toMatchObject({
        code: 'SK404',
        scenario: 'finding_not_found',
      });
      expect(await refusalOf(db, () => act(db, everywhere))).toMatchObject({
        code: 'SK403',
        scenario: 'finding_of_the_system',
      });
    }
    for (const elsewhere of [other.id, SYSTEM]) {
      const reach = "select app_private.set_finding_ignored($1, $2, 'x', null)";
      const refusal = await refusalOf(db, () => db.query(reach, [elsewhere, theirs]));
      expect(refusal).toMatchObject({ scenario: 'forbidden' });
    }
  }));

test('nobody else may', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.receptionist,
      hospital.nurse,
      hospital.doctor,
      hospital.patient,
    ]) {
      await become(db, actor);
      expect((await errorOf(db, () => ignore(db))).code, actor.role).toBe('42501');
      expect((await errorOf(db, () => unignore(db))).code, actor.role).toBe('42501');
    }
  }));
