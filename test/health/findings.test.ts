// Who reads what checks found, and in what order.
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf } from '../helpers/refusals.ts';
import { breakSamples, createSamples, runAll, SYSTEM, storeFinding } from './samples.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);
await createSamples(ownerPool);
await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'mild', 'gone');
await breakSamples(ownerPool, hospital.id, 'sample', 'bad', 'ignored', 'ignored before');
await breakSamples(ownerPool, other.id, 'sample', 'theirs');
await breakSamples(ownerPool, SYSTEM, 'sample_of_system', 'everywhere');
await runAll(ownerPool);
await ownerPool.query(`
  delete from app_private.sample where word = 'gone';
  update app_public.finding set ignored_at = now(), ignore_reason = 'known' where metadata ->> 'word' = 'ignored';
  update app_public.finding set ignored_at = now() - interval '2 days', ignored_until = now() - interval '1 day',
    ignore_reason = 'known' where metadata ->> 'word' = 'ignored before'`);
await runAll(ownerPool);

test('open findings are those neither resolved nor ignored now, worst first', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const { rows } = await db.query(
      "select severity, metadata ->> 'word' as word from app_public.open_findings()",
    );
    expect(rows.map(({ severity }) => severity)).toEqual(['critical', 'critical', 'warning']);
    expect(rows.map(({ word }) => word).toSorted()).toEqual(['bad', 'ignored before', 'mild']);
  }));

test('an admin reads runs, results and findings of their hospital, and the catalog', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    for (const table of ['check_run', 'check_result', 'finding']) {
      const { rows } = await db.query(`select distinct hospital_id from app_public.${table}`);
      expect(rows, table).toEqual(table === 'finding' ? [{ hospital_id: hospital.id }] : []);
    }
    await db.query('select app_public.run_health_checks()');
    for (const table of ['check_run', 'check_result']) {
      const { rows } = await db.query(`select distinct hospital_id from app_public.${table}`);
      expect(rows, table).toEqual([{ hospital_id: hospital.id }]);
    }
    const { rows } = await db.query('select name from app_public.health_check order by 1');
    expect(rows.map(({ name }) => name)).toEqual([
      'sample',
      'sample_for_people',
      'sample_of_system',
    ]);
  }));

test('what is wrong with the whole system is told to the admins of every hospital', () =>
  rolledBack(ownerPool, async (db) => {
    for (const admin of [hospital.admin, other.admin]) {
      await become(db, admin);
      const { rows } = await db.query(
        'select hospital_id, detail from app_public.system_findings()',
      );
      expect(rows).toEqual([{ hospital_id: SYSTEM, detail: 'The sample says everywhere.' }]);
    }
  }));

test('the others of a hospital read none of it', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.receptionist,
      hospital.nurse,
      hospital.doctor,
      hospital.patient,
    ]) {
      await become(db, actor);
      for (const query of [
        'select from app_public.finding',
        'select from app_public.check_run',
        'select from app_public.check_result',
        'select from app_public.health_check',
        'select from app_public.open_findings()',
        'select from app_public.system_findings()',
        'select from checks.open_findings',
        'select from checks.all_findings',
      ]) {
        expect((await errorOf(db, () => db.query(query))).code, `${actor.role}: ${query}`).toBe(
          '42501',
        );
      }
    }
  }));

test('the monitor reads everything that was found, and writes nothing', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query("select set_config('role', 'app_monitor', true)");
    const { rows } = await db.query(
      'select hospital, check_name, detail from checks.open_findings order by check_name, detail',
    );
    expect(rows).toEqual([
      { hospital: hospital.slug, check_name: 'sample', detail: 'The sample says bad.' },
      { hospital: hospital.slug, check_name: 'sample', detail: 'The sample says ignored before.' },
      { hospital: other.slug, check_name: 'sample', detail: 'The sample says theirs.' },
      { hospital: hospital.slug, check_name: 'sample_for_people', detail: 'The sample says mild.' },
      { hospital: null, check_name: 'sample_of_system', detail: 'The sample says everywhere.' },
    ]);
    const live = await db.query('select from checks.all_findings');
    expect(live.rowCount).toBe(6);
    const summary = await db.query(
      'select check_name, hospital, findings from checks.summary where findings > 0',
    );
    expect(summary.rows.slice(0, 2)).toEqual([
      { check_name: 'sample', hospital: hospital.slug, findings: 3 },
      { check_name: 'sample', hospital: other.slug, findings: 1 },
    ]);
    for (const statement of [
      'delete from app_public.finding',
      "update app_public.finding set ignored_at = now(), ignore_reason = 'x'",
      'select app_private.run_wanted_checks(null, null)',
      "select app_private.run_checks(null, null, 'manual')",
    ]) {
      expect((await errorOf(db, () => db.query(statement))).code, statement).toBe('42501');
    }
  }));

test('a finding takes its domain from the catalog, and has none when its check is no more', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    await storeFinding(db, hospital.id, { check_name: 'sample' });
    await storeFinding(db, hospital.id, { check_name: 'forgotten', cache_key: 'forgotten:x' });
    const { rows } = await db.query(
      "select check_name, domain from app_public.finding where cache_key like '%:x' order by 1",
    );
    expect(rows).toEqual([
      { check_name: 'forgotten', domain: null },
      { check_name: 'sample', domain: 'samples' },
    ]);
  }));
