import { randomUUID } from 'node:crypto';
import { parseCrontab } from 'graphile-worker';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { crontab } from '../../worker/crontab.ts';
import { addJobs, type NewJob } from '../../worker/jobs.ts';
import { type Payload, PayloadError, readPayload } from '../../worker/payloads.ts';
import { tasks } from '../../worker/task-list.ts';
import { committedAs } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import {
  createHospital,
  generateSlots,
  slotsAhead,
  type TestHospital,
} from '../helpers/hospital.ts';
import {
  jobsIn,
  keepLog,
  startAfresh,
  stopCrontab,
  surroundingsOf,
  until,
  workFor,
} from './workplace.ts';

const database = await createDatabase();
const { ownerPool, workerUrl } = database;

beforeEach(async () => {
  await startAfresh(ownerPool);
  await stopCrontab(ownerPool);
});
afterEach(async () => {
  await ownerPool.query(
    'drop function if exists app_private.break_hospital() cascade; delete from app_private.clock_shift',
  );
});

const cron = (ts = new Date().toISOString()) => ({ _cron: { ts, backfilled: false } });

/** Runs a task as the worker's login, without the queue. */
async function run<Name extends keyof typeof tasks>(name: Name, payload: Payload<Name>) {
  const { log, lines } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-task', log });
  try {
    const task = tasks[name] as (typeof tasks)[Name];
    await task(payload, { ...surroundingsOf(), db: pool, log });
  } finally {
    await pool.end();
  }
  return lines;
}

async function slotCount(hospital: TestHospital): Promise<number> {
  const { rows } = await ownerPool.query<{ count: number }>(
    'select count(*)::integer as count from app_public.slot where slot.hospital_id = $1',
    [hospital.id],
  );
  return rows[0]?.count ?? 0;
}

async function statusOf(hospital: TestHospital): Promise<string[]> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.appointment where appointment.hospital_id = $1',
    [hospital.id],
  );
  return rows.map(({ status }) => status);
}

async function hospitalWithHold(): Promise<TestHospital> {
  const hospital = await createHospital(ownerPool);
  await generateSlots(ownerPool, hospital);
  const [slotId] = await slotsAhead(ownerPool, hospital);
  await committedAs(ownerPool, hospital.patient, (db) =>
    db.query(
      'select app_public.hold_slot(slot_id => $1, patient_id => $2, idempotency_key => $3)',
      [slotId, hospital.patientIds[0], randomUUID()],
    ),
  );
  return hospital;
}

/** From now on every write to this table of this hospital fails. */
async function breakHospital(table: string, hospital: TestHospital): Promise<void> {
  await ownerPool.query(`
    create function app_private.break_hospital() returns trigger language plpgsql as
      $$ begin raise exception 'this hospital is broken'; end $$;
    create trigger hospital_is_broken before insert or update on app_public.${table}
      for each row when (new.hospital_id = '${hospital.id}')
      execute function app_private.break_hospital()`);
}

const lapse = "insert into app_private.clock_shift (shift) values ('10 minutes')";

test('a new schedule becomes slots: outbox, relay, job', async () => {
  const hospital = await createHospital(ownerPool);
  expect(await slotCount(hospital)).toBe(0);
  // It is evening there, so that no slot begins between two looks.
  await ownerPool.query(
    `insert into app_private.clock_shift (shift)
     select ((now() at time zone $1)::date + 1 + time '20:00') at time zone $1 - now()`,
    [hospital.timeZone],
  );
  await workFor(workerUrl);
  // 30 days for two doctors with 14 slots a day.
  await until(async () => (await slotCount(hospital)) === 30 * 28);
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  const [doctorId] = hospital.doctorIds;
  const { rowCount } = await ownerPool.query(
    'update app_public.slot set withdrawn_at = now() where hospital_id = $1 and doctor_id = $2',
    [hospital.id, doctorId],
  );
  const before = await slotCount(hospital);
  await ownerPool.query(
    'update app_public.schedule set slot_capacity = 2 where hospital_id = $1 and doctor_id = $2',
    [hospital.id, doctorId],
  );
  await until(async () => (await slotCount(hospital)) === before + (rowCount ?? 0));
});

