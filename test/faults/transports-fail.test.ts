import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { withCircuit } from '../../worker/transports/circuit.ts';
import {
  createEmailTransport,
  type EmailMessage,
  type EmailTransport,
} from '../../worker/transports/email.ts';
import { openTransports, type Transports } from '../../worker/transports/open-transports.ts';
import { createSmsTransport } from '../../worker/transports/sms.ts';
import { refusal, startMailServer } from '../delivery/mail-server.ts';
import type { Queryable } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { startAfresh, until, workFor } from '../worker/workplace.ts';
import { type Mailbox, type MailboxOptions, openMailbox } from './mailbox.ts';
import { drawsFor, report } from './seed.ts';
import {
  countOf,
  expectAllArrived,
  jump,
  openReachableHospital,
  ownDatabase,
  sentMails,
  takeTime,
  tellAll,
  withinAMinute,
} from './world.ts';

takeTime();

const from = 'Hospital <no-reply@hospital.example>';
const restMs = 1_000;

/** As the worker opens them, with a shorter rest after a transport was found away. */
function transportsTo(port: number, smsUrl?: string): Transports {
  const email = createEmailTransport({ url: `smtp://127.0.0.1:${port}`, from });
  const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
  const sms = smsUrl ? createSmsTransport({ url: smsUrl, secret, timeoutMs: 10_000 }) : undefined;
  const transports: Transports = {
    ...openTransports({}),
    email: withCircuit<EmailMessage, EmailTransport>(email, { restMs }),
    sms: sms && withCircuit(sms, { restMs: 60_000 }),
  };
  onTestFinished(() => Promise.all([email.close(), sms?.close()]).then(() => {}));
  return transports;
}

/** A minute and a half goes by, and the minute's sweep with it. */
async function nextMinutes(db: Queryable): Promise<void> {
  await jump(db, '90 seconds');
  await db.query(
    `select graphile_worker.add_job('sweep_deliveries', json_build_object('_cron', json_build_object('ts', $1::text)),
       job_key => 'sweep_deliveries')`,
    [new Date().toISOString()],
  );
}

const untilIdle = (db: Queryable) =>
  withinAMinute(
    'the queue is empty',
    async () =>
      (await countOf(
        db,
        'from graphile_worker.jobs where attempts < max_attempts or locked_at is not null',
      )) === 0,
  );

test('a mail server that refuses connections and comes back: asked seldom, nothing counts as tried, all arrive', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const mails = 120;
  const strikeAt = drawsFor('refusing').between(10, 60);
  const hospital = await openReachableHospital(ownerPool, mails);
  await startAfresh(ownerPool);
  const struck = Promise.withResolvers<void>();
  const options: MailboxOptions = {
    slowMs: 5,
    onTaken(total) {
      if (total !== strikeAt) return;
      // Longer than it stays open: what it takes from here on is not answered, and the rest not sent.
      options.slowMs = 1_000;
      struck.resolve();
    },
  };
  const first = await openMailbox(options);
  await workFor(database.workerUrl, transportsTo(first.port));
  await tellAll(ownerPool, hospital);
  await struck.promise;
  await first.close();
  await untilIdle(ownerPool);
  const before = await sentMails(ownerPool);
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(mails);
  const waiting = () =>
    countOf(
      ownerPool,
      "from app_public.notification_delivery where channel = 'email' and status = 'pending'",
    );
  expect(await waiting()).toBe(mails - before);
  // Those that were being handed over when the lines broke may count one attempt, the rest none.
  const tried = () =>
    countOf(
      ownerPool,
      "from app_public.notification_delivery where status = 'pending' and attempts > 0",
    );
  expect(await tried()).toBeLessThanOrEqual(8);

  const triedBefore = await tried();
  await nextMinutes(ownerPool);
  await untilIdle(ownerPool);
  expect(await waiting()).toBe(mails - before);
  expect(await tried()).toBe(triedBefore);

  const second = await openMailbox({ port: first.port });
  const began = performance.now();
  await until(async () => {
    await nextMinutes(ownerPool);
    await untilIdle(ownerPool);
    return (await sentMails(ownerPool)) === mails;
  });
  report('mail server away', {
    'after mails': strikeAt,
    waited: mails - before,
    'all sent within ms after its return': Math.round(performance.now() - began),
  });
  const taken = new Map(second.taken);
  for (const [id, count] of first.taken) taken.set(id, (taken.get(id) ?? 0) + count);
  await expectAllArrived(ownerPool, { taken });
  expect([...taken.values()].filter((count) => count > 1).length).toBeLessThanOrEqual(8);
  await expectInvariants(ownerPool);
});

