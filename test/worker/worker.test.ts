import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createDatabase } from '../helpers/database.ts';
import { startAfresh, until, workFor } from './workplace.ts';

const database = await createDatabase();
const { ownerPool } = database;

test('a worker that cannot look for jobs begins anew, until it can', async () => {
  await startAfresh(ownerPool);
  await ownerPool.query(
    `select graphile_worker.add_job('expire_waits', json_build_object('hospital_id', $1::uuid))`,
    [randomUUID()],
  );
  // What it learns about its tasks at its first look it never asks for again.
  await ownerPool.query('revoke insert on graphile_worker._private_tasks from app_worker');
  const { lines } = await workFor(database.workerUrl);
  const complaints = () => lines.filter(({ msg }) => msg === 'cannot go on, starting anew');
  await until(() => complaints().length > 1);
  expect(complaints()[0]?.err?.message).toContain('permission denied');
  await ownerPool.query('grant insert on graphile_worker._private_tasks to app_worker');
  await until(async () => {
    const { rows } = await ownerPool.query(
      `select from graphile_worker.jobs where task_identifier = 'expire_waits'`,
    );
    return rows.length === 0;
  });
});