test('a lapsed hold is swept, and one that is still good stays', async () => {
  const lapsed = await hospitalWithHold();
  const { worker } = await workFor(workerUrl);
  const sweep = (): NewJob => ({ task: 'sweep_lapsed_holds', payload: cron(), key: 'sweep' });
  await addJobs(ownerPool, [sweep()]);
  await until(async () => (await jobsIn(ownerPool)).length === 0);
  expect(await statusOf(lapsed)).toEqual(['held']);
  await ownerPool.query(lapse);
  const good = await hospitalWithHold();
  await addJobs(ownerPool, [sweep()]);
  await until(async () => (await statusOf(lapsed)).includes('expired'));
  expect(await statusOf(good)).toEqual(['held']);
  await worker.stop();
  const { rows } = await ownerPool.query(
    `select actor_role from app_public.audit_entry
      where hospital_id = $1 and table_name = 'appointment' order by id desc limit 1`,
    [lapsed.id],
  );
  expect(rows).toEqual([{ actor_role: 'worker' }]);
});

test('reminders are sent where they are due, once, and told outside', async () => {
  const hospital = await createHospital(ownerPool);
  await generateSlots(ownerPool, hospital);
  const slots = await slotsAhead(ownerPool, hospital);
  const { rows: visits } = await ownerPool.query<{ id: string }>(
    `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, idempotency_key)
     values ($1, $2, $3, 'scheduled', $4) returning id`,
    [hospital.id, slots[30], hospital.patientIds[0], randomUUID()],
  );
  await startAfresh(ownerPool);
  await run('sweep_reminders', cron());
  expect(await jobsIn(ownerPool)).toEqual([]);
  await ownerPool.query(
    `insert into app_private.clock_shift (shift)
     select starts_at - interval '2 hours' - now() from app_public.appointment where id = $1`,
    [visits[0]?.id],
  );
  await run('sweep_reminders', cron());
  expect(await jobsIn(ownerPool)).toMatchObject([
    { task: 'send_reminders', payload: { hospital_id: hospital.id } },
  ]);
  await run('send_reminders', { hospital_id: hospital.id });
  const lines = await run('send_reminders', { hospital_id: hospital.id });
  expect(lines).toMatchObject([{ msg: 'reminders have been sent', reminders: 0 }]);
  const { rows } = await ownerPool.query(
    "select appointment_id from app_public.notification where hospital_id = $1 and event = 'appointment_reminder'",
    [hospital.id],
  );
  expect(rows).toEqual([{ appointment_id: visits[0]?.id }]);
});

test('a hospital whose holds cannot be swept does not keep the others waiting', async () => {
  const broken = await hospitalWithHold();
  const sound = [await hospitalWithHold(), await hospitalWithHold()];
  await ownerPool.query(lapse);
  await breakHospital('appointment', broken);
  const { lines } = await workFor(workerUrl);
  await addJobs(ownerPool, [{ task: 'sweep_lapsed_holds', payload: cron(), key: 'sweep' }]);
  for (const hospital of sound) {
    await until(async () => (await statusOf(hospital)).includes('expired'));
  }
  const failed = await until(async () =>
    (await jobsIn(ownerPool)).find(({ last_error }) => last_error !== null),
  );
  expect(failed).toMatchObject({
    task: 'expire_lapsed_holds',
    payload: { hospital_id: broken.id },
    last_error: 'this hospital is broken',
  });
  expect(await statusOf(broken)).toEqual(['held']);
  // It may have been tried again meanwhile.
  const failures = lines.filter(({ msg }) => msg.startsWith('a job failed'));
  expect(new Set(failures.map(({ task, err }) => `${task}: ${err?.message}`))).toEqual(
    new Set(['expire_lapsed_holds: this hospital is broken']),
  );
});

