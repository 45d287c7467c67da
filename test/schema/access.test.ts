// What each role may do in its own hospital, tried out, as a text that a review sees change.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { actorsIn, attempt, columnsGranted, insertInto, ofHospital, rows } from './access.ts';
import { createWorld, type World } from './world.ts';

const { ownerPool } = await createDatabase();
const world = await createWorld(ownerPool);
const actors = actorsIn(world.hospital);

const head = `What each role may do with the rows of its own hospital, tried out in the database.
all: every row; some: those that are theirs, by a policy. In brackets the columns that may be written.
Roles that are not named can do nothing with the table.
`;

test('the rights of each role on each table', async () => {
  const text = await rolledBack(ownerPool, async (db) => {
    const blocks = [head];
    for (const table of Object.keys(rows).sort()) blocks.push(await rightsOn(db, table));
    return blocks.join('\n');
  });
  await expect(text).toMatchFileSnapshot('../snapshots/access.txt');
});

async function rightsOn(db: ClientBase, table: string): Promise<string> {
  const lines: string[] = [];
  for (const role of Object.keys(actors)) {
    const rights = await rightsOf(db, table, role);
    if (rights.length > 0)
      lines.push(`  ${role.replace('app_', '').padEnd(14)}${rights.join(' · ')}`);
  }
  return [table, ...(lines.length > 0 ? lines : ['  nobody']), ''].join('\n');
}

async function rightsOf(db: ClientBase, table: string, role: string): Promise<string[]> {
  const where = ofHospital(table, `'${world.hospital.id}'`);
  const insertable = await columnsGranted(db, table, role, 'insert');
  const updatable = await columnsGranted(db, table, role, 'update');
  const total = await attempt(db, `select from ${table} where ${where}`);
  const scope = async (sql: string) => {
    const reached = await attempt(db, sql);
    if (typeof reached === 'string' || reached === 0) return undefined;
    return reached === total ? 'all' : 'some';
  };
  await actors[role]?.(db);
  const selected = await scope(`select from ${table} where ${where}`);
  const updated = await scope(`select from ${table} where ${where} for no key update`);
  const deleted = await scope(`delete from ${table} where ${where}`);
  const inserted = await attempt(db, insertInto(table, namesFor(role), insertable));
  await asOwner(db);
  return [
    ...(selected ? [`select ${selected}`] : []),
    ...(inserted === 1 ? [`insert (${insertable.join(', ')})`] : []),
    ...(updated ? [`update ${updated} (${updatable.join(', ')})`] : []),
    ...(deleted ? [`delete ${deleted}`] : []),
  ];
}

function namesFor(role: string): World['names'] {
  const { patient, doctor, nurse, receptionist, admin } = world.hospital;
  const people = [patient, doctor, nurse, receptionist, admin];
  const account = people.find((person) => `app_${person.role}` === role) ?? admin;
  return { ...world.names, account: account.accountId };
}
