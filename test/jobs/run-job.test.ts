// Admins ask for runs; schedulers outside do.
import { expect, test } from 'vitest';
import { asOwner, become, committedAs, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf, scenarioOf } from '../helpers/refusals.ts';
import { begin, end, machinery } from './recording.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);

const ask = 'select run.* from app_public.run_job(job => $1) as run';

test('an admin asks for a run: it waits, is told to the relay by ids alone, and is audited', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const { rows } = await db.query(ask, ['expire_waits']);
    expect(rows).toMatchObject([
      {
        hospital_id: hospital.id,
        job: 'expire_waits',
        outcome: 'waiting',
        started_by: 'manual',
        requested_by: hospital.admin.accountId,
        started_at: null,
      },
    ]);
    await asOwner(db);
    const { rows: messages } = await db.query(
      "select hospital_id, payload from app_private.outbox where topic = 'job'",
    );
    expect(messages).toEqual([
      { hospital_id: hospital.id, payload: { job: 'expire_waits', run_id: rows[0].id } },
    ]);
    const { rows: audited } = await db.query(
      `select record_id, operation, actor_account_id, actor_role
         from app_public.audit_entry where table_name = 'job_run'`,
    );
    expect(audited).toEqual([
      {
        record_id: rows[0].id,
        operation: 'insert',
        actor_account_id: hospital.admin.accountId,
        actor_role: 'admin',
      },
    ]);
  }));

test.each([
  ['one that does not exist', 'polish_the_floor'],
  ['one that serves all hospitals', 'plan_night'],
  ['one that nobody may ask for', 'offer_seats'],
])('an admin cannot ask for %s', (_name, job) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => db.query(ask, [job]))).toMatchObject({
      code: 'SK404',
      scenario: 'job_not_found',
      details: { job },
    });
  }),
);

test('nobody else asks', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.receptionist,
      hospital.nurse,
      hospital.doctor,
      hospital.patient,
    ]) {
      await become(db, actor);
      expect((await errorOf(db, () => db.query(ask, ['expire_waits']))).code).toBe('42501');
    }
  }));

test('not while it runs or waits; again when that one is stuck', () =>
  rolledBack(ownerPool, async (db) => {
    const running = await begin(db, hospital.id, 'expire_waits');
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => db.query(ask, ['expire_waits']))).toMatchObject({
      code: 'SK409',
      scenario: 'job_already_running',
      details: { job: 'expire_waits', job_run_id: running },
    });
    await asOwner(db);
    await db.query("update app_public.job_run set heartbeat_at = now() - interval '301 seconds'");
    await become(db, hospital.admin);
    expect((await db.query(ask, ['expire_waits'])).rows).toMatchObject([{ outcome: 'waiting' }]);
    await asOwner(db);
    const { rows } = await db.query('select outcome from app_public.job_run where id = $1', [
      running,
    ]);
    expect(rows).toEqual([{ outcome: 'stuck' }]);
  }));

test('not more than once a minute, each job by itself', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const first = (await db.query(ask, ['expire_waits'])).rows[0].id;
    await asOwner(db);
    await db.query("select app_private.begin_job_run($1, 'expire_waits', 'event', 'w', $2)", [
      hospital.id,
      first,
    ]);
    await end(db, hospital.id, first, true);
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => db.query(ask, ['expire_waits']))).toMatchObject({
      code: 'SK429',
      scenario: 'job_requested_too_often',
    });
    await db.query(ask, ['archive_past_years']);
    await asOwner(db);
    await db.query(
      `alter table app_public.job_run disable trigger user;
       update app_public.job_run set created_at = created_at - interval '60 seconds';
       alter table app_public.job_run enable trigger user`,
    );
    await become(db, hospital.admin);
    expect((await db.query(ask, ['expire_waits'])).rows).toHaveLength(1);
  }));

async function attemptsAtOnce(of: TestHospital, count: number): Promise<string[]> {
  const results = await Promise.allSettled(
    Array.from({ length: count }, () =>
      committedAs(ownerPool, of.admin, (db) => db.query(ask, ['archive_past_years'])),
    ),
  );
  return results.map((result) =>
    result.status === 'fulfilled' ? 'asked' : scenarioOf(result.reason),
  );
}

test('of many who ask at once, one is let in', async () => {
  const outcomes = await attemptsAtOnce(await createHospital(ownerPool), 8);
  expect(outcomes.sort()).toEqual(['asked', ...Array(7).fill('job_already_running')]);
});

test('a scheduler outside asks for what serves all hospitals and is meant for it, and nothing else', () =>
  rolledBack(ownerPool, async (db) => {
    const request = 'select app_private.request_job(job => $1) as id';
    await db.query("select set_config('role', 'app_scheduler', true)");
    for (const job of ['plan_night', 'expire_waits', 'polish_the_floor']) {
      expect(await refusalOf(db, () => db.query(request, [job]))).toMatchObject({
        scenario: 'job_not_found',
      });
    }
    const { rows } = await db.query(request, ['sweep_waitlist']);
    const { rows: seen } = await db.query('select * from app_private.requested_job($1)', [
      rows[0].id,
    ]);
    expect(seen).toMatchObject([
      { hospital_id: machinery, outcome: 'waiting', started_by: 'external', requested_by: null },
    ]);
    expect(await refusalOf(db, () => db.query(request, ['sweep_waitlist']))).toMatchObject({
      scenario: 'job_already_running',
      details: { job_run_id: rows[0].id },
    });
    for (const statement of [
      'select from app_public.job_run',
      'select from app_private.outbox',
      'select from app_public.hospital',
      'select app_private.job_health(app_private.machinery())',
    ]) {
      expect((await errorOf(db, () => db.query(statement))).code).toBe('42501');
    }
    const { rows: none } = await db.query('select id from app_private.requested_job($1)', [
      hospital.id,
    ]);
    expect(none).toEqual([{ id: null }]);
  }));