test('a hospital whose slots cannot be generated does not keep the others waiting', async () => {
  const broken = await createHospital(ownerPool);
  const sound = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  await breakHospital('slot', broken);
  await workFor(workerUrl);
  await run('plan_night', cron(await instantOf('02:30', 'Asia/Kolkata')));
  const failed = await until(async () =>
    (await jobsIn(ownerPool)).find(({ last_error }) => last_error !== null),
  );
  expect(failed).toMatchObject({ task: 'generate_slots', payload: { hospital_id: broken.id } });
  await until(async () => (await slotCount(sound)) > 0);
  expect(await slotCount(broken)).toBe(0);
});

async function instantOf(localTime: string, zone: string, date = '2026-11-20'): Promise<string> {
  const { rows } = await ownerPool.query<{ at: Date }>(
    'select ($1::date + $2::time) at time zone $3 as at',
    [date, localTime, zone],
  );
  return rows[0]?.at.toISOString() ?? '';
}

/** Nightly runs of a hospital in this zone, among the hourly ones of a local day and its neighbours. */
async function nightsOf(timeZone: string, date: string): Promise<string[]> {
  const hospital = await createHospital(ownerPool, { timeZone });
  const start = Date.parse(`${date}T00:00:00Z`) - 24 * 3_600_000;
  const nights: string[] = [];
  for (let hour = 0; hour < 72; hour += 1) {
    const ts = new Date(start + hour * 3_600_000).toISOString();
    await startAfresh(ownerPool);
    await run('plan_night', cron(ts));
    const jobs = await jobsIn(ownerPool);
    if (jobs.some(({ payload }) => payload.hospital_id === hospital.id)) nights.push(ts);
  }
  return nights;
}

test.each([
  ['an ordinary day', 'Asia/Kolkata', '2026-11-20', [24, 24]],
  ['a zone off by 45 minutes', 'Asia/Kathmandu', '2026-11-20', [24, 24]],
  ['the clocks jump over 02:00', 'Europe/Berlin', '2026-03-29', [24, 23]],
  ['the clocks show 02:00 twice', 'Europe/Berlin', '2026-10-25', [25, 24]],
  ['the clocks jump over midnight', 'Africa/Cairo', '2026-04-24', [23, 24, 24]],
])('a hospital has one night a day: %s', async (_name, timeZone, date, hoursBetween) => {
  const nights = (await nightsOf(timeZone, date)).map((ts) => Date.parse(ts) / 3_600_000);
  expect(nights.slice(1).map((hour, index) => hour - (nights[index] ?? 0))).toEqual(hoursBetween);
});

test('the night is one hour of the day, and the work of it one job of each kind', async () => {
  const hospital = await createHospital(ownerPool, { timeZone: 'Pacific/Auckland' });
  await startAfresh(ownerPool);
  await run('plan_night', cron(await instantOf('01:59', 'Pacific/Auckland')));
  await run('plan_night', cron(await instantOf('03:00', 'Pacific/Auckland')));
  expect(await jobsIn(ownerPool)).toEqual([]);
  await run('plan_night', cron(await instantOf('02:00', 'Pacific/Auckland')));
  await run('plan_night', cron(await instantOf('02:59', 'Pacific/Auckland')));
  expect(await jobsIn(ownerPool)).toMatchObject([
    { task: 'archive_past_years', payload: { hospital_id: hospital.id } },
    { task: 'generate_slots', payload: { hospital_id: hospital.id, doctor_id: null } },
    { task: 'make_health_report', payload: { hospital_id: hospital.id } },
    { task: 'remove_job_runs', payload: { hospital_id: hospital.id } },
    { task: 'remove_old_health', payload: { hospital_id: hospital.id } },
    { task: 'remove_old_log', payload: { hospital_id: hospital.id } },
    { task: 'remove_old_sessions', payload: { hospital_id: hospital.id } },
    { task: 'remove_old_webhooks', payload: { hospital_id: hospital.id } },
    { task: 'remove_read_notifications', payload: { hospital_id: hospital.id } },
    { task: 'run_health_checks', payload: { hospital_id: hospital.id, trigger: 'nightly' } },
    { task: 'tidy_login', payload: { hospital_id: hospital.id } },
  ]);
});

