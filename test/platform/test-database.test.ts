import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase } from '../helpers/database.ts';

const database = await createDatabase();

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

test('a test database is migrated and reachable for all three callers', async () => {
  const { rows } = await database.ownerPool.query(
    "select to_regnamespace('app_public') is not null as has_schema",
  );
  expect(rows).toEqual([{ has_schema: true }]);
  for (const [url, user] of [
    [database.authenticatorUrl, 'app_authenticator'],
    [database.workerUrl, 'app_worker'],
  ] as const) {
    const answer = await connected(url, (client) => client.query('select current_user as name'));
    expect(answer.rows).toEqual([{ name: user }]);
  }
});

test('a copy has the rights of the migrated database, not the generous default', async () => {
  const { rows } = await database.ownerPool.query(
    `select has_database_privilege('app_authenticator', current_database(), 'connect') as may_connect,
            has_database_privilege('app_authenticator', current_database(), 'temporary') as may_make_tables`,
  );
  expect(rows).toEqual([{ may_connect: true, may_make_tables: false }]);
});

test('a forgotten connection is named when the database is dropped', async () => {
  const other = await createDatabase({ dropAfterFile: false });
  const leak = new pg.Client({
    connectionString: other.url,
    application_name: 'the forgotten one',
  });
  leak.on('error', () => {});
  await leak.connect();
  await expect(other.drop()).rejects.toThrow(/the forgotten one/);
  await leak.end();
});

test('two databases know nothing of each other', async () => {
  const other = await createDatabase({ dropAfterFile: false });
  try {
    await other.ownerPool.query('create table public.only_here (id int)');
    const { rows } = await database.ownerPool.query(
      "select to_regclass('public.only_here') as found",
    );
    expect(rows).toEqual([{ found: null }]);
  } finally {
    await other.drop();
  }
});
