// Who is told that a job fails, and when; stuck runs; what becomes of old ones.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, insert } from '../helpers/hospital.ts';
import { begin, end, machinery, run } from './recording.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);
const archive = 'archive_past_years';

type Told = { account_id: string; event: string; priority: string; channels: string };

async function told(db: ClientBase): Promise<Told[]> {
  await asOwner(db);
  const { rows } = await db.query<Told>(
    `select account_id, event, priority, array_to_string(channels, ',') as channels
       from app_public.notification where event like 'job%' order by id`,
  );
  return rows;
}

test('the third failure in a row is told to the admins of the hospital, once, and so is the recovery', () =>
  rolledBack(ownerPool, async (db) => {
    const second = await insert(db, 'account', {
      hospital_id: hospital.id,
      email: 'second-admin@h.test',
      display_name: 'Second',
      role: 'admin',
    });
    await insert(db, 'account', {
      hospital_id: hospital.id,
      email: 'former-admin@h.test',
      display_name: 'Former',
      role: 'admin',
      is_active: false,
    });
    const counts: number[] = [];
    for (const isSuccess of [false, false, false, false, false, true, true]) {
      await run(db, hospital.id, archive, isSuccess);
      counts.push((await told(db)).length);
    }
    expect(counts).toEqual([0, 0, 2, 2, 2, 4, 4]);
    const all = await told(db);
    expect(new Set(all.map(({ account_id }) => account_id))).toEqual(
      new Set([hospital.admin.accountId, second]),
    );
    expect(all[0]).toMatchObject({
      event: 'job_failing',
      priority: 'high',
      channels: 'in_app,email',
    });
    expect(all[2]).toMatchObject({ event: 'job_recovered', priority: 'normal' });
  }));

test('after a success between, the next three failures are told again', () =>
  rolledBack(ownerPool, async (db) => {
    for (const isSuccess of [false, false, true, false, false, false, true, false, false, false]) {
      await run(db, hospital.id, archive, isSuccess);
    }
    expect((await told(db)).map(({ event }) => event)).toEqual([
      'job_failing',
      'job_recovered',
      'job_failing',
    ]);
  }));

test('what serves all hospitals is told to the admins of all; the words name the job', () =>
  rolledBack(ownerPool, async (db) => {
    for (let times = 1; times <= 3; times += 1) await run(db, machinery, 'plan_night', false);
    const accounts = (await told(db)).map(({ account_id }) => account_id).sort();
    expect(accounts).toEqual([hospital.admin.accountId, other.admin.accountId].sort());
    await become(db, hospital.admin);
    const { rows } = await db.query('select title, body from app_public.notification');
    expect(rows).toEqual([
      {
        title: 'A background job keeps failing',
        body: expect.stringContaining(
          'Starts the nightly jobs of each hospital (job plan_night): three runs in a row have failed.',
        ),
      },
    ]);
  }));

test('failures of one hospital are not those of another, nor those of one job another one’s', () =>
  rolledBack(ownerPool, async (db) => {
    await run(db, hospital.id, archive, false);
    await run(db, other.id, archive, false);
    await run(db, hospital.id, 'expire_waits', false);
    await run(db, hospital.id, archive, false);
    expect(await told(db)).toEqual([]);
  }));

async function settle(db: ClientBase, id: string): Promise<boolean> {
  await asWorker(db);
  const { rows } = await db.query<{ is_stuck: boolean }>(
    'select app_private.settle_stuck_run($1, $2) as is_stuck',
    [hospital.id, id],
  );
  await asOwner(db);
  return rows[0]?.is_stuck ?? false;
}

async function rowOf(db: ClientBase, id: string) {
  const { rows } = await db.query('select * from app_public.job_run where id = $1', [id]);
  return rows[0];
}

test('stuck runs count as failures: the third is told, and settling twice changes nothing', () =>
  rolledBack(ownerPool, async (db) => {
    const counts: number[] = [];
    for (let times = 1; times <= 3; times += 1) {
      const id = await begin(db, hospital.id, archive, '6 minutes');
      expect([await settle(db, id), await settle(db, id)]).toEqual([true, false]);
      expect(await rowOf(db, id)).toMatchObject({
        outcome: 'stuck',
        error: expect.stringMatching(/^No sign of life since/),
      });
      counts.push((await told(db)).length);
    }
    expect(counts).toEqual([0, 0, 1]);
  }));

