import { expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { hold } from '../helpers/booking.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { ownFolder } from '../platform/folder.ts';
import { startAfresh } from '../worker/workplace.ts';
import { mailVariables, openMailbox } from './mailbox.ts';
import { minutesOfCrontab, workersAt } from './processes.ts';
import { drawsFor, report } from './seed.ts';
import {
  countOf,
  expectAllArrived,
  expectAllMissedOnce,
  fillTwoDays,
  goToSecondEvening,
  jump,
  missedVisits,
  openReachableHospital,
  ownDatabase,
  sentMails,
  takeTime,
  tellAll,
  withinAMinute,
} from './world.ts';

takeTime();

test('the minute of two workers: each sweep runs once, and its work is done once', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const hospital = await openReachableHospital(ownerPool, 120, 4);
  const visits = await fillTwoDays(ownerPool, hospital);
  await goToSecondEvening(ownerPool, hospital);
  await startAfresh(ownerPool);
  const mailbox = await openMailbox();
  const env = mailVariables(mailbox);
  const minutes = minutesOfCrontab();
  const startWorker = workersAt({ urls: database, dataDir: await ownFolder(), env }, minutes);
  const minute = minutes();
  const workers = await Promise.all([startWorker(minute), startWorker(minute)]);
  for (const worker of workers) worker.tick();
  await withinAMinute('the sweep', async () => (await missedVisits(ownerPool)) === visits);
  await withinAMinute('the mails', async () => (await sentMails(ownerPool)) >= visits);
  // Both have been at that minute, and each of its jobs was added once and run once.
  const { rows } = await ownerPool.query<{ identifier: string; at: Date }>(
    `select identifier, last_execution as at from graphile_worker._private_known_crontabs
     where last_execution is not null`,
  );
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.every(({ at }) => at.getTime() === minute)).toBe(true);
  const { rows: runs } = await ownerPool.query(
    `select job, count(*)::integer from app_public.job_run
     where started_by = 'cron' and outcome <> 'skipped' group by 1 having count(*) > 1`,
  );
  expect(runs).toEqual([]);
  expect(await countOf(ownerPool, "from app_public.job_run where job = 'sweep_no_shows'")).toBe(1);
  await expectAllMissedOnce(ownerPool, visits);
  await expectAllArrived(ownerPool, mailbox);
  expect([...mailbox.taken.values()].every((count) => count === 1)).toBe(true);
  report('the same minute of two workers', { 'jobs of the crontab': rows.length, visits });
  await expectInvariants(ownerPool);
});

test('the clock jumps ahead by hours and back while mails, reminders and a sweep are under way: nothing happens twice', async () => {
  const draw = drawsFor('clock');
  const hours = draw.between(2, 9);
  const database = await ownDatabase();
  const { ownerPool } = database;
  const hospital = await openReachableHospital(ownerPool, 120, 4);
  const visits = await fillTwoDays(ownerPool, hospital);
  const told = await openReachableHospital(ownerPool, 45);
  // Holds of somebody else, which end while the clock is ahead.
  const other = await openReachableHospital(ownerPool, 20);
  for (const index of [0, 1, 2, 3, 4]) {
    await committedAs(ownerPool, other.receptionist, (db) =>
      hold(db, { slotId: nth(other.slotIds, index), patientId: nth(other.patientIds, index) }),
    );
  }
  // Noon of the first day: half of its visits are over, and the others want a reminder.
  await goToSecondEvening(ownerPool, hospital);
  await jump(ownerPool, '-30 hours');
  await ownerPool.query(
    "update app_public.appointment set held_until = app_private.clock() + interval '5 minutes' where status = 'held'",
  );
  await startAfresh(ownerPool);

  const struck = Promise.withResolvers<void>();
  const strikeAt = draw.between(2, 12);
  // So slow that what is on its way is so when the sweep of the minute comes.
  const options = {
    slowMs: 500,
    onTaken: (total: number) => void (total === strikeAt && struck.resolve()),
  };
  const mailbox = await openMailbox(options);
  const env = mailVariables(mailbox);
  const minutes = minutesOfCrontab();
  const startWorker = workersAt({ urls: database, dataDir: await ownFolder(), env }, minutes);
  const workers = [await startWorker(), await startWorker(), await startWorker()];
  await tellAll(ownerPool, told);
  await struck.promise;
  const sentBefore = await sentMails(ownerPool);
  await jump(ownerPool, `${hours} hours`);
  nth(workers, 0).tick();
  await withinAMinute('the sweep ahead', async () => (await missedVisits(ownerPool)) > 0);
  await withinAMinute('the sweep of deliveries ahead', () => sweeps(1));
  await withinAMinute('those on their way', async () => (await sentMails(ownerPool)) >= 40);
  options.slowMs = 10;
  await withinAMinute('the holds', async () => (await heldSeats()) === 0);
  const [missedAhead, sentAhead] = [await missedVisits(ownerPool), await sentMails(ownerPool)];
  await jump(ownerPool, `-${hours} hours`);
  nth(workers, 1).tick();
  // What was planned while it was ahead waits until it is time again.
  await withinAMinute('the second minute', () => sweeps(2));
  await withinAMinute('the queue', isIdle);
  expect(sentBefore).toBeGreaterThan(0);
  expect(missedAhead).toBeLessThan(visits);

  // The clock goes its way: the hours come once more.
  await jump(ownerPool, `${hours} hours`);
  await jump(ownerPool, '10 minutes');
  nth(workers, 2).tick();
  await withinAMinute('the third minute', () => sweeps(3));
  await withinAMinute('the queue', isIdle);
  await withinAMinute('the last mails', async () => (await openMails()) === 0);

  await expectAllMissedOnce(ownerPool, await missedVisits(ownerPool));
  expect(await missedVisits(ownerPool)).toBeGreaterThanOrEqual(missedAhead);
  const reminders = await countOf(ownerPool, 'from app_public.appointment_reminder');
  expect(reminders).toBeGreaterThan(0);
  expect(
    await countOf(
      ownerPool,
      `from (select from app_public.notification where event = 'appointment_reminder'
             group by appointment_id having count(*) > 1) as twice`,
    ),
  ).toBe(0);
  report('the clock jumps', {
    hours,
    'after mails': strikeAt,
    'sent while it was ahead': sentAhead - sentBefore,
    'visits marked': missedAhead,
    reminders,
    'mails sent twice': [...mailbox.taken.values()].filter((count) => count > 1).length,
  });
  await expectAllArrived(ownerPool, mailbox);
  expect([...mailbox.taken.values()].every((count) => count === 1)).toBe(true);
  await expectInvariants(ownerPool);

  async function sweeps(count: number) {
    const done = "from app_public.job_run where job = 'sweep_deliveries' and outcome = 'succeeded'";
    return (await countOf(ownerPool, done)) === count;
  }
  async function isIdle() {
    const waiting =
      'from graphile_worker.jobs where attempts < max_attempts or locked_at is not null';
    return (await countOf(ownerPool, waiting)) === 0;
  }
  function heldSeats() {
    return countOf(ownerPool, "from app_public.appointment where status = 'held'");
  }
  function openMails() {
    return countOf(
      ownerPool,
      "from app_public.notification_delivery where status in ('pending', 'sending')",
    );
  }
});
