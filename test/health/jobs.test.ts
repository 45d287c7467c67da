// The jobs that run checks, repair, verify and forget, done as the worker does them.
import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { machinery } from '../../worker/job-run.ts';
import { type Payload, readPayload, type TaskName } from '../../worker/payloads.ts';
import { tasks } from '../../worker/task-list.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import { jobsIn, keepLog, startAfresh, surroundingsOf } from '../worker/workplace.ts';
import { breakSamples, createSamples } from './samples.ts';

const { ownerPool, workerUrl } = await createDatabase();
await createSamples(ownerPool);
let hospital: TestHospital;

beforeEach(async () => {
  await ownerPool.query(
    'truncate app_private.sample; delete from app_private.clock_shift; truncate app_public.finding cascade',
  );
  hospital = await createHospital(ownerPool);
  await startAfresh(ownerPool);
});

const cron = { _cron: { ts: new Date().toISOString() } };

/** Runs a task as the worker's login, without the queue; returns what it counted. */
async function run<Name extends TaskName>(name: Name, payload: unknown) {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-task', log });
  try {
    const task = tasks[name] as unknown as (
      payload: Payload<Name>,
      context: object,
    ) => Promise<{ items: number }>;
    const { items } = await task(readPayload(name, payload), {
      ...surroundingsOf(),
      db: pool,
      log,
    });
    return { items, lines };
  } finally {
    await pool.end();
  }
}

async function findings() {
  const { rows } = await ownerPool.query<{
    cache_key: string;
    is_open: boolean;
    repair_attempts: number;
  }>(
    `select cache_key, resolved_at is null as is_open, repair_attempts
       from app_public.finding order by cache_key`,
  );
  return rows;
}

const later = (span: string) =>
  ownerPool.query(
    `insert into app_private.clock_shift (shift) values ($1)
     on conflict (is_single) do update set shift = excluded.shift`,
    [span],
  );

test('the audit of a hospital finds what is wrong there, and nothing elsewhere', async () => {
  const other = await createHospital(ownerPool);
  await breakSamples(ownerPool, hospital.id, 'sample', 'a');
  await breakSamples(ownerPool, other.id, 'sample', 'b');
  expect(await run('run_health_checks', { hospital_id: hospital.id })).toMatchObject({ items: 1 });
  expect(await findings()).toMatchObject([{ cache_key: 'sample:a' }]);
  await run('run_health_checks', { hospital_id: hospital.id, trigger: 'nightly' });
  const { rows } = await ownerPool.query(
    'select trigger from app_public.check_run where hospital_id = $1 order by started_at',
    [hospital.id],
  );
  expect(rows).toEqual([{ trigger: 'manual' }, { trigger: 'nightly' }]);
});

test('the audit of the machinery finds what is wrong with the system', async () => {
  await breakSamples(ownerPool, machinery, 'sample_of_system', 'a');
  await breakSamples(ownerPool, hospital.id, 'sample', 'b');
  await run('run_health_checks', { hospital_id: machinery, trigger: 'nightly' });
  expect(await findings()).toMatchObject([{ cache_key: 'sample_of_system:a' }]);
});

test('the sweep finds the hospitals of which a problem is known, and no others', async () => {
  const well = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  await breakSamples(ownerPool, hospital.id, 'sample', 'a');
  await run('run_health_checks', { hospital_id: hospital.id });
  await run('run_health_checks', { hospital_id: well.id });
  await run('sweep_health', cron);
  expect((await jobsIn(ownerPool)).filter(({ task }) => task === 'reconcile_health')).toMatchObject(
    [{ payload: { hospital_id: hospital.id } }],
  );
});

test('the hour repairs what is safe, says so, and leaves the rest to people', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'a', 'stubborn');
  await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'c');
  await run('run_health_checks', { hospital_id: hospital.id });
  const { items, lines } = await run('reconcile_health', { hospital_id: hospital.id });
  expect(items).toBe(1);
  expect(lines.map(({ msg }) => msg).toSorted()).toEqual([
    'a problem could not be repaired',
    'a problem is repaired',
  ]);
  expect(await findings()).toEqual([
    { cache_key: 'sample:a', is_open: false, repair_attempts: 1 },
    { cache_key: 'sample:stubborn', is_open: true, repair_attempts: 1 },
    { cache_key: 'sample_for_people:c', is_open: true, repair_attempts: 0 },
  ]);
});

test('the hour notices what has resolved itself', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'c');
  await run('run_health_checks', { hospital_id: hospital.id });
  await ownerPool.query('truncate app_private.sample');
  expect(await run('reconcile_health', { hospital_id: hospital.id })).toMatchObject({ items: 0 });
  expect(await findings()).toMatchObject([{ cache_key: 'sample_for_people:c', is_open: false }]);
});

test('a repair that does not help is tried again after growing pauses, five times in all', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'stubborn');
  await run('run_health_checks', { hospital_id: hospital.id });
  const attempts: number[] = [];
  for (const hours of [0, 0, 1, 2, 3, 6, 7, 14, 15, 31, 100]) {
    await later(`${hours} hours 1 minute`);
    await run('reconcile_health', { hospital_id: hospital.id });
    attempts.push((await findings())[0]?.repair_attempts ?? 0);
  }
  expect(attempts).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5]);
});

test('what somebody ignores is not repaired until the time is over', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'a');
  await run('run_health_checks', { hospital_id: hospital.id });
  await ownerPool.query(
    `update app_public.finding
        set ignored_at = now(), ignored_until = now() + interval '1 day', ignore_reason = 'known'`,
  );
  expect(await run('reconcile_health', { hospital_id: hospital.id })).toMatchObject({ items: 0 });
  await later('25 hours');
  expect(await run('reconcile_health', { hospital_id: hospital.id })).toMatchObject({ items: 1 });
});

