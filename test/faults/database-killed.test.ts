import { expect, onTestFinished, test } from 'vitest';
import { openCluster } from '../../platform/cluster/open-cluster.ts';
import { databaseUrlsOf } from '../../platform/database-urls.ts';
import { ensureDatabase, migrate } from '../../platform/migrate.ts';
import { createPool } from '../../platform/pool.ts';
import { loadSecrets } from '../../platform/secrets.ts';
import { watchCluster } from '../../platform/watch-cluster.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { ownFolder } from '../platform/folder.ts';
import { keepLog, startAfresh, until } from '../worker/workplace.ts';
import { bookAll, expectAsAnswered, logIn, storedOf, wishesFor } from './bookings.ts';
import { type MailboxOptions, mailVariables, openMailbox } from './mailbox.ts';
import { minutesOfCrontab, startServerProcess, workersAt } from './processes.ts';
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
  sentMails,
  takeTime,
  tellAll,
  withinAMinute,
} from './world.ts';

takeTime();

test('the database is killed under bookings, mails and a sweep: all come back by themselves within a minute', async () => {
  const draw = drawsFor('database');
  const dataDir = await ownFolder();
  // As in production: what is acknowledged is on the disk.
  const cluster = await openCluster({ dataDir });
  const url = await ensureDatabase(cluster.url, 'slotkeeper');
  const none = { authenticatorUrl: undefined, workerUrl: undefined };
  const urls = databaseUrlsOf(url, none, await loadSecrets(dataDir));
  await migrate({ urls, withCurrent: true });
  const pool = createPool({ url, applicationName: 'test', log: keepLog().log });
  onTestFinished(() => pool.end());

  const swept = await openReachableHospital(pool, 400, 14);
  const visits = await fillTwoDays(pool, swept);
  await pool.query('update app_public.patient set email = null where hospital_id = $1', [swept.id]);
  await goToSecondEvening(pool, swept);
  const told = await openReachableHospital(pool, 400);
  const booked = await openReachableHospital(pool, 300);
  await pool.query('update app_public.patient set email = null where hospital_id = $1', [
    booked.id,
  ]);
  await pool.query('analyze');
  await startAfresh(pool);

  const [mailsBefore, answersBefore] = [draw.between(5, 40), draw.between(5, 50)];
  const options: MailboxOptions = {
    slowMs: 100,
    onTaken(total) {
      // The rest is not sent before the strike, however long the sweep and the bookings take until then.
      if (total === mailsBefore) options.slowMs = 1_000;
    },
  };
  const mailbox = await openMailbox(options);
  const nextMinute = minutesOfCrontab();
  const place = { urls, dataDir, env: mailVariables(mailbox) };
  const worker = await workersAt(place, nextMinute)();
  const server = await startServerProcess({ urls, dataDir });
  const token = await logIn(pool, booked, server.url);
  const wishes = wishesFor(booked);

  // Everything is under way at once.
  await tellAll(pool, told);
  await until(() => mailbox.total() >= mailsBefore);
  // One of its batches waits for a slot that somebody holds.
  const held = await holdSlot(pool, swept, draw.between(20, 50));
  worker.tick();
  await held.waitedFor();
  const missed = await missedVisits(pool);

  let answers = 0;
  const booking = bookAll(() => server.url, token, wishes, {
    clients: 4,
    onAnswer() {
      answers += 1;
    },
  });
  await until(() => answers >= answersBefore);
  const acknowledged = wishes.filter(({ appointmentId }) => appointmentId);
  const refused = wishes.filter(({ refusal }) => refusal);
  const mailsAtStrike = mailbox.total();
  process.kill(cluster.pid, 'SIGKILL');
  options.slowMs = 100;
  const struckAt = performance.now();
  const watching = new AbortController();
  onTestFinished(() => watching.abort());
  const reopened = Promise.withResolvers<number>();
  const watched = watchCluster({
    cluster,
    reopen: async () => {
      const again = await openCluster({ dataDir });
      reopened.resolve(performance.now() - struckAt);
      return again;
    },
    signal: watching.signal,
    say: () => {},
  });
  const databaseMs = await reopened.promise;
  const stored = await storedOf(pool, acknowledged);
  expect(missed).toBeGreaterThan(0);
  expect(missed).toBeLessThan(visits);
  expect(mailsAtStrike).toBeLessThan(400);
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(acknowledged.length + refused.length).toBeLessThan(wishes.length);
  for (const { idempotencyKey, appointmentId } of acknowledged)
    expect(stored.get(idempotencyKey)).toBe(appointmentId);

  const since = () => Math.round(performance.now() - struckAt);
  const [sentAtReturn, answersAtReturn] = [await sentMails(pool), answers];
  const [bookingMs, mailMs, sweepMs] = await Promise.all([
    withinAMinute('bookings', () => answers > answersAtReturn && since()),
    withinAMinute('mails', async () => (await sentMails(pool)) > sentAtReturn && since()),
    withinAMinute('sweep', async () => (await missedVisits(pool)) === visits && since()),
  ]);
  const worst = Math.max(databaseMs, bookingMs, mailMs, sweepMs);
  expect(worst).toBeLessThan(60_000);
  await booking;
  // What was on its way at that moment is sent again when its lease of five minutes has lapsed.
  const mailsIn = (status: string) =>
    countOf(
      pool,
      "from app_public.notification_delivery where channel = 'email' and status::text = $1",
      [status],
    );
  await withinAMinute('the rest of the mails', async () => (await mailsIn('pending')) === 0);
  const leased = await mailsIn('sending');
  expect(leased).toBeLessThanOrEqual(200);
  await ageTheDead(pool, 'nobody', '5 minutes');
  const other = await workersAt(place, nextMinute)();
  other.tick();
  await withinAMinute('the mails of the lease', async () => (await mailsIn('sending')) === 0);

  const inDoubt = wishes.filter(({ unanswered, putOff }) => unanswered + putOff > 0);
  expect(inDoubt.length).toBeGreaterThan(0);
  report('database killed', {
    'after mails': mailsAtStrike,
    'visits marked by then': missed,
    'bookings acknowledged by then': acknowledged.length,
    'in doubt': inDoubt.length,
    'mails on their way': leased,
    'the database is back within ms': Math.round(databaseMs),
    'bookings ms': bookingMs,
    'mails ms': mailMs,
    'the sweep is done ms': sweepMs,
  });
  await expectAsAnswered(pool, wishes);
  await expectAllArrived(pool, mailbox);
  await expectAllMissedOnce(pool, visits);
  await expectInvariants(pool);
  // Neither has been started again: they came back by themselves.
  expect(server.process.exitCode).toBeNull();
  expect(worker.process.exitCode).toBeNull();
  watching.abort();
  await watched;
});
