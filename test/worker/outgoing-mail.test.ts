import { expect, test } from 'vitest';
import { createPool } from '../../platform/pool.ts';
import { deliveryOf } from '../../worker/outbox.ts';
import { sendOutgoingMail } from '../../worker/tasks/send-outgoing-mail.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import { keepLog, surroundingsOf } from './workplace.ts';

const { ownerPool, workerUrl } = await createDatabase();

type Sent = { id: string; to: string; subject: string; text: string };
type Outcome = { kind: 'sent' } | { kind: 'rejected' | 'failed'; reason: string };

/** A hospital with one mail to be sent. */
async function withMail(lifetime = '1 hour'): Promise<TestHospital> {
  const hospital = await createHospital(ownerPool);
  await ownerPool.query(
    "select app_private.send_mail($1, 'a@b.test', 'news', 'See {public_url}/x#secret', $2::interval)",
    [hospital.id, lifetime],
  );
  return hospital;
}

async function send({ id }: TestHospital, answer: Outcome | null, sent: Sent[] = []) {
  const { lines, log } = keepLog();
  const pool = createPool({ url: workerUrl, applicationName: 'test-task', log });
  const email = answer && {
    send: async (message: Sent) => {
      sent.push(message);
      return answer;
    },
    close: async () => {},
  };
  try {
    await sendOutgoingMail(
      { hospital_id: id },
      {
        ...surroundingsOf(),
        db: pool,
        log,
        transports: { ...surroundingsOf().transports, email: email ?? undefined },
        links: { publicUrl: 'https://console.test', linkSecrets: [] },
      },
    );
  } finally {
    await pool.end();
  }
  return { lines, sent };
}

async function mailOf({ id }: TestHospital) {
  const { rows } = await ownerPool.query(
    `select id, body, attempts, last_error, sent_at is not null as sent, failed_at is not null as failed,
       round(extract(epoch from next_attempt_at - now()) / 60)::int as wait
     from app_private.outgoing_mail where hospital_id = $1`,
    [id],
  );
  return rows[0];
}

test('a mail is sent once, with the address of the console, under its own id, and keeps no text', async () => {
  const hospital = await withMail();
  const { id } = await mailOf(hospital);
  const { lines, sent } = await send(hospital, { kind: 'sent' });
  await send(hospital, { kind: 'sent' }, sent);
  expect(sent).toEqual([
    {
      id,
      to: 'a@b.test',
      subject: `${hospital.slug}: news`,
      text: 'See https://console.test/x#secret',
    },
  ]);
  expect(await mailOf(hospital)).toMatchObject({ body: '', sent: true, failed: false });
  expect(JSON.stringify(lines)).not.toMatch(/secret|a@b/);
});

test('what fails waits, longer each time, and is given up after ten', async () => {
  const hospital = await withMail();
  const waits: number[] = [];
  for (let attempt = 1; attempt <= 10; attempt++) {
    await send(hospital, { kind: 'failed', reason: 'busy' });
    const mail = await mailOf(hospital);
    waits.push(mail.wait);
    expect(mail).toMatchObject({ attempts: attempt, last_error: 'busy', failed: attempt === 10 });
    await ownerPool.query(
      'update app_private.outgoing_mail set next_attempt_at = now() where hospital_id = $1',
      [hospital.id],
    );
  }
  expect(waits.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  expect(await mailOf(hospital)).toMatchObject({ body: '', sent: false });
});

test('what is rejected is given up at once', async () => {
  const hospital = await withMail();
  await send(hospital, { kind: 'rejected', reason: 'no such address' });
  expect(await mailOf(hospital)).toMatchObject({ body: '', failed: true, attempts: 1 });
});

test('a mail that a worker died with is sent again, after its lease', async () => {
  const hospital = await withMail();
  await ownerPool.query('select app_private.claim_mail($1, 1)', [hospital.id]);
  expect((await send(hospital, { kind: 'sent' })).sent).toEqual([]);
  await ownerPool.query(
    'update app_private.outgoing_mail set next_attempt_at = now() where hospital_id = $1',
    [hospital.id],
  );
  expect((await send(hospital, { kind: 'sent' })).sent).toHaveLength(1);
});

test('without a mail server nothing is sent, that is said, and a stale link is emptied', async () => {
  const [fresh, stale] = [await withMail(), await withMail('-1 minute')];
  const { lines } = await send(fresh, null);
  expect(lines).toMatchObject([{ msg: expect.stringContaining('no mail server') }]);
  expect(await mailOf(fresh)).toMatchObject({ sent: false, failed: false, attempts: 0 });
  await send(stale, null);
  expect(await mailOf(stale)).toMatchObject({ body: '', failed: true });
});

test('the relay adds one job for the mails of a hospital', () => {
  const message = {
    hospital_id: '0196b2a0-0000-7000-8000-000000000000',
    topic: 'mail',
    payload: {},
  };
  const { jobs } = deliveryOf([message, message]);
  expect(jobs).toEqual([
    {
      task: 'send_outgoing_mail',
      payload: { hospital_id: message.hospital_id },
      key: `send_outgoing_mail:${message.hospital_id}`,
    },
  ]);
});
