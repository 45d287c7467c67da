// How jobs do, state by state.
import { parseCrontab } from 'graphile-worker';
import { expect, test } from 'vitest';
import { crontab } from '../../worker/crontab.ts';
import { tasks } from '../../worker/task-list.ts';
import { asAnonymous, become, rolledBack } from '../helpers/actors.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf } from '../helpers/refusals.ts';
import { begin, end, healthOf, letWorkerLive, machinery, run } from './recording.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const foreign = await createHospital(ownerPool);
const sweep = 'sweep_lapsed_holds';

test('the catalog of jobs is the list of tasks', async () => {
  const { rows } = await ownerPool.query<{ name: string; is_of_hospital: boolean }>(
    'select name, is_of_hospital from app_public.job order by name',
  );
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(tasks).sort());
});

test('the catalog knows how often the crontab runs each job, and no other', async () => {
  const { rows } = await ownerPool.query<{ name: string; seconds: number }>(
    `select name, extract(epoch from expected_interval)::integer as seconds
       from app_public.job where expected_interval is not null order by name`,
  );
  const start = Date.parse('2026-11-21T00:00:00Z');
  const items = parseCrontab(crontab).map(({ task, match }) => {
    const minutes = Array.from({ length: 24 * 60 }, (_, minute) => minute).filter((minute) => {
      const at = new Date(start + minute * 60_000);
      const digest = {
        min: at.getUTCMinutes(),
        hour: at.getUTCHours(),
        date: at.getUTCDate(),
        month: at.getUTCMonth() + 1,
        dow: at.getUTCDay(),
      };
      return match(digest);
    });
    const gaps = new Set(minutes.slice(1).map((minute, index) => minute - (minutes[index] ?? 0)));
    expect(minutes[0], task).toBe(0);
    expect(gaps.size, task).toBe(1);
    return { name: task, seconds: ([...gaps][0] ?? 0) * 60 };
  });
  expect(rows).toEqual(items.sort((one, other) => (one.name < other.name ? -1 : 1)));
});

test('nothing has run and nobody is there to run it', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({
      is_healthy: false,
      is_overdue: true,
      message: 'No worker has run yet.',
      runs_of_day: 0,
      success_rate_of_day: null,
      recent: [],
    });
  }));

test('a worker has just come: nothing has run yet, and nothing is late', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query("insert into app_private.worker_heartbeat values ('w', now(), now())");
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({
      is_healthy: true,
      is_overdue: false,
      message: 'It has not run yet.',
    });
  }));

test('a worker that has been there for long and never ran it is late', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({ is_healthy: false, is_overdue: true });
    expect((await healthOf(db, sweep)).message).toMatch(/^Overdue: it should run every 00:01:00/);
  }));

test('a run that succeeded: duration, items, counts, and when the next one is due', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    await run(db, machinery, sweep);
    await become(db, hospital.admin);
    const health = await healthOf(db, sweep);
    expect(health).toMatchObject({
      is_healthy: true,
      last_outcome: 'succeeded',
      last_success_ms: 120,
      last_success_items: 7,
      runs_of_day: 1,
      failures_of_day: 0,
      success_rate_of_day: '1.0000',
      runs_of_week: 1,
      recent: ['succeeded'],
    });
    const { rows } = await db.query<{ due: Date }>(
      "select date_trunc('minute', now()) + interval '1 minute' as due",
    );
    expect(health.next_expected_at).toEqual(rows[0]?.due);
  }));

test('two missed runs and a minute make it late; one missed run does not', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    await run(db, machinery, sweep);
    const begun = (ago: string) =>
      db.query('update app_private.job_state set last_started_at = now() - $1::interval', [ago]);
    await begun('179 seconds');
    await db.query('savepoint near');
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({ is_healthy: true, is_overdue: false });
    await db.query('rollback to savepoint near');
    await begun('181 seconds');
    await become(db, hospital.admin);
    const health = await healthOf(db, sweep);
    expect(health).toMatchObject({ is_healthy: false, is_overdue: true });
    expect(health.message).toMatch(/^Overdue: it should run every 00:01:00 and last began at/);
  }));

test('a worker that died is missed, with the time since', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db, '61 seconds');
    await become(db, hospital.admin);
    const health = await healthOf(db, sweep);
    expect(health.is_healthy).toBe(false);
    expect(health.message).toMatch(
      /^No worker has run since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.$/,
    );
  }));

test('failures: once and twice are borne, thrice is not, and a success ends it', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    const seen: unknown[] = [];
    for (const isSuccess of [true, false, false, false, true]) {
      await run(db, machinery, sweep, isSuccess);
      await become(db, hospital.admin);
      const { is_healthy, consecutive_failures, message } = await healthOf(db, sweep);
      seen.push([is_healthy, consecutive_failures, message.replace(/\d{4}.*/, '…')]);
    }
    expect(seen).toEqual([
      [true, 0, 'It last succeeded at …'],
      [true, 1, 'It failed once, and is tried again. It broke.'],
      [true, 2, 'It failed twice, and is tried again. It broke.'],
      [false, 3, 'The last 3 runs failed. It broke.'],
      [true, 0, 'It last succeeded at …'],
    ]);
    expect(await healthOf(db, sweep)).toMatchObject({
      runs_of_day: 5,
      failures_of_day: 3,
      success_rate_of_day: '0.4000',
    });
  }));

