import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { relayBatch, startRelay } from '../../worker/relay.ts';
import { createTaskList } from '../../worker/task-list.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import {
  jobsIn,
  keepLog,
  outboxOf,
  startAfresh,
  surroundingsOf,
  until,
  untilLocked,
} from './workplace.ts';

const database = await createDatabase();
const { ownerPool, workerUrl } = database;
const hospital = await createHospital(ownerPool);

beforeEach(() => startAfresh(ownerPool));

function relayPool(applicationName = 'test-relay'): pg.Pool {
  const { log } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName, log });
  onTestFinished(() => pool.end());
  return pool;
}

async function leave(topic: string, payload: unknown, times = 1): Promise<void> {
  await ownerPool.query(
    `insert into app_private.outbox (hospital_id, topic, key, payload)
     select $1, $2, number::text, $3 from generate_series(1, $4) as number`,
    [hospital.id, topic, JSON.stringify(payload), times],
  );
}

async function listen(channel: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: database.authenticatorUrl });
  await client.connect();
  onTestFinished(() => client.end());
  const heard: string[] = [];
  client.on('notification', ({ payload = '' }) => heard.push(payload));
  await client.query(`listen ${channel}`);
  return heard;
}

test('a batch is told in one notification, and the outbox is empty', async () => {
  const heard = await listen('slotkeeper_slots');
  const [doctor_id] = hospital.doctorIds;
  const slot_ids = [randomUUID(), randomUUID()];
  for (const id of slot_ids) await leave('appointment', { doctor_id, slot_ids: [id] }, 3);
  expect(await relayBatch(relayPool())).toBe(6);
  await until(() => heard.length > 0);
  expect(heard.map((text) => JSON.parse(text))).toEqual([
    [{ hospital_id: hospital.id, doctor_id, slot_ids }],
  ]);
  expect(await outboxOf(ownerPool)).toEqual([]);
});

test('ended sessions reach those who listen for them', async () => {
  const heard = await listen('slotkeeper_sessions');
  const session_ids = [randomUUID()];
  await leave('session', { session_ids });
  await relayBatch(relayPool());
  await until(() => heard.length > 0);
  expect(heard.map((text) => JSON.parse(text))).toEqual([{ session_ids }]);
});

test('changed schedules become one job a doctor, however often they are told', async () => {
  const pool = relayPool();
  for (const doctor_id of [...hospital.doctorIds, ...hospital.doctorIds]) {
    await leave('schedule', { doctor_id }, 5);
    await relayBatch(pool, 7);
  }
  while ((await relayBatch(pool, 7)) > 0);
  const jobs = await jobsIn(ownerPool);
  expect(jobs.map(({ task }) => task)).toEqual(['generate_slots', 'generate_slots']);
  expect(new Set(jobs.map(({ payload }) => payload.doctor_id))).toEqual(
    new Set(hospital.doctorIds),
  );
  expect(Object.keys(createTaskList(keepLog().log, surroundingsOf()))).toContain('generate_slots');
});

test('a relay takes no more than a batch, the oldest first', async () => {
  for (const number of [1, 2, 3]) await leave('slots', { number });
  expect(await relayBatch(relayPool(), 2)).toBe(2);
  expect(await outboxOf(ownerPool)).toEqual([{ topic: 'slots', payload: { number: 3 } }]);
});

test('killed between claim and commit, it has done nothing, and the next one does all of it', async () => {
  const [doctor_id] = hospital.doctorIds;
  await leave('schedule', { doctor_id }, 3);
  const blocker = await ownerPool.connect();
  await blocker.query('begin; lock table graphile_worker._private_jobs in access exclusive mode');
  const killed = relayBatch(relayPool('test-victim'));
  killed.catch(() => {});
  const pid = await untilLocked(ownerPool, 'test-victim');
  await ownerPool.query('select pg_terminate_backend($1)', [pid]);
  await expect(killed).rejects.toThrow();
  await blocker.query('commit');
  blocker.release();
  expect(await outboxOf(ownerPool)).toHaveLength(3);
  expect(await jobsIn(ownerPool)).toEqual([]);

  const pool = relayPool();
  expect(await relayBatch(pool)).toBe(3);
  expect(await relayBatch(pool)).toBe(0);
  expect(await jobsIn(ownerPool)).toHaveLength(1);
});

