import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { createPool, type PoolOptions, withTransaction } from '../../platform/pool.ts';
import { createDatabase } from '../helpers/database.ts';

const database = await createDatabase();
const log = createLog({ name: 'test', level: 'silent' });

function ownPool(options: Partial<PoolOptions> = {}) {
  const pool = createPool({
    url: database.authenticatorUrl,
    applicationName: 'test',
    log,
    // A busy machine may take longer than callers are made to wait.
    waitMs: 30_000,
    ...options,
  });
  onTestFinished(() => pool.end());
  return pool;
}

test('role and claims hold inside the transaction and are gone after it', async () => {
  const pool = ownPool({ max: 1 });
  const read =
    "select current_user::text as role, current_setting('claims.hospital_id', true) as hospital";
  const inside = await withTransaction(
    pool,
    {
      role: 'app_patient',
      'claims.hospital_id': `o'brien \\ "x"; drop`,
      'claims.doctor_id': undefined,
    },
    (client) => client.query(read),
  );
  expect(inside.rows).toEqual([{ role: 'app_patient', hospital: `o'brien \\ "x"; drop` }]);
  const after = await pool.query(read);
  expect(after.rows).toEqual([{ role: 'app_authenticator', hospital: '' }]);
});

test('a role that the login role may not become is refused', async () => {
  const work = () => Promise.resolve();
  await expect(withTransaction(ownPool(), { role: 'app_owner' }, work)).rejects.toMatchObject({
    code: '42501',
  });
});

test('an error rolls back and gives the connection back', async () => {
  const pool = ownPool({ max: 1, url: database.url });
  await database.ownerPool.query('create table public.rolled_back (id int)');
  const failing = withTransaction(pool, {}, async (client) => {
    await client.query('insert into public.rolled_back values (1)');
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  const { rows } = await pool.query('select * from public.rolled_back');
  expect(rows).toEqual([]);
});

test('a failure that was swallowed inside is not reported as success', async () => {
  const swallowing = withTransaction(ownPool(), {}, async (client) => {
    await client.query('select 1 / 0').catch(() => {});
  });
  await expect(swallowing).rejects.toThrow('rolled back');
});

test('who finds no free connection waits a bounded time', async () => {
  // Long enough for the first connection to be made.
  const pool = ownPool({ max: 1, waitMs: 2_000 });
  const client = await pool.connect();
  await expect(pool.connect()).rejects.toThrow(/timeout/);
  client.release();
});

test('a connection killed while idle is replaced', async () => {
  const pool = ownPool({ max: 1 });
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const broke = new Promise((resolve) => pool.once('error', resolve));
  await database.ownerPool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  await broke;
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('nothing runs behind an opening that failed, and the error told is the opening’s', async () => {
  const pool = ownPool({ max: 1 });
  await database.ownerPool.query('create sequence public.drawn');
  await database.ownerPool.query('grant usage on sequence public.drawn to app_authenticator');
  const failing = withTransaction(pool, { role: 'app_owner' }, (client) =>
    client.query("select nextval('public.drawn')"),
  );
  await expect(failing).rejects.toMatchObject({ code: '42501' });
  const { rows } = await database.ownerPool.query('select is_called from public.drawn');
  expect(rows).toEqual([{ is_called: false }]);
  // The connection is good again.
  expect((await pool.query('select current_user::text as role')).rows).toEqual([
    { role: 'app_authenticator' },
  ]);
});

test('queries sent together are answered in their order, under the settings', async () => {
  const answers = await withTransaction(
    ownPool({ max: 1 }),
    { role: 'app_patient', 'claims.account_id': 'a' },
    (client) =>
      Promise.all(
        [1, 2, 3].map(async (number) => {
          const { rows } = await client.query(
            "select $1::int as number, current_user::text as role, current_setting('claims.account_id') as account",
            [number],
          );
          return rows[0];
        }),
      ),
  );
  expect(answers).toEqual(
    [1, 2, 3].map((number) => ({ number, role: 'app_patient', account: 'a' })),
  );
});

test('one that fails among queries sent together fails those behind it and the whole', async () => {
  const pool = ownPool({ max: 1, url: database.url });
  await database.ownerPool.query('create table public.sent_together (id int)');
  const insert = 'insert into public.sent_together values ($1)';
  let outcomes: PromiseSettledResult<unknown>[] = [];
  const failing = withTransaction(pool, {}, async (client) => {
    outcomes = await Promise.allSettled([
      client.query(insert, [1]),
      client.query('select 1 / $1::int', [0]),
      client.query(insert, [2]),
    ]);
  });
  await expect(failing).rejects.toThrow('rolled back');
  expect(outcomes).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: '22012' } },
    { status: 'rejected', reason: { code: '25P02' } },
  ]);
  expect((await pool.query('select id from public.sent_together')).rows).toEqual([]);
});

test('work that throws while a query of its own is still under way leaves nothing behind', async () => {
  const pool = ownPool({ max: 1, url: database.url });
  await database.ownerPool.query('create table public.left_alone (id int)');
  const failing = withTransaction(pool, { 'claims.account_id': 'a' }, async (client) => {
    void client.query('insert into public.left_alone values (1)');
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  const { rows } = await pool.query(
    "select count(*)::int as rows, current_setting('claims.account_id', true) as account from public.left_alone",
  );
  expect(rows).toEqual([{ rows: 0, account: '' }]);
});

test('users who take turns on one connection never see each other’s claims', async () => {
  const pool = ownPool({ max: 1 });
  const seen = await Promise.all(
    Array.from({ length: 40 }, async (_, turn) => {
      const mine = turn % 2 === 0 ? { 'claims.patient_id': `p${turn}` } : {};
      const { rows } = await withTransaction(pool, { role: 'app_patient', ...mine }, (client) =>
        client.query<{ patient: string | null }>(
          "select nullif(current_setting('claims.patient_id', true), '') as patient",
        ),
      );
      return rows[0]?.patient;
    }),
  );
  expect(seen).toEqual(seen.map((_, turn) => (turn % 2 === 0 ? `p${turn}` : null)));
});

test('a connection that dies in the middle fails its transaction and is not used again', async () => {
  const pool = ownPool({ max: 1 });
  const dying = withTransaction(pool, {}, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    // Waited for together: the one may fail before the other is answered.
    await Promise.all([
      client.query('select pg_sleep(60)'),
      database.ownerPool.query('select pg_terminate_backend($1)', [rows[0]?.pid]),
    ]);
  });
  await expect(dying).rejects.toThrow();
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});
