// Admins run checks in their hospital, and wait for what they find.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asAnonymous, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { breakSamples, createSamples, SYSTEM } from './samples.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);
await createSamples(ownerPool);

const runOwn = async (db: ClientBase, names: string[] | null = null) => {
  const { rows } = await db.query('select * from app_public.run_health_checks($1)', [names]);
  return rows[0];
};

test('an admin runs all checks in their own hospital, and is named as who asked', () =>
  rolledBack(ownerPool, async (db) => {
    await breakSamples(db, hospital.id, 'sample', 'a');
    await breakSamples(db, hospital.id, 'sample_for_people', 'b');
    await breakSamples(db, other.id, 'sample', 'c');
    await breakSamples(db, SYSTEM, 'sample_of_system', 'd');
    await become(db, hospital.admin);
    expect(await runOwn(db)).toMatchObject({
      hospital_id: hospital.id,
      trigger: 'manual',
      requested_by: hospital.admin.accountId,
      check_names: ['sample_for_people', 'sample', 'sample_of_system'],
      finding_count: 2,
      new_count: 2,
      failed_checks: [],
    });
    await asOwner(db);
    const { rows } = await db.query(
      'select hospital_id, check_name, domain, severity from app_public.finding order by check_name',
    );
    expect(rows).toEqual([
      { hospital_id: hospital.id, check_name: 'sample', domain: 'samples', severity: 'critical' },
      {
        hospital_id: hospital.id,
        check_name: 'sample_for_people',
        domain: 'people',
        severity: 'warning',
      },
    ]);
  }));

test('only the checks that are named run', () =>
  rolledBack(ownerPool, async (db) => {
    await breakSamples(db, hospital.id, 'sample', 'a');
    const run = await runOwn(await as(db, hospital.admin), ['sample_for_people']);
    expect(run).toMatchObject({ check_names: ['sample_for_people'], finding_count: 0 });
  }));

test('names that no check has are refused, with those that there are', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(
      await refusalOf(db, () => runOwn(db, ['sample', 'sampel', 'all_findings'])),
    ).toMatchObject({
      code: 'SK404',
      scenario: 'unknown_check',
      details: {
        unknown: ['all_findings', 'sampel'],
        checks: ['sample', 'sample_for_people', 'sample_of_system'],
      },
    });
    expect(await refusalOf(db, () => runOwn(db, []))).toMatchObject({ scenario: 'invalid_input' });
    const { rows } = await (await as(db, hospital.admin)).query('select from app_public.check_run');
    expect(rows).toEqual([]);
  }));

test('what takes longer than a statement may points to the job, and leaves nothing', () =>
  rolledBack(ownerPool, async (db) => {
    await breakSamples(db, hospital.id, 'sample', 'a');
    await db.query(`create or replace view checks.sample_for_people as
      select hospital_id, check_name, severity, entity_type, entity_id, detail, metadata, cache_key
      from checks.sample where (select pg_sleep(20)) is not null`);
    await become(db, hospital.admin);
    const refusal = await refusalOf(db, async () => {
      // Time for what comes before the checks.
      await db.query("set local statement_timeout = '2s'");
      await runOwn(db);
    });
    expect(refusal).toMatchObject({
      code: 'SK503',
      scenario: 'checks_took_too_long',
      recoverable: true,
      details: { job: 'run_health_checks' },
      hint: expect.stringContaining('runJob(job: "run_health_checks")'),
    });
    await asOwner(db);
    expect((await db.query('select from app_public.finding')).rows).toEqual([]);
    expect((await db.query('select from app_public.check_run')).rows).toEqual([]);
  }));

test('who asks while somebody waits for a run of the same hospital is told so', async () => {
  const first = await ownerPool.connect();
  try {
    await first.query('begin');
    await become(first, hospital.admin);
    await runOwn(first);
    await rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      expect(await refusalOf(db, () => runOwn(db))).toMatchObject({
        code: 'SK409',
        scenario: 'checks_already_running',
      });
      await become(db, other.admin);
      expect(await runOwn(db)).toMatchObject({ hospital_id: other.id });
    });
  } finally {
    await first.query('rollback');
    first.release();
  }
});

test('nobody but admins may, and no admin in another hospital or everywhere', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.receptionist,
      hospital.nurse,
      hospital.doctor,
      hospital.patient,
    ]) {
      await become(db, actor);
      expect((await errorOf(db, () => runOwn(db))).code, actor.role).toBe('42501');
    }
    await asAnonymous(db);
    expect((await errorOf(db, () => runOwn(db))).code).toBe('42501');
    await become(db, hospital.admin);
    for (const elsewhere of [other.id, null, SYSTEM]) {
      const run = () => db.query('select app_private.run_wanted_checks($1, null)', [elsewhere]);
      expect(await refusalOf(db, run)).toMatchObject({ scenario: 'forbidden' });
    }
    const engine = "select app_private.run_checks(null, null, 'manual')";
    expect((await errorOf(db, () => db.query(engine))).code).toBe('42501');
  }));
