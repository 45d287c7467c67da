// The checks of the machinery: further ways in which it can be ill, and what only looks so.
import type { ClientBase } from 'pg';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { beat, letWorkerLive } from '../../../drill/damages/system/machinery.ts';
import { rolledBack } from '../../helpers/actors.ts';
import { createDatabase } from '../../helpers/database.ts';
import { createHospital } from '../../helpers/hospital.ts';
import { rowsOf } from '../findings.ts';

const { authenticatorUrl, ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);

const keysOf = async (db: ClientBase, check: string, hospitalId?: string) =>
  (await rowsOf(db, check, hospitalId)).map(({ cache_key }) => cache_key);

describe('clock_drift', () => {
  test('tells of each process, whichever way its clock is wrong', () =>
    rolledBack(ownerPool, async (db) => {
      await beat(db, 'server', { driftMs: -3_000 });
      await beat(db, 'worker', { driftMs: 2_100 });
      const rows = await rowsOf(db, 'clock_drift');
      expect(rows.map(({ detail }) => detail)).toEqual([
        'The clock of the server server-drill is 3.0 s behind that of the database.',
        'The clock of the worker worker-drill is 2.1 s ahead of that of the database.',
      ]);
      expect(new Set(rows.map(({ cache_key }) => cache_key)).size).toBe(2);
    }));

  test('a clock that was never compared says nothing', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(
        "select app_private.beat_process(process_id => 'new', kind => 'server', environment => 'production')",
      );
      expect(await rowsOf(db, 'clock_drift')).toEqual([]);
    }));
});

describe('worker_absent', () => {
  // The oldest message is looked at, and that of the smallest id is the oldest.
  const leaveMessage = async (db: ClientBase, ago: string) => {
    await db.query('delete from app_private.outbox');
    await db.query(
      `insert into app_private.outbox (hospital_id, topic, key, payload, created_at)
       values ($1, 'slots', 'x', '{}', now() - $2::interval)`,
      [hospital.id, ago],
    );
  };

  test('nobody is missed where nobody ever was and nothing waits', () =>
    rolledBack(ownerPool, async (db) => {
      expect(await rowsOf(db, 'worker_absent')).toEqual([]);
      await leaveMessage(db, '4 minutes');
      expect(await rowsOf(db, 'worker_absent')).toEqual([]);
    }));

  test('messages that nobody has ever come for are told', () =>
    rolledBack(ownerPool, async (db) => {
      await leaveMessage(db, '6 minutes');
      expect(await rowsOf(db, 'worker_absent')).toMatchObject([
        { detail: 'No worker has ever run, and messages wait for one.' },
      ]);
    }));

  test('a worker that stopped as it should is missed all the same', () =>
    rolledBack(ownerPool, async (db) => {
      await letWorkerLive(db);
      await beat(db, 'worker', { ago: '3 minutes' });
      expect(await rowsOf(db, 'worker_absent')).toEqual([]);
      await db.query("select app_private.retire_worker('drill')");
      expect(await keysOf(db, 'worker_absent')).toEqual(['worker_absent']);
    }));
});

describe('outbox_lag and queue_backlog', () => {
  test('where no worker lives, or one has just come, they leave the word to others', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query('delete from app_private.outbox');
      await db.query(
        `insert into app_private.outbox (hospital_id, topic, key, payload, created_at)
         values ($1, 'slots', 'x', '{}', now() - interval '1 hour')`,
        [hospital.id],
      );
      await db.query(
        "select graphile_worker.add_job('x', '{}'::json, run_at => now() - interval '1 hour')",
      );
      for (const startedAgo of [null, '10 seconds']) {
        if (startedAgo !== null) {
          await db.query(
            "insert into app_private.worker_heartbeat values ('new', now() - $1::interval, now())",
            [startedAgo],
          );
        }
        expect(await rowsOf(db, 'outbox_lag')).toEqual([]);
        expect(await rowsOf(db, 'queue_backlog')).toEqual([]);
      }
    }));

  test('what is tried again later, and what somebody is doing, waits for nobody', () =>
    rolledBack(ownerPool, async (db) => {
      await letWorkerLive(db);
      await db.query(
        `select graphile_worker.add_job('x', '{}'::json, job_key => 'again', run_at => now() + interval '1 hour');
         select graphile_worker.add_job('x', '{}'::json, job_key => 'long', run_at => now() - interval '1 hour');
         update graphile_worker._private_jobs set locked_at = now(), locked_by = 'drill' where key = 'long'`,
      );
      expect(await rowsOf(db, 'queue_backlog')).toEqual([]);
    }));
});