test('a run that beats is not stuck, and one that has ended neither', () =>
  rolledBack(ownerPool, async (db) => {
    const id = await begin(db, hospital.id, archive, '6 minutes');
    await asWorker(db);
    await db.query('select app_private.beat_job_run($1, $2)', [hospital.id, id]);
    expect(await settle(db, id)).toBe(false);
    await end(db, hospital.id, id, true);
    await db.query("update app_public.job_run set heartbeat_at = now() - interval '1 day'");
    expect(await settle(db, id)).toBe(false);
  }));

test('a run taken for stuck that ends after all gets its true outcome', () =>
  rolledBack(ownerPool, async (db) => {
    const state = async () => {
      const { rows } = await db.query(
        'select consecutive_failures from app_private.job_state where hospital_id = $1',
        [hospital.id],
      );
      return rows[0]?.consecutive_failures;
    };
    const failed = await begin(db, hospital.id, archive, '6 minutes');
    await settle(db, failed);
    await end(db, hospital.id, failed, false);
    expect([(await rowOf(db, failed)).outcome, await state()]).toEqual(['failed', 1]);
    const sound = await begin(db, hospital.id, archive, '6 minutes');
    await settle(db, sound);
    expect(await state()).toBe(2);
    await end(db, hospital.id, sound, true);
    expect([(await rowOf(db, sound)).outcome, await state()]).toEqual(['succeeded', 0]);
  }));

test('short runs of frequent jobs are counted by the hour; those that fail have a row as well', () =>
  rolledBack(ownerPool, async (db) => {
    await asWorker(db);
    const count = (isSuccess: boolean, ms: number) =>
      db.query(
        `select app_private.count_job_run(
           hospital_id => $1, job => 'offer_seats', worker_id => 'w', is_success => $2, items => 2,
           duration_ms => $3, error_code => 'XX000', error => 'It broke.')`,
        [hospital.id, isSuccess, ms],
      );
    for (const ms of [5, 40, 10]) await count(true, ms);
    await count(false, 1);
    await asOwner(db);
    const { rows } = await db.query(
      'select runs, failures, items::integer, total_ms::integer, longest_ms from app_private.job_hour',
    );
    expect(rows).toEqual([{ runs: 4, failures: 1, items: 8, total_ms: 56, longest_ms: 40 }]);
    const { rows: runs } = await db.query('select outcome, error_code from app_public.job_run');
    expect(runs).toEqual([{ outcome: 'failed', error_code: 'XX000' }]);
  }));

test('runs are kept for 30 days, and removed by index', () =>
  rolledBack(ownerPool, async (db) => {
    await run(db, hospital.id, archive);
    await run(db, hospital.id, archive);
    await run(db, other.id, archive);
    await db.query(
      `alter table app_public.job_run disable trigger user;
       update app_public.job_run set created_at = now() - interval '30 days 1 second'
        where id in (select id from app_public.job_run where hospital_id = '${hospital.id}' limit 1)
           or hospital_id = '${other.id}';
       update app_private.job_hour set hour = hour - interval '31 days' where hospital_id = '${hospital.id}';
       alter table app_public.job_run enable trigger user`,
    );
    await asWorker(db);
    const { rows } = await db.query('select app_private.remove_old_job_runs($1) as removed', [
      hospital.id,
    ]);
    expect(rows).toEqual([{ removed: 1 }]);
    await asOwner(db);
    const { rows: left } = await db.query(
      `select (select count(*)::int from app_public.job_run where hospital_id = $1) as own,
         (select count(*)::int from app_public.job_run where hospital_id = $2) as others,
         (select count(*)::int from app_private.job_hour where hospital_id = $1) as hours`,
      [hospital.id, other.id],
    );
    expect(left).toEqual([{ own: 1, others: 1, hours: 0 }]);
  }));