test('a mail server that says 451, then 421, for a while: the circuit opens at 421, all arrive once', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const mails = 60;
  const draw = drawsFor('grumbling');
  const [until451, until421] = [draw.between(5, 30), draw.between(31, 50)];
  const hospital = await openReachableHospital(ownerPool, mails);
  await startAfresh(ownerPool);
  const taken: Mailbox['taken'] = new Map();
  let [asked, grumbled, isWell] = [0, 0, false];
  const server = await startMailServer({
    onMailFrom(_address, _session, done) {
      asked += 1;
      if (asked > 4 && asked <= until451) {
        grumbled += 1;
        return done(refusal(451, '4.3.0 try again later'));
      }
      if (asked > until451 && !isWell && asked > until421 - 20) {
        grumbled += 1;
        return done(refusal(421, '4.3.2 going down'));
      }
      done();
    },
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      stream.on('end', () => {
        const id = /^message-id: (.*)$/im.exec(text)?.[1]?.trim() ?? '';
        taken.set(id, (taken.get(id) ?? 0) + 1);
        done();
      });
    },
  });
  const { lines } = await workFor(database.workerUrl, transportsTo(server.port));
  await tellAll(ownerPool, hospital);
  await until(() => lines.some(({ msg }) => msg === 'the transport cannot be reached'));
  await untilIdle(ownerPool);
  const [before, askedBefore] = [await sentMails(ownerPool), asked];
  expect(grumbled).toBeGreaterThan(0);
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(mails);

  // Within its rest nobody asks.
  await nextMinutes(ownerPool);
  await untilIdle(ownerPool);
  expect(asked).toBeLessThanOrEqual(askedBefore + 1);

  isWell = true;
  await until(async () => {
    await nextMinutes(ownerPool);
    await untilIdle(ownerPool);
    return (await sentMails(ownerPool)) === mails;
  });
  report('mail server grumbles', { 'refused for now': grumbled, 'sent before': before });
  await expectAllArrived(ownerPool, { taken });
  expect([...taken.values()].every((count) => count === 1)).toBe(true);
  await expectInvariants(ownerPool);
});

test('a gateway that hangs: mails go out meanwhile, its circuit opens, and its messages wait', async () => {
  const database = await ownDatabase();
  const { ownerPool } = database;
  const people = 60;
  const hospital = await openReachableHospital(ownerPool, people);
  await ownerPool.query(
    "update app_public.patient set phone = '+4930' || replace(medical_record_number, 'MRN-', '1234') where hospital_id = $1",
    [hospital.id],
  );
  await startAfresh(ownerPool);
  let requests = 0;
  const gateway = createServer(() => {
    requests += 1;
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  onTestFinished(() => {
    gateway.closeAllConnections();
    gateway.close();
  });
  const mailbox = await openMailbox();
  const smsUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/`;
  const { lines } = await workFor(database.workerUrl, transportsTo(mailbox.port, smsUrl));
  await ownerPool.query(
    `insert into app_public.notification (hospital_id, patient_id, event, priority, channels, title, body, created_at)
     select hospital_id, id, 'appointment_booked', 'high', '{in_app,email,sms}', 'News', 'Text', app_private.clock()
     from app_public.patient where hospital_id = $1`,
    [hospital.id],
  );
  const isDown = () =>
    lines.some(
      ({ msg, channel }) => msg === 'the transport cannot be reached' && channel === 'sms',
    );
  await until(async () => requests > 0 && (await sentMails(ownerPool)) === people);
  // The mails did not wait for it.
  expect(isDown()).toBe(false);
  await until(isDown);
  await untilIdle(ownerPool);
  const asked = requests;
  expect(asked).toBeLessThanOrEqual(9);
  const waiting = await countOf(
    ownerPool,
    "from app_public.notification_delivery where channel = 'sms' and status = 'pending' and attempts <= 1",
  );
  expect(waiting).toBe(people);

  await nextMinutes(ownerPool);
  await untilIdle(ownerPool);
  expect(requests).toBe(asked);
  report('gateway hangs', { 'mails sent meanwhile': people, 'requests to it': asked });
  await expectAllArrived(ownerPool, mailbox);
  await expectInvariants(ownerPool);
});