describe('overdue_job', () => {
  test('a job that has never run is overdue once a worker has been there for long enough', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(
        "insert into app_private.worker_heartbeat values ('new', now() - interval '2 minutes', now())",
      );
      expect(await rowsOf(db, 'overdue_job')).toEqual([]);
      await db.query(
        "update app_private.worker_heartbeat set started_at = now() - interval '5 minutes'",
      );
      const overdue = await keysOf(db, 'overdue_job');
      expect(overdue).toContain('overdue_job:sweep_lapsed_holds');
      expect(overdue).not.toContain('overdue_job:plan_night');
    }));

  test('a job that still runs is not overdue', () =>
    rolledBack(ownerPool, async (db) => {
      await letWorkerLive(db);
      await db.query(
        `update app_private.job_state set last_started_at = now() - interval '1 hour' where job = 'sweep_lapsed_holds'`,
      );
      await db.query(
        `insert into app_public.job_run (hospital_id, job, started_by, outcome, created_at, started_at, heartbeat_at)
         values (app_private.machinery(), 'sweep_lapsed_holds', 'cron', 'running', now() - interval '40 minutes',
           now() - interval '40 minutes', now())`,
      );
      expect(await rowsOf(db, 'overdue_job')).toEqual([]);
    }));
});

describe('failing_job', () => {
  test('each job of each hospital by itself, until it succeeds', () =>
    rolledBack(ownerPool, async (db) => {
      const fail = (hospitalId: string, job: string, isSuccess = false) =>
        db.query(
          `select app_private.count_job_run(
             hospital_id => $1, job => $2, worker_id => 'w', is_success => $3, items => null, duration_ms => 1)`,
          [hospitalId, job, isSuccess],
        );
      for (let time = 0; time < 3; time += 1) {
        await fail(hospital.id, 'send_reminders');
        await fail(hospital.id, 'offer_seats');
        await fail(other.id, 'send_reminders');
      }
      expect(await keysOf(db, 'failing_job', hospital.id)).toEqual([
        'failing_job:offer_seats',
        'failing_job:send_reminders',
      ]);
      expect(await keysOf(db, 'failing_job', other.id)).toEqual(['failing_job:send_reminders']);
      await fail(hospital.id, 'send_reminders', true);
      expect(await keysOf(db, 'failing_job', hospital.id)).toEqual(['failing_job:offer_seats']);
    }));
});

