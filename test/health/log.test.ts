// What the database lets into the log, who may write and read it, and how long it stays.
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { begin, end, machinery, run } from '../jobs/recording.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);

async function asLogin(db: ClientBase): Promise<void> {
  await db.query("select set_config('role', 'app_login', true)");
}

async function write(db: ClientBase, ...entries: Record<string, unknown>[]): Promise<number> {
  const { rows } = await db.query<{ count: number }>('select app_private.write_log($1) as count', [
    JSON.stringify(entries),
  ]);
  return rows[0]?.count ?? -1;
}

async function logged(db: ClientBase) {
  await asOwner(db);
  const { rows } = await db.query('select * from app_public.log_entry order by id');
  return rows;
}

const login = { kind: 'login', level: 'info', name: 'login', outcome: 'succeeded' };

describe('a batch', () => {
  test('is dated by how long ago each happened, oldest first', () =>
    rolledBack(ownerPool, async (db) => {
      await asLogin(db);
      expect(
        await write(
          db,
          { ...login, name: 'late', age_ms: 10 },
          { ...login, name: 'early', age_ms: 60_000, hospital_id: hospital.id },
        ),
      ).toBe(2);
      const [early, late] = await logged(db);
      expect(early).toMatchObject({ name: 'early', hospital_id: hospital.id });
      expect(late).toMatchObject({ name: 'late', hospital_id: machinery });
      expect(late.logged_at - early.logged_at).toBe(59_990);
    }));

  test('a hospital is known by its short name, and one that is not there is nobody', () =>
    rolledBack(ownerPool, async (db) => {
      await asLogin(db);
      await write(
        db,
        { ...login, age_ms: 3, hospital_slug: hospital.slug },
        { ...login, age_ms: 2, hospital_slug: 'Grimhilde Quastenflosser' },
        { ...login, age_ms: 1, hospital_slug: hospital.slug, hospital_id: other.id },
      );
      const rows = await logged(db);
      expect(rows.map(({ hospital_id }) => hospital_id)).toEqual([
        hospital.id,
        machinery,
        other.id,
      ]);
      expect(JSON.stringify(rows)).not.toContain('Grimhilde');
    }));

  test('holds facts: a name that is none is not kept, health is not told by this way', () =>
    rolledBack(ownerPool, async (db) => {
      await asLogin(db);
      const kinds = ['check_run', 'finding', 'repair', 'review', 'alert'];
      expect(await write(db, ...kinds.map((kind) => ({ ...login, kind })))).toBe(0);
      await write(db, { ...login, name: 'Grimhilde Quastenflosser', message: 'Grimhilde' });
      const rows = await logged(db);
      expect(rows).toMatchObject([{ name: 'unknown', message: 'unknown succeeded.' }]);
    }));

  test.each([
    [{ outcome: 'succeeded' }, 'login succeeded.'],
    [
      { outcome: 'refused', scenario: 'invalid_credentials' },
      'login was refused: invalid_credentials.',
    ],
    [{ outcome: 'refused' }, 'login was refused: by a rule.'],
    [{ outcome: 'failed' }, 'login failed: unexpectedly.'],
    [{ outcome: 'noted' }, 'login: nobody waited for the answer.'],
    [{ details: { count: 12 } }, 'login succeeded 12 times.'],
    [{ name: 'log_dropped', details: { count: 3 } }, '3 entries of the log were not kept.'],
  ])('has the words of the database: %j', (facts, message) =>
    rolledBack(ownerPool, async (db) => {
      await asLogin(db);
      await write(db, { ...login, ...facts });
      expect(await logged(db)).toMatchObject([{ message }]);
    }),
  );

  test('is written by the server and the worker alone', () =>
    rolledBack(ownerPool, async (db) => {
      await asWorker(db);
      expect(await write(db, login)).toBe(1);
      for (const actor of [hospital.admin, hospital.patient, hospital.doctor]) {
        await become(db, actor);
        await db.query('savepoint attempt');
        await expect(write(db, login)).rejects.toMatchObject({ code: '42501' });
        await db.query('rollback to savepoint attempt');
      }
    }));
});

describe('retention', () => {
  test('what a hospital keeps no longer goes, in batches, and nothing of others', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query('update app_public.hospital set log_kept_days = 10 where id = $1', [
        hospital.id,
      ]);
      await db.query(
        `insert into app_public.log_entry (hospital_id, kind, level, name, outcome, message, logged_at)
         select tenant.id, 'operation', 'info', 'x', 'succeeded', 'x', now() - age * interval '1 day'
         from (values ($1::uuid), ($2::uuid), (app_private.machinery())) as tenant (id)
         cross join generate_series(1, 100) as age`,
        [hospital.id, other.id],
      );
      await asWorker(db);
      const remove = async (id: string, most: number) => {
        const { rows } = await db.query('select app_private.remove_old_log($1, $2) as count', [
          id,
          most,
        ]);
        return rows[0].count;
      };
      expect([
        await remove(hospital.id, 60),
        await remove(hospital.id, 60),
        await remove(hospital.id, 60),
        await remove(machinery, 60),
        await remove(machinery, 60),
      ]).toEqual([60, 30, 0, 10, 0]);
      await asOwner(db);
      const { rows } = await db.query(
        `select hospital_id, count(*)::integer as count, min(logged_at) > now() - interval '90 days 1 second' as is_young
         from app_public.log_entry group by hospital_id`,
      );
      const left = new Map(rows.map((row) => [row.hospital_id, row.count]));
      expect([left.get(hospital.id), left.get(other.id), left.get(machinery)]).toEqual([
        10, 100, 90,
      ]);
    }));
});

describe('runs of jobs', () => {
  const facts = (row: Record<string, unknown>) => ({
    name: row.name,
    outcome: row.outcome,
    level: row.level,
  });

  test('every run that has a record leaves an entry when it ends', () =>
    rolledBack(ownerPool, async (db) => {
      const id = await run(db, hospital.id, 'generate_slots');
      await run(db, hospital.id, 'generate_slots', false);
      const rows = await logged(db);
      expect(rows.map(facts)).toEqual([
        { name: 'generate_slots', outcome: 'succeeded', level: 'info' },
        { name: 'generate_slots', outcome: 'failed', level: 'error' },
      ]);
      expect(rows[0]).toMatchObject({
        hospital_id: hospital.id,
        kind: 'job',
        entity_type: 'job_run',
        entity_id: id,
        duration_ms: 120,
        details: { started_by: 'cron', items: 7 },
      });
      expect(rows[1]).toMatchObject({ code: '23505', message: 'generate_slots failed: 23505.' });
    }));

  test('a counted run only when it failed, and one that is stuck when that is found', () =>
    rolledBack(ownerPool, async (db) => {
      for (const isSuccess of [true, false]) {
        await db.query(
          `select app_private.count_job_run(
             hospital_id => $1, job => 'send_reminders', worker_id => 'w', is_success => $2, items => 1,
             duration_ms => 5, error_code => $3)`,
          [hospital.id, isSuccess, isSuccess ? null : '23505'],
        );
      }
      const stuck = await begin(db, hospital.id, 'generate_slots', '1 day');
      await db.query('select app_private.settle_stuck_run($1, $2)', [hospital.id, stuck]);
      await end(db, hospital.id, stuck, true);
      expect((await logged(db)).map(facts)).toEqual([
        { name: 'send_reminders', outcome: 'failed', level: 'error' },
        { name: 'generate_slots', outcome: 'failed', level: 'error' },
        { name: 'generate_slots', outcome: 'succeeded', level: 'info' },
      ]);
    }));
});
