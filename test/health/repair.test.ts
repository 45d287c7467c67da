// Admins repair what is safe to repair, one finding or all, and are told what became of each.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { breakSamples, createSamples, findingOf, runAll, SYSTEM } from './samples.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);
await createSamples(ownerPool);

async function repair(db: ClientBase, id: string) {
  const { rows } = await db.query('select * from app_public.repair_finding($1)', [id]);
  return rows[0];
}

async function repairAll(db: ClientBase, names: string[] | null = null) {
  const { rows } = await db.query(
    `select repaired_count, remaining_count, for_people_count, to_jsonb(repairs) as repairs
     from app_public.repair_all_safe($1)`,
    [names],
  );
  return rows[0];
}

async function broken(db: ClientBase, ...words: string[]): Promise<void> {
  await breakSamples(db, hospital.id, 'sample', ...words);
  await runAll(db);
  await become(db, hospital.admin);
}

test('an admin repairs a finding: the check is silent again, and the answer says what was done', () =>
  rolledBack(ownerPool, async (db) => {
    await broken(db, 'a', 'b');
    const id = await findingOf(db, 'a');
    expect(await repair(db, id)).toMatchObject({
      finding_id: id,
      check_name: 'sample',
      entity_type: 'sample',
      outcome: 'repaired',
      message: 'It was forgotten.',
    });
    await asOwner(db);
    const { rows } = await db.query(
      "select metadata ->> 'word' as word, is_auto_corrected from app_public.finding order by 1",
    );
    expect(rows).toEqual([
      { word: 'a', is_auto_corrected: true },
      { word: 'b', is_auto_corrected: false },
    ]);
  }));

test('what is not safe after all goes to people', () =>
  rolledBack(ownerPool, async (db) => {
    await broken(db, 'stubborn');
    expect(await repair(db, await findingOf(db, 'stubborn'))).toMatchObject({
      outcome: 'needs_a_person',
      message: 'No repair is safe without a person.',
    });
  }));

test('what is resolved, ignored or without a safe repair is refused', () =>
  rolledBack(ownerPool, async (db) => {
    await breakSamples(db, hospital.id, 'sample_for_people', 'for people');
    await broken(db, 'a', 'b');
    const id = await findingOf(db, 'a');
    await repair(db, id);
    expect(await refusalOf(db, () => repair(db, id))).toMatchObject({
      scenario: 'finding_is_resolved',
    });
    const ignored = await findingOf(db, 'b');
    await db.query("select app_public.ignore_finding($1, 'known')", [ignored]);
    expect(await refusalOf(db, () => repair(db, ignored))).toMatchObject({
      scenario: 'finding_is_ignored',
      details: { until: null },
    });
    const forPeople = await findingOf(db, 'for people');
    expect(await refusalOf(db, () => repair(db, forPeople))).toMatchObject({
      code: 'SK422',
      scenario: 'finding_needs_a_person',
      details: { check_name: 'sample_for_people' },
    });
  }));

test('findings of other hospitals are not there; those of the system are not theirs', () =>
  rolledBack(ownerPool, async (db) => {
    await breakSamples(db, other.id, 'sample', 'theirs');
    await breakSamples(db, SYSTEM, 'sample_of_system', 'everywhere');
    await runAll(db);
    const [theirs, everywhere] = [await findingOf(db, 'theirs'), await findingOf(db, 'everywhere')];
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => repair(db, theirs))).toMatchObject({
      scenario: 'finding_not_found',
    });
    expect(await refusalOf(db, () => repair(db, everywhere))).toMatchObject({
      scenario: 'finding_of_the_system',
    });
    expect(await repairAll(db)).toMatchObject({ repaired_count: 0, repairs: [] });
    const reach = 'select app_private.repair_wanted($1, $2)';
    expect(await refusalOf(db, () => db.query(reach, [other.id, theirs]))).toMatchObject({
      scenario: 'forbidden',
    });
    const all = 'select app_private.repair_open_findings($1, null)';
    expect(await refusalOf(db, () => db.query(all, [other.id]))).toMatchObject({
      scenario: 'forbidden',
    });
  }));

