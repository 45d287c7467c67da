import { expect, test } from 'vitest';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { ownFolder } from '../platform/folder.ts';
import { startAfresh, until } from '../worker/workplace.ts';
import { type MailboxOptions, mailVariables, openMailbox } from './mailbox.ts';
import { type WorkerProcess, workersAt } from './processes.ts';
import { drawsFor, report } from './seed.ts';
import {
  ageTheDead,
  countOf,
  expectAllArrived,
  expectAllMissedOnce,
  fillTwoDays,
  goToSecondEvening,
  holdSlot,
  missedVisits,
  openReachableHospital,
  ownDatabase,
  sentMails,
  takeTime,
  tellAll,
  untilDisconnected,
} from './world.ts';

takeTime();

test.each(['another one', 'the same one, started again'])(
  'a worker is killed while it sends mails: %s sends the rest',
  async (who) => {
    const draw = drawsFor(who);
    const database = await ownDatabase();
    const { ownerPool } = database;
    const mails = 160;
    const hospital = await openReachableHospital(ownerPool, mails);
    await startAfresh(ownerPool);
    const strikeAt = draw.between(5, 120);
    let workers: WorkerProcess[] = [];
    const struck = Promise.withResolvers<WorkerProcess>();
    const isDead = Promise.withResolvers<void>();
    const options: MailboxOptions = {
      slowMs: 40,
      onTaken(total) {
        if (total !== strikeAt) return;
        // Nobody gets an answer, and sends the rest, before one of them is dead.
        options.answersAfter = isDead.promise;
        // Of two, the one that sends.
        findSender().then((sender) => {
          sender.process.kill('SIGKILL');
          struck.resolve(sender);
        }, struck.reject);
      },
    };
    const mailbox = await openMailbox(options);
    const findSender = async (): Promise<WorkerProcess> => {
      if (workers.length === 1) return nth(workers, 0);
      const { rows } = await ownerPool.query<{ locked_by: string }>(
        "select locked_by from graphile_worker.jobs where task_identifier = 'send_deliveries' and locked_by is not null",
      );
      const sender = workers.find((worker) => worker.id() === rows[0]?.locked_by);
      if (!sender) throw new Error('nobody sends');
      return sender;
    };
    const startWorker = workersAt({
      urls: database,
      dataDir: await ownFolder(),
      env: mailVariables(mailbox),
    });
    workers = [await startWorker()];
    if (who === 'another one') workers.push(await startWorker());
    await tellAll(ownerPool, hospital);

    const dead = await struck.promise;
    await dead.exited;
    const before = await sentMails(ownerPool);
    expect(mailbox.total()).toBeGreaterThanOrEqual(strikeAt);
    expect(before).toBeLessThan(mailbox.total());
    expect(mailbox.total()).toBeLessThan(mails);
    isDead.resolve();
    const survivor = workers.find((worker) => worker !== dead);
    // Who lives and sends as well ends that first: the leases of both lapse below.
    if (survivor) await until(async () => (await sendingBesides(dead)) === 0);

    const began = performance.now();
    const successor = survivor ?? (await startWorker());
    // Five minutes that nobody has to wait for here.
    await ageTheDead(ownerPool, dead.id(), '5 minutes');
    successor.tick();
    await until(async () => (await sentMails(ownerPool)) === mails);
    report('worker killed while it sends', {
      'after mails': strikeAt,
      'marked by then': before,
      'sent twice': mailbox.total() - mails,
      'goes on within ms': Math.round(performance.now() - began),
    });
    await expectAllArrived(ownerPool, mailbox);
    // No more than what was on its way at that moment: eight of each of four jobs.
    expect(mailbox.total() - mails).toBeLessThanOrEqual(32);
    await expectInvariants(ownerPool);

    function sendingBesides(worker: WorkerProcess) {
      return countOf(
        ownerPool,
        "from graphile_worker.jobs where task_identifier = 'send_deliveries' and locked_by is distinct from $1",
        [worker.id()],
      );
    }
  },
);

test('a worker is killed in the middle of the no-show sweep: the next one marks the rest, each visit once', async () => {
  const draw = drawsFor('sweep');
  const database = await ownDatabase();
  const { ownerPool } = database;
  const hospital = await openReachableHospital(ownerPool, 400, 14);
  const visits = await fillTwoDays(ownerPool, hospital);
  expect(visits).toBeGreaterThan(700);
  await goToSecondEvening(ownerPool, hospital);
  await startAfresh(ownerPool);
  const startWorker = workersAt({ urls: database, dataDir: await ownFolder() });

  const first = await startWorker();
  // One of its batches waits for a slot that somebody holds.
  const held = await holdSlot(ownerPool, hospital, draw.between(20, 50));
  first.tick();
  await held.waitedFor();
  await first.kill();
  await untilDisconnected(ownerPool, 'slotkeeper-worker');
  await held.letGo();
  const marked = await missedVisits(ownerPool);
  expect(marked).toBeGreaterThan(0);
  expect(marked).toBeLessThan(visits);

  const began = performance.now();
  const second = await startWorker();
  await ageTheDead(ownerPool, first.id(), '1 minute');
  second.tick();
  await until(async () => (await missedVisits(ownerPool)) === visits);
  report('worker killed while it sweeps', {
    'visits marked by then': marked,
    of: visits,
    'goes on within ms': Math.round(performance.now() - began),
  });
  await expectAllMissedOnce(ownerPool, visits);
  await expectInvariants(ownerPool);
});
