// What sql/ says is what runs.
import type { ClientBase } from 'pg';
import pg from 'pg';
import { expect, test } from 'vitest';
import { withDatabase } from '../../platform/database-urls.ts';
import { dropDatabase, ensureDatabase, migrate } from '../../platform/migrate.ts';
import { rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { lockRoles } from '../helpers/roles.ts';
import { fingerprintOf } from './fingerprint.ts';
import { includedFiles, type SqlFile, sqlFolder } from './sql-folder.ts';

const database = await createDatabase();
const { ownerPool } = database;
const files = await sqlFolder();

test('every file of sql/ is in a migration', async () => {
  const included = await includedFiles();
  expect(files.map(({ path }) => path).filter((path) => !included.has(path))).toEqual([]);
});

test('applying sql/ again, and again, changes nothing', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query(lockRoles);
    const before = await fingerprintOf(db);
    for (let round = 1; round <= 2; round += 1) {
      for (const file of files) await apply(db, file);
      expect(await fingerprintOf(db)).toEqual(before);
    }
  }));

test('applying sql/ brings back what a hand has changed', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query(lockRoles);
    const before = await fingerprintOf(db);
    const changes = [
      "create or replace function app_public.current_account() returns app_public.account language plpgsql stable as 'begin return null; end'",
      'drop function app_public.unblock_slot(uuid)',
      'drop trigger appointment_is_admitted on app_public.appointment',
      'alter table app_public.slot disable row level security',
      'drop policy patients_read_their_own on app_public.appointment',
      "update app_public.error_catalog set message = 'Nein.' where scenario = 'forbidden'",
      "delete from app_public.appointment_transition where to_status = 'no_show'",
      "comment on function app_private.clock() is 'tick'",
      'revoke select on app_public.slot from app_patient',
      "alter role app_authenticator set statement_timeout = '1h'",
    ];
    await db.query(changes.join(';'));
    const changed = await fingerprintOf(db);
    const parts = Object.keys(before).filter(
      (part) => JSON.stringify(changed[part]) !== JSON.stringify(before[part]),
    );
    expect(parts).toEqual([
      'relations',
      'functions',
      'functions, in order',
      'triggers',
      'policies',
      'comments',
      'error catalog',
      'appointment transitions',
      'roles',
    ]);
    for (const file of files) await apply(db, file);
    const { 'functions, in order': _, ...restored } = await fingerprintOf(db);
    expect(before).toMatchObject(restored);
  }));

test('migrating from nothing makes the same database again', async () => {
  const name = `${database.name}_fresh`;
  const url = await ensureDatabase(withDatabase(database.url, 'postgres'), name);
  try {
    const urls = {
      databaseUrl: url,
      authenticatorUrl: withDatabase(database.authenticatorUrl, name),
      workerUrl: withDatabase(database.workerUrl, name),
    };
    await migrate({ urls, withCurrent: true });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      expect(await fingerprintOf(client)).toEqual(await fingerprintOf(ownerPool));
    } finally {
      await client.end();
    }
  } finally {
    await dropDatabase(database.url, name);
  }
});

async function apply(db: ClientBase, { path, text }: SqlFile): Promise<void> {
  const role = path === 'roles.sql' ? 'none' : 'app_owner';
  await db.query(`set local search_path = ''; set local role ${role}`);
  try {
    await db.query(text);
  } catch (error) {
    throw new Error(`sql/${path} cannot be applied again: ${(error as Error).message}`, {
      cause: error,
    });
  }
  await db.query('set local role none');
}
