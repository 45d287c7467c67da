// Every check is proven: silent on a healthy hospital, speaks of exactly what was broken, stays silent
// about what only looks alike, and is silent again after what its remedy promises.
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import type { Damage } from '../../drill/damage.ts';
import { allDamages } from '../../drill/damages/index.ts';
import { createSubject } from '../../drill/subject.ts';
import { rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { inOrder, namedBy, rowsOf } from './findings.ts';

const { ownerPool } = await createDatabase();
const damages = await allDamages();

test('every check of the catalog has a view and a damage that proves it', async () => {
  const { rows } = await ownerPool.query<{ name: string }>(
    'select name from app_public.health_check order by name',
  );
  const { rows: views } = await ownerPool.query<{ name: string }>(
    `select table_name as name from information_schema.columns
      where table_schema = 'checks' and column_name = 'cache_key' and table_name not like '%findings'
      order by table_name`,
  );
  const names = rows.map(({ name }) => name);
  expect(views.map(({ name }) => name)).toEqual(names);
  expect([...new Set(damages.map(({ check }) => check))].toSorted()).toEqual(names);
});

test('a healthy hospital has nothing wrong', () =>
  story(async (db, hospitalId) => {
    await createSubject(db, hospitalId);
    expect(await everythingWrong(db)).toEqual([]);
  }));

describe.each(damages.map((damage) => ({ name: damage.check, damage })))('$name', ({ damage }) => {
  test('speaks of what is broken, and of nothing else', () =>
    story(async (db, hospitalId) => {
      const subject = await createSubject(db, hospitalId);
      expect(await rowsOf(db, damage.check)).toEqual([]);

      const broken = await damage.inflict(db, subject);
      const rows = await rowsOf(db, damage.check);
      expect(namedBy(rows)).toEqual(inOrder(broken));
      expect(rows.map(({ detail }) => detail)).not.toContain('');

      const spoke = new Set((await everythingWrong(db)).map(({ check_name }) => check_name));
      spoke.delete(damage.check);
      expect([...spoke].filter((check) => !damage.alsoFound?.includes(check))).toEqual([]);

      await expectToEnd(db, damage);
    }));

  test('stays silent about what only looks alike', () =>
    story(async (db, hospitalId) => {
      await damage.nearMiss(db, await createSubject(db, hospitalId));
      expect(await everythingWrong(db)).toEqual([]);
    }));
});

async function expectToEnd(db: ClientBase, { check, ends }: Damage): Promise<void> {
  await db.query("select app_private.run_checks(null, array[$1], 'manual')", [check]);
  const { rows: findings } = await db.query<{ hospital_id: string; id: string }>(
    'select hospital_id, id from app_public.finding where check_name = $1 and resolved_at is null',
    [check],
  );
  expect(findings).not.toEqual([]);
  for (const { hospital_id, id } of findings) {
    await db.query('select app_private.repair_finding($1, $2)', [hospital_id, id]);
  }
  const { rows: reviews } = await db.query(
    "select id from app_public.review_item where reason = $1 and status = 'pending'",
    [check],
  );
  if (ends === 'repaired') expect(await rowsOf(db, check)).toEqual([]);
  else expect(await rowsOf(db, check)).not.toEqual([]);
  expect(reviews.length > 0).toBe(ends === 'reviewed');
}

async function everythingWrong(db: ClientBase) {
  const { rows } = await db.query<{ check_name: string; detail: string }>(
    'select check_name, detail from checks.all_findings',
  );
  return rows;
}

async function story(tell: (db: ClientBase, hospitalId: string) => Promise<void>): Promise<void> {
  await rolledBack(ownerPool, async (db) => {
    const hospital = await openHospital(db);
    await tell(db, hospital.id);
  });
}
