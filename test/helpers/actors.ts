import type { ClientBase, Pool, PoolClient } from 'pg';
import type { Actor } from './hospital.ts';

/** Runs `story` in one transaction that is always rolled back: the lane of most tests. */
export async function rolledBack<T>(pool: Pool, story: (db: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    return await story(client);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** Runs `act` in a transaction of its own as this actor and commits it: the lane of races. */
export async function committedAs<T>(
  pool: Pool,
  actor: Actor,
  act: (db: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await become(client, actor);
    const result = await act(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

/** From here on the transaction acts as this login would through the server. */
export async function become(db: ClientBase, actor: Actor): Promise<void> {
  await asOwner(db);
  await settings(db, {
    'claims.hospital_id': actor.hospitalId,
    'claims.account_id': actor.accountId,
    'claims.role': actor.role,
    'claims.doctor_id': actor.doctorId ?? '',
    'claims.patient_id': actor.patientId ?? '',
    'claims.request_id': 'test-request',
    role: `app_${actor.role}`,
  });
}

/** As `become`, and returns `db`, to be used in one breath. */
export async function as<T extends ClientBase>(db: T, actor: Actor): Promise<T> {
  await become(db, actor);
  return db;
}

/** Acts as a client that is not logged in. */
export async function asAnonymous(db: ClientBase): Promise<void> {
  await asOwner(db);
  await settings(db, { 'claims.role': 'anonymous', role: 'app_anonymous' });
}

/** Acts as a background job would: the worker's rights, no claims. */
export async function asWorker(db: ClientBase): Promise<void> {
  await asOwner(db);
  await settings(db, { 'claims.role': 'worker', role: 'app_worker' });
}

/** Back to the hand in psql: the migrating login, without claims. */
export async function asOwner(db: ClientBase): Promise<void> {
  await settings(db, {
    role: 'none',
    'claims.hospital_id': '',
    'claims.account_id': '',
    'claims.role': '',
    'claims.doctor_id': '',
    'claims.patient_id': '',
    'claims.request_id': '',
  });
}

/** Runs `work` as the owner and goes on as whoever acted before. */
export async function aside<T>(db: ClientBase, work: () => Promise<T>): Promise<T> {
  const { rows } = await db.query<Record<string, string>>(
    `select ${actorSettings.map((name) => `coalesce(current_setting('${name}', true), '') as "${name}"`).join(', ')}`,
  );
  await asOwner(db);
  const result = await work();
  await settings(db, rows[0] ?? {});
  return result;
}

const actorSettings = [
  'role',
  'claims.hospital_id',
  'claims.account_id',
  'claims.role',
  'claims.doctor_id',
  'claims.patient_id',
  'claims.request_id',
];

async function settings(db: ClientBase, values: Readonly<Record<string, string>>): Promise<void> {
  const calls = Object.keys(values).map(
    (_, index) => `set_config($${index * 2 + 1}, $${index * 2 + 2}, true)`,
  );
  await db.query(`select ${calls.join(', ')}`, Object.entries(values).flat());
}