test('all that is safe is repaired at once, and the rest is told', () =>
  rolledBack(ownerPool, async (db) => {
    await breakSamples(db, hospital.id, 'sample_for_people', 'for people', 'and this');
    await broken(db, 'a', 'b', 'ignored', 'stubborn');
    await db.query("select app_public.ignore_finding($1, 'known')", [
      await findingOf(db, 'ignored'),
    ]);
    const report = await repairAll(db);
    expect(report).toMatchObject({ repaired_count: 2, remaining_count: 0, for_people_count: 2 });
    const outcomes = report.repairs.map(({ outcome }: { outcome: string }) => outcome);
    expect(outcomes.toSorted()).toEqual(['needs_a_person', 'repaired', 'repaired']);
    const { rows } = await db
      .query('select word from app_private.sample')
      .catch(() => ({ rows: [] }));
    expect(rows).toEqual([]);
  }));

test('only the checks that are named are repaired', () =>
  rolledBack(ownerPool, async (db) => {
    await broken(db, 'a');
    expect(await repairAll(db, ['sample_for_people'])).toMatchObject({ repaired_count: 0 });
    expect(await refusalOf(db, () => repairAll(db, ['sampel']))).toMatchObject({
      scenario: 'unknown_check',
    });
    expect(await repairAll(db, ['sample'])).toMatchObject({ repaired_count: 1 });
  }));

test('a call repairs at most 50, and says how many remain', () =>
  rolledBack(ownerPool, async (db) => {
    await broken(db, ...Array.from({ length: 60 }, (_, index) => `word ${index}`));
    let remaining = 60;
    while (remaining > 0) {
      const began = performance.now();
      const { repaired_count, remaining_count } = await repairAll(db);
      // Less than 50 only where they take longer than the two seconds of a call.
      const hadTime = performance.now() - began < 2_000;
      expect(repaired_count).toBeGreaterThan(0);
      expect(repaired_count).toBeLessThanOrEqual(50);
      if (hadTime) expect(repaired_count).toBe(Math.min(50, remaining));
      expect(remaining_count).toBe(remaining - repaired_count);
      remaining = remaining_count;
    }
    expect(await repairAll(db)).toMatchObject({ repaired_count: 0, remaining_count: 0 });
  }));

test('what somebody else holds is left for the next call, long before anybody waits for it in vain', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'held', 'free');
  await runAll(ownerPool);
  const holder = await ownerPool.connect();
  try {
    await holder.query('begin');
    await holder.query("select from app_private.sample where word = 'held' for update");
    await rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      await db.query("set local lock_timeout = '2s'");
      const report = await repairAll(db);
      expect(report).toMatchObject({ repaired_count: 1, remaining_count: 0 });
      const outcomes = report.repairs.map(({ outcome }: { outcome: string }) => outcome);
      expect(outcomes.toSorted()).toEqual(['failed', 'repaired']);
      const { rows } = await db.query("select current_setting('lock_timeout') as timeout");
      expect(rows).toEqual([{ timeout: '2s' }]);
    });
  } finally {
    await holder.query('rollback');
    holder.release();
    await ownerPool.query(
      'delete from app_private.sample; delete from app_public.health_alert; delete from app_public.finding',
    );
  }
});

test('nobody else may', () =>
  rolledBack(ownerPool, async (db) => {
    await broken(db, 'a');
    const id = await findingOf(db, 'a');
    for (const actor of [
      hospital.receptionist,
      hospital.nurse,
      hospital.doctor,
      hospital.patient,
    ]) {
      await become(db, actor);
      expect((await errorOf(db, () => repair(db, id))).code, actor.role).toBe('42501');
      expect((await errorOf(db, () => repairAll(db))).code, actor.role).toBe('42501');
    }
    await become(db, hospital.admin);
    const engine = 'select app_private.repair_finding($1, $2)';
    expect((await errorOf(db, () => db.query(engine, [hospital.id, id]))).code).toBe('42501');
  }));