describe('error_spike', () => {
  type Runs = {
    name?: string;
    kind?: string;
    outcome?: string;
    count: number;
    ago?: string;
    hospitalId?: string;
    details?: object;
  };

  async function log(db: ClientBase, ...runs: Runs[]): Promise<void> {
    for (const {
      ago = '5 minutes',
      count,
      details = {},
      hospitalId,
      kind,
      name,
      outcome,
    } of runs) {
      await db.query(
        `insert into app_public.log_entry (hospital_id, kind, level, name, outcome, message, details, logged_at)
         select $1, $2, case $4::text when 'failed' then 'error' else 'info' end::app_public.log_level, $3, $4, 'x', $5,
           app_private.clock() - $6::interval
         from generate_series(1, $7)`,
        [
          hospitalId ?? hospital.id,
          kind ?? 'operation',
          name ?? 'freeSlots',
          outcome ?? 'failed',
          JSON.stringify(details),
          ago,
          count,
        ],
      );
    }
  }

  test.each<[string, Runs[]]>([
    ['fewer than ten', [{ count: 9 }]],
    ['less than 5 %', [{ count: 12 }, { count: 300, outcome: 'succeeded' }]],
    ['refusals by rules', [{ count: 500, outcome: 'refused' }]],
    ['failures of an hour ago', [{ count: 50, ago: '1 hour' }]],
    ['failures of different operations', [{ count: 9 }, { count: 9, name: 'slots' }]],
    ['failures in different hospitals', [{ count: 9 }, { count: 9, hospitalId: other.id }]],
    [
      'few among short runs that are told together',
      [
        { count: 11, kind: 'job', name: 'send_reminders' },
        {
          count: 1,
          kind: 'job',
          name: 'send_reminders',
          outcome: 'succeeded',
          details: { count: 1_000 },
        },
      ],
    ],
    [
      'what always fails as much, also in a busy hour',
      [
        { count: 40, ago: '5 hours' },
        { count: 160, ago: '5 hours', outcome: 'succeeded' },
        { count: 200 },
        { count: 800, outcome: 'succeeded' },
      ],
    ],
    ['checks that fail, which tell of themselves', [{ count: 20, kind: 'check_run' }]],
  ])('is silent about %s', (_what, runs) =>
    rolledBack(ownerPool, async (db) => {
      await log(db, ...runs);
      expect(await rowsOf(db, 'error_spike')).toEqual([]);
    }),
  );

  test('tells of an operation that nobody used before, and where it has failed', () =>
    rolledBack(ownerPool, async (db) => {
      await log(db, { count: 10 }, { count: 100, outcome: 'succeeded' });
      await log(db, {
        count: 30,
        kind: 'webhook',
        name: 'appointment.booked',
        hospitalId: other.id,
      });
      expect(await rowsOf(db, 'error_spike', hospital.id)).toMatchObject([
        {
          cache_key: 'error_spike:operation:freeSlots',
          detail:
            '10 of the last 110 runs of freeSlots failed within 15 minutes; over the day before 0 of 0 did.',
          metadata: { failures: 10, runs: 110, failures_before: 0 },
        },
      ]);
      expect(await keysOf(db, 'error_spike', other.id)).toEqual([
        'error_spike:webhook:appointment.booked',
      ]);
    }));

  test('tells of what belongs to no hospital', () =>
    rolledBack(ownerPool, async (db) => {
      const nobody = '00000000-0000-0000-0000-000000000000';
      await log(db, { count: 20, hospitalId: nobody });
      expect(await keysOf(db, 'error_spike', nobody)).toHaveLength(1);
    }));
});

describe('long_open_transaction', () => {
  test('sees those of other roles, and nothing of what they do', async () => {
    const client = new pg.Client({
      connectionString: authenticatorUrl,
      application_name: 'left-open',
    });
    await client.connect();
    try {
      await client.query("begin; select 'Grimhilde'");
      await rolledBack(ownerPool, async (db) => {
        await db.query("select set_config('slotkeeper.long_transaction', '0', true)");
        const rows = await rowsOf(db, 'long_open_transaction');
        const found = rows.find(({ metadata }) => metadata.application === 'left-open');
        expect(found).toMatchObject({
          entity_id: null,
          metadata: { role: 'app_authenticator', state: 'idle in transaction' },
        });
        expect(JSON.stringify(rows)).not.toContain('Grimhilde');
        await db.query("select set_config('slotkeeper.long_transaction', '', true)");
        expect(await rowsOf(db, 'long_open_transaction')).toEqual([]);
      });
    } finally {
      await client.end();
    }
  });

  test('the monitor reads it, and nobody else asks the function', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query("select set_config('role', 'app_monitor', true)");
      await db.query('select * from checks.long_open_transaction, checks.queue_backlog');
      await db.query("select set_config('role', 'app_worker', true)");
      await expect(
        db.query("select * from app_private.open_transactions('0')"),
      ).rejects.toMatchObject({ code: '42501' });
    }));
});
