import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureDatabase, migrate } from '../../platform/migrate.ts';
import { withRetries } from '../../platform/migration/retry.ts';
import { committedMigrations, refuseUnknown } from '../../platform/migration/state.ts';
import { createDatabase } from '../helpers/database.ts';
import { ownFolder } from './folder.ts';

const database = await createDatabase();

test('migrating again changes nothing', async () => {
  const result = await migrate({ urls: database, withCurrent: true });
  expect(result).toMatchObject({ applied: [], passwordsSet: [] });
});

test('two migrators at once both succeed', async () => {
  const both = [1, 2].map(() => migrate({ urls: database, withCurrent: true }));
  await expect(Promise.all(both)).resolves.toHaveLength(2);
});

test('what is stored of a password is a verifier', async () => {
  const { rows } = await database.ownerPool.query<{ form: string }>(
    `select left(rolpassword, 14) as form from pg_catalog.pg_authid
      where rolname in ('app_authenticator', 'app_worker')`,
  );
  expect(rows).toEqual([{ form: 'SCRAM-SHA-256$' }, { form: 'SCRAM-SHA-256$' }]);
});

test('the job queue belongs to the worker, who has no right on the database for it', async () => {
  const { rows } = await database.ownerPool.query(
    `select pg_get_userbyid(relowner)::text as owner,
            has_database_privilege('app_worker', current_database(), 'create') as may_create_schemas
       from pg_catalog.pg_class where oid = 'graphile_worker.migrations'::regclass`,
  );
  expect(rows).toEqual([{ owner: 'app_worker', may_create_schemas: false }]);
});

test('a database that is newer than the code is refused', async () => {
  const other = await createDatabase({ dropAfterFile: false });
  try {
    await other.ownerPool.query(
      `insert into graphile_migrate.migrations (hash, filename) values ('sha1:0', '999999.sql')`,
    );
    await expect(migrate({ urls: other, withCurrent: true })).rejects.toThrow(
      /newer than this code.*999999\.sql/,
    );
  } finally {
    await other.drop();
  }
});

test('a committed migration that was changed afterwards is refused', () => {
  const filename = '000001.sql';
  expect(() => refuseUnknown([{ filename, hash: 'a' }], [{ filename, hash: 'b' }])).toThrow(
    /000001/,
  );
  expect(() => refuseUnknown([{ filename, hash: 'a' }], [{ filename, hash: 'a' }])).not.toThrow();
});

test('a committed migration is known by its number, whatever it is called', async () => {
  const folder = await ownFolder();
  await mkdir(join(folder, 'committed'));
  await writeFile(join(folder, 'committed', '000002-next.sql'), '--! Hash: sha1:b\n\nselect 1;\n');
  await writeFile(join(folder, 'committed', '000001-first.sql'), '--! Hash: sha1:a\n\nselect 1;\n');
  expect(await committedMigrations(folder)).toEqual([
    { filename: '000001.sql', hash: 'sha1:a' },
    { filename: '000002.sql', hash: 'sha1:b' },
  ]);
});

test('a database is created once, whoever asks', async () => {
  const all = await Promise.all([1, 2, 3].map(() => ensureDatabase(database.url, database.name)));
  expect(new Set(all)).toEqual(new Set([database.url]));
});

test('only what somebody else is in the way of is tried again', async () => {
  let calls = 0;
  const failTwice = (code: string) => async () => {
    calls += 1;
    if (calls < 3) throw Object.assign(new Error('x'), { code });
    return calls;
  };
  expect(await withRetries(failTwice('55P03'))).toBe(3);
  calls = 0;
  await expect(withRetries(failTwice('42P01'))).rejects.toThrow('x');
  expect(calls).toBe(1);
});
