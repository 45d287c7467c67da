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
  const pool = ownPool({ max: 1, waitMs: 50 });
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