test('what was ignored until a time that has passed is told again, if it is still there', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'stubborn', 'stubborn and gone');
  await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'c');
  await run('run_health_checks', { hospital_id: hospital.id });
  await ownerPool.query(
    `update app_public.finding
        set ignored_at = now(), ignored_until = now() + interval '1 day', ignore_reason = 'known'`,
  );
  const told = async () => {
    const { rows } = await ownerPool.query(
      `select alert.detail from app_public.health_alert as alert where alert.status <> 'resolved'
       union all
       select item.detail from app_public.review_item as item
        where item.status = 'pending' and item.reason = 'sample_for_people'
       order by detail`,
    );
    return rows.map(({ detail }) => detail);
  };
  await later('23 hours');
  await run('reconcile_health', { hospital_id: hospital.id });
  expect(await told()).toEqual([]);
  await later('25 hours');
  await ownerPool.query("delete from app_private.sample where word = 'stubborn and gone'");
  await run('reconcile_health', { hospital_id: hospital.id });
  expect(await told()).toEqual(['The sample says c.', 'The sample says stubborn.']);
  const { rows } = await ownerPool.query(
    `select detail from app_public.finding where ignored_at is not null`,
  );
  expect(rows).toEqual([{ detail: 'The sample says stubborn and gone.' }]);
});

test('how long verifications take is counted by the hour, in buckets that double', async () => {
  const payload = {
    hospital_id: hospital.id,
    appointment_ids: [randomUUID(), randomUUID()],
    slot_ids: [randomUUID()],
    changed_at: new Date().toISOString(),
  };
  expect(await run('verify_changes', [payload])).toMatchObject({ items: 0 });
  // Two changes that the queue has joined are verified together, and each id once.
  await run('verify_changes', [payload, { ...payload, slot_ids: [] }]);
  const { rows } = await ownerPool.query<{ verified: number; took: boolean; buckets: number[] }>(
    'select verified, total_ms > 0 as took, buckets from app_private.verification_hour where hospital_id = $1',
    [hospital.id],
  );
  // Of one hour, or of two when one has just begun.
  const sum = (counts: number[]) => counts.reduce((one, other) => one + other, 0);
  expect(sum(rows.map(({ verified }) => verified))).toBe(6);
  expect(rows.every(({ took }) => took)).toBe(true);
  expect(new Set(rows.map(({ buckets }) => buckets.length))).toEqual(new Set([18]));
  expect(sum(rows.flatMap(({ buckets }) => buckets))).toBe(6);
});

test('what is old is forgotten, what is open or undecided is not', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'gone', 'open');
  await breakSamples(ownerPool, hospital.id, 'sample_for_people', 'decided', 'undecided');
  await run('run_health_checks', { hospital_id: hospital.id });
  await ownerPool.query("delete from app_private.sample where word in ('gone', 'decided')");
  await run('run_health_checks', { hospital_id: hospital.id });
  await run('verify_changes', [
    {
      hospital_id: hospital.id,
      appointment_ids: [randomUUID()],
      slot_ids: [],
      changed_at: new Date().toISOString(),
    },
  ]);
  await later('89 days');
  expect(await run('remove_old_health', { hospital_id: hospital.id })).toMatchObject({ items: 0 });
  await later('91 days');
  expect(await run('remove_old_health', { hospital_id: hospital.id })).toMatchObject({ items: 2 });
  await ownerPool.query(
    "update app_private.verification_hour set hour = hour - interval '31 days' where hospital_id = $1",
    [hospital.id],
  );
  expect(await run('remove_old_health', { hospital_id: hospital.id })).toMatchObject({ items: 1 });
  await later('366 days');
  // The review and its finding, and the finding that was repaired by itself.
  expect(await run('remove_old_health', { hospital_id: hospital.id })).toMatchObject({ items: 3 });
  expect(await findings()).toMatchObject([
    { cache_key: 'sample:open', is_open: true },
    { cache_key: 'sample_for_people:undecided', is_open: true },
  ]);
});

test('guards that are all there leave no trace; one that is off is told within minutes', async () => {
  await ownerPool.query(`
    delete from app_public.health_check where name = 'missing_guard';
    create or replace view checks.missing_guard as
    select found.hospital_id, 'missing_guard' as check_name, found.severity, found.entity_type, found.entity_id,
      found.detail, found.metadata, found.cache_key
    from checks.sample_of_system as found;
    select app_private.declare_check(
      name => 'missing_guard', domain => 'references', severity => 'critical', entity_type => 'system',
      title => 'Guard', meaning => 'A word.', importance => 'None.', resolution => 'None.', remedy => 'operator')`);
  const runs = async () => {
    const { rows } = await ownerPool.query<{ trigger: string; resolved_count: number }>(
      'select trigger, resolved_count from app_public.check_run where hospital_id = $1 order by started_at',
      [machinery],
    );
    return rows;
  };
  await ownerPool.query('delete from app_public.check_run');
  expect(await run('sweep_guards', cron)).toMatchObject({ items: 0 });
  expect(await runs()).toEqual([]);
  await breakSamples(ownerPool, machinery, 'sample_of_system', 'a');
  expect(await run('sweep_guards', cron)).toMatchObject({ items: 1 });
  await ownerPool.query('truncate app_private.sample');
  expect(await run('sweep_guards', cron)).toMatchObject({ items: 0 });
  expect(await runs()).toEqual([
    { trigger: 'event', resolved_count: 0 },
    { trigger: 'event', resolved_count: 1 },
  ]);
});