test('a run that is going on shows, and is not late however long it takes while it beats', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    const id = await begin(db, machinery, sweep, '2 hours');
    await db.query('update app_public.job_run set heartbeat_at = now() where id = $1', [id]);
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({
      is_healthy: true,
      is_running: true,
      is_overdue: false,
      last_outcome: 'running',
      message: 'It is running.',
    });
  }));

test('a run without a sign of life for five minutes is stuck for whoever asks, before any sweep', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    await begin(db, machinery, sweep, '299 seconds');
    await db.query('savepoint near');
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({ is_healthy: true, is_running: true });
    await db.query('rollback to savepoint near');
    await begin(db, machinery, sweep, '301 seconds');
    await become(db, hospital.admin);
    const health = await healthOf(db, sweep);
    expect(health).toMatchObject({
      is_healthy: false,
      last_outcome: 'stuck',
      consecutive_failures: 1,
    });
    expect(health.message).toMatch(/^A run has given no sign of life since/);
  }));

test('the last ten runs are shown, newest first', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    for (let number = 1; number <= 12; number += 1) {
      const id = await run(db, machinery, sweep, number > 4);
      await db.query(
        "alter table app_public.job_run disable trigger user; update app_public.job_run set created_at = now() - interval '1 hour' + make_interval(secs => " +
          `${number}) where id = '${id}'; alter table app_public.job_run enable trigger user`,
      );
    }
    await become(db, hospital.admin);
    const { recent } = await healthOf(db, sweep);
    expect(recent).toEqual([...Array(8).fill('succeeded'), 'failed', 'failed']);
  }));

test('what is older than a day counts for the week, and what is older than that does not count', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    await run(db, machinery, sweep, false);
    await db.query("update app_private.job_hour set hour = hour - interval '25 hours'");
    await run(db, machinery, sweep);
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({
      runs_of_day: 1,
      success_rate_of_day: '1.0000',
      runs_of_week: 2,
      success_rate_of_week: '0.5000',
    });
  }));

test('working hours are those of the hospital, on its own clock', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin); // Asia/Kolkata, 07:00 to 22:00
    const seen: boolean[] = [];
    for (const time of ['01:29', '01:30', '16:29', '16:30']) {
      await setClock(db, `2026-11-21T${time}:00Z`);
      seen.push((await healthOf(db, sweep)).is_within_working_hours);
    }
    expect(seen).toEqual([false, true, true, false]);
  }));

test('an admin sees the jobs of the own hospital and those of all, not those of another hospital', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    await run(db, foreign.id, 'archive_past_years', false);
    await run(db, hospital.id, 'archive_past_years');
    await become(db, hospital.admin);
    expect(await healthOf(db, 'archive_past_years')).toMatchObject({
      consecutive_failures: 0,
      runs_of_day: 1,
    });
    const { rows } = await db.query('select hospital_id from app_public.job_run');
    expect(rows).toEqual([{ hospital_id: hospital.id }]);
    const error = await errorOf(db, () =>
      db.query('select * from app_private.job_health($1)', [foreign.id]),
    );
    expect(error.code).toBe('SK403');
  }));

test('nobody but admins asks', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.receptionist,
      hospital.nurse,
      hospital.doctor,
      hospital.patient,
    ]) {
      await become(db, actor);
      const error = await errorOf(db, () => db.query('select app_public.cron_health()'));
      expect(error.code).toBe('42501');
    }
    await asAnonymous(db);
    expect((await errorOf(db, () => db.query('select app_public.cron_health()'))).code).toBe(
      '42501',
    );
  }));

test('people in psql see it all as app_monitor', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    await run(db, machinery, sweep);
    await run(db, foreign.id, 'archive_past_years', false);
    await db.query("select set_config('role', 'app_monitor', true)");
    const { rows } = await db.query(
      `select hospital_id, job, consecutive_failures from checks.job_health
        where last_outcome is not null order by hospital_id`,
    );
    expect(rows).toEqual([
      { hospital_id: machinery, job: sweep, consecutive_failures: 0 },
      { hospital_id: foreign.id, job: 'archive_past_years', consecutive_failures: 1 },
    ]);
  }));

test('a rehearsed clock makes nothing late, stuck or run twice', () =>
  rolledBack(ownerPool, async (db) => {
    await letWorkerLive(db);
    const id = await begin(db, machinery, sweep);
    for (const instant of ['2001-01-01T00:00:00Z', '2099-01-01T00:00:00Z']) {
      await setClock(db, instant);
      await become(db, hospital.admin);
      expect(await healthOf(db, sweep)).toMatchObject({ is_healthy: true, is_running: true });
      await db.query("select set_config('role', 'none', true)");
      const { rows } = await db.query('select app_private.settle_stuck_run($1, $2) as is_stuck', [
        machinery,
        id,
      ]);
      expect(rows).toEqual([{ is_stuck: false }]);
    }
    await end(db, machinery, id, true);
    await end(db, machinery, id, true);
    await become(db, hospital.admin);
    expect(await healthOf(db, sweep)).toMatchObject({ runs_of_day: 1, last_outcome: 'succeeded' });
  }));