test('one relay does not wait for what another one is just taking', async () => {
  await leave('slots', { doctor_id: null }, 4);
  const slow = await relayPool().connect();
  await slow.query("begin; select app_private.claim_outbox('{slots}', 3)");
  expect(await relayBatch(relayPool('test-quick'))).toBe(1);
  await slow.query('rollback');
  slow.release();
  expect(await relayBatch(relayPool('test-later'))).toBe(3);
});

test('relays side by side carry every message exactly once', async () => {
  const heard = await listen('slotkeeper_sessions');
  // Connected before there is anything to carry, so that none is done before the others can begin.
  const pools = [relayPool(), relayPool(), relayPool()];
  for (const pool of pools) expect(await relayBatch(pool)).toBe(0);
  const ids = Array.from({ length: 400 }, () => randomUUID());
  await ownerPool.query(
    `insert into app_private.outbox (hospital_id, topic, key, payload)
     select $1, 'session', id, jsonb_build_object('session_ids', jsonb_build_array(id))
     from unnest($2::text[]) as id`,
    [hospital.id, ids],
  );
  const drain = async (pool: pg.Pool) => {
    let taken = 0;
    for (let batch = 1; batch > 0; taken += batch) batch = await relayBatch(pool, 10);
    return taken;
  };
  const taken = await Promise.all(pools.map(drain));
  // Each one saw the outbox without what the others were taking, so the last to leave left nothing.
  expect(taken.reduce((sum, each) => sum + each)).toBe(400);
  expect(taken.filter((each) => each > 0).length).toBeGreaterThan(1);
  await until(() => heard.flatMap((text) => JSON.parse(text).session_ids).length >= 400);
  const told = heard.flatMap((text) => JSON.parse(text).session_ids as string[]);
  expect(told.sort()).toEqual(ids.sort());
});

test('a topic that no relay knows stays, out of the way of the others', async () => {
  await leave('weather', { doctor_id: null }, 5);
  await leave('slots', { doctor_id: null });
  expect(await relayBatch(relayPool(), 3)).toBe(1);
  expect(await relayBatch(relayPool(), 3)).toBe(0);
  const left = await outboxOf(ownerPool);
  expect(left.map(({ topic }) => topic)).toEqual(Array(5).fill('weather'));
});

test('a batch that fails is tried again, and that it fails is told once', async () => {
  const { log, lines } = keepLog();
  await ownerPool.query(`
    create function app_private.refuse_deletion() returns trigger language plpgsql as
      $$ begin raise exception 'not today'; end $$;
    create trigger outbox_is_stuck before delete on app_private.outbox
      for each row execute function app_private.refuse_deletion()`);
  await leave('slots', { doctor_id: null });
  const relay = startRelay({ pool: relayPool(), log });
  onTestFinished(() => relay.stop());
  await until(() => lines.length > 0);
  const before = await failuresOf();
  await until(async () => (await failuresOf()) > before + 1);
  await ownerPool.query('drop function app_private.refuse_deletion() cascade');
  await until(async () => (await outboxOf(ownerPool)).length === 0);
  await until(() => lines.length > 1);
  expect(lines.map(({ msg }) => msg)).toEqual([
    'the relay failed, trying again',
    'the relay works again',
  ]);
});

// Transactions that were rolled back in this database.
async function failuresOf(): Promise<number> {
  const { rows } = await ownerPool.query<{ count: string }>(
    'select pg_stat_clear_snapshot(), xact_rollback as count from pg_stat_database where datname = current_database()',
  );
  return Number(rows[0]?.count);
}

test('a relay that lost its database says so and stops', async () => {
  const relay = startRelay({ pool: relayPool('test-cut'), log: keepLog().log });
  const cut = async () => {
    const { rows } = await ownerPool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'test-cut' and state = 'active'`,
    );
    return rows.length > 0;
  };
  const blocker = await ownerPool.connect();
  await blocker.query('begin; lock table app_private.outbox in access exclusive mode');
  await untilLocked(ownerPool, 'test-cut');
  await until(cut);
  await blocker.query('rollback');
  blocker.release();
  expect(await relay.lost).toMatchObject({ code: '57P01' });
  await relay.stop();
});