test('a rehearsed clock has its nights too', async () => {
  const hospital = await createHospital(ownerPool, { timeZone: 'Pacific/Auckland' });
  await startAfresh(ownerPool);
  await ownerPool.query("insert into app_private.clock_shift (shift) values ('12 hours')");
  await run('plan_night', cron(await instantOf('14:30', 'Pacific/Auckland')));
  const jobs = await jobsIn(ownerPool);
  expect(jobs.map(({ payload }) => payload.hospital_id)).toContain(hospital.id);
});

test('topics that no relay knows are told by count', async () => {
  const hospital = await createHospital(ownerPool);
  await startAfresh(ownerPool);
  expect(await run('report_unknown_topics', cron())).toEqual([]);
  await ownerPool.query(
    `insert into app_private.outbox (hospital_id, topic, key, payload)
     select $1, topic, 'key', '{}' from unnest(array['weather', 'slots', 'weather']) as topic`,
    [hospital.id],
  );
  expect(await run('report_unknown_topics', cron())).toMatchObject([
    { level: 50, topic: 'weather', count: 2 },
  ]);
});

test('every task of the crontab exists and takes what the crontab gives it', () => {
  const items = parseCrontab(crontab);
  expect(items.map(({ task }) => task).sort()).toEqual([
    'plan_night',
    'report_unknown_topics',
    'sweep_audit',
    'sweep_deliveries',
    'sweep_guards',
    'sweep_health',
    'sweep_health_alerts',
    'sweep_lapsed_holds',
    'sweep_lapsed_requests',
    'sweep_no_shows',
    'sweep_outgoing_mail',
    'sweep_reminders',
    'sweep_stage_alerts',
    'sweep_stuck_jobs',
    'sweep_waitlist',
    'sweep_webhooks',
  ]);
  for (const { task } of items) {
    expect(() => readPayload(task as keyof typeof tasks, cron())).not.toThrow();
  }
});

test('a payload that its task cannot work with is refused, and the message tells no value', async () => {
  const hospital_id = randomUUID();
  expect(readPayload('generate_slots', { hospital_id, doctor_id: null })).toBeTruthy();
  for (const payload of [
    {},
    null,
    { hospital_id },
    { hospital_id, doctor_id: 'private' },
    { hospital_id, doctor_id: null, patient_name: 'private' },
  ]) {
    const refuse = () => readPayload('generate_slots', payload);
    expect(refuse).toThrow(PayloadError);
    expect(refuse).toThrow(/generate_slots/);
    expect(refuse).not.toThrow(/private/);
  }
  const { lines } = await workFor(workerUrl);
  await ownerPool.query(
    `select graphile_worker.add_job('generate_slots', '{"hospital_id": "nowhere", "doctor_id": null}')`,
  );
  const failed = await until(async () =>
    (await jobsIn(ownerPool)).find(({ last_error }) => last_error !== null),
  );
  expect(failed.last_error).toBe(
    'The payload of this job of generate_slots is not valid: hospital_id must be a uuid',
  );
  expect(lines.map(({ msg }) => msg)).toContain('a job failed and will be tried again');
});

test('the compiler refuses jobs that nobody could do', () => {
  const hospital_id = randomUUID();
  // @ts-expect-error: a payload that lacks the doctor.
  const lacking: NewJob = { task: 'generate_slots', payload: { hospital_id }, key: 'a' };
  // @ts-expect-error: the payload of another task.
  const mistaken: NewJob = { task: 'plan_night', payload: { hospital_id }, key: 'a' };
  // @ts-expect-error: a task that does not exist.
  const unknown: NewJob = { task: 'make_coffee', payload: {}, key: 'a' };
  expect([lacking, mistaken, unknown]).toHaveLength(3);
});

test('of jobs with one key that wait, one is left', async () => {
  const hospital_id = randomUUID();
  const job = (doctor_id: string | null): NewJob => ({
    task: 'generate_slots',
    payload: { hospital_id, doctor_id },
    key: 'same',
  });
  const last = randomUUID();
  await addJobs(ownerPool, [job(null), job(randomUUID())]);
  await addJobs(ownerPool, [job(null), job(last)]);
  expect(await jobsIn(ownerPool)).toMatchObject([{ key: 'same', payload: { doctor_id: last } }]);
});
