// Links of messages, over HTTP: what a GET shows and a POST does, and what they refuse.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LinkPurpose, signLink } from '../../platform/link-token.ts';
import { committedAs } from '../helpers/actors.ts';
import { type Appointment, reschedule, setStatus } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { race, untilBlocked } from '../helpers/races.ts';
import { startServer, TEST_CONFIG, type TestServer } from '../helpers/server.ts';
import { bookSlot, LINK_SECRETS, messageAbout, pathOf } from '../notifications/messages.ts';

const { authenticatorUrl, ownerPool, workerUrl } = await createDatabase();
let server: TestServer;
let hospital: OpenHospital;
let lastSlot = 0;

beforeAll(async () => {
  server = await startServer(authenticatorUrl, {
    config: { ...TEST_CONFIG, trustProxy: 'loopback' },
    linkSecrets: LINK_SECRETS,
    mostInAMinute: { links: 30 },
  });
  hospital = await openHospital(ownerPool, { timeZone: 'Asia/Kolkata' });
});
afterEach(() => ownerPool.query('delete from app_private.clock_shift'));
afterAll(() => server.close());

let lastAddress = 0;

type Answer = { status: number; headers: Headers; html: string; title: string };

/** Asks from an address that nobody asked from before, unless told. */
async function ask(method: string, path: string, address?: string): Promise<Answer> {
  lastAddress += 1;
  const from = address ?? `10.1.${lastAddress >> 8}.${lastAddress & 255}`;
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'x-forwarded-for': from },
    redirect: 'manual',
  });
  const html = await response.text();
  const title = /<h1>(.*)<\/h1>/.exec(html)?.[1] ?? '';
  return { status: response.status, headers: response.headers, html, title };
}

/** A visit that was booked for the first patient, with the paths of its message's links. */
async function invited(): Promise<{ visit: Appointment; confirm: string; cancel: string }> {
  lastSlot += 1;
  const visit = await bookSlot(ownerPool, hospital, lastSlot);
  const { links } = await messageAbout(workerUrl, ownerPool, hospital, visit.id);
  return { visit, confirm: pathOf(links.confirm), cancel: pathOf(links.cancel) };
}

async function statusOf({ id }: Appointment): Promise<string> {
  const { rows } = await ownerPool.query(
    'select status from app_public.appointment where id = $1',
    [id],
  );
  return rows[0]?.status;
}

/** A link as we sign them, for a visit as it is now. */
async function pathFor(
  visit: Appointment,
  purpose: LinkPurpose,
  change: { hospitalId?: string; secrets?: typeof LINK_SECRETS } = {},
): Promise<string> {
  const { rows } = await ownerPool.query<{ micros: string }>(
    'select (extract(epoch from starts_at) * 1000000)::bigint as micros from app_public.appointment where id = $1',
    [visit.id],
  );
  const token = signLink(
    {
      purpose,
      hospitalId: change.hospitalId ?? hospital.id,
      appointmentId: visit.id,
      startMicros: BigInt(nth(rows, 0).micros),
    },
    change.secrets ?? LINK_SECRETS,
  );
  return `/visit/${token}`;
}

const INVALID = { status: 404, title: 'This link is not valid any more.' };

describe('a GET', () => {
  test('shows what it is about and a button, and changes nothing however often', async () => {
    const { visit, confirm, cancel } = await invited();
    const before = await ownerPool.query(
      'select xmin, * from app_public.appointment where id = $1',
      [visit.id],
    );
    for (const path of [confirm, cancel, confirm, cancel]) {
      expect((await ask('GET', path)).status).toBe(200);
      expect((await ask('HEAD', path)).status).toBe(200);
    }
    const after = await ownerPool.query(
      'select xmin, * from app_public.appointment where id = $1',
      [visit.id],
    );
    expect(after.rows).toEqual(before.rows);

    const page = await ask('GET', confirm);
    expect(page.title).toBe('Will you come to this appointment?');
    expect(page.html).toContain('<button type="submit">Yes, I will come</button>');
    expect(page.html).toContain('Dr. One');
    expect(page.html).toContain(`Main, ${hospital.slug}`);
    const { rows } = await ownerPool.query(
      "select to_char(starts_at at time zone 'Asia/Kolkata', 'FMDD FMMonth YYYY, HH24:MI') as local from app_public.appointment where id = $1",
      [visit.id],
    );
    expect(page.html).toContain(rows[0]?.local);
    expect(page.html).not.toMatch(/Patient 1|MRN/);
  });

  test('is for nobody to keep, to index, to frame or to tell others of', async () => {
    const { confirm } = await invited();
    for (const path of [confirm, '/visit/nonsense']) {
      const { headers, html } = await ask('GET', path);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-robots-tag')).toContain('noindex');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('etag')).toBeNull();
      expect(headers.get('set-cookie')).toBeNull();
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(html).not.toMatch(/<script|https?:\/\/|<img|<link| on\w+=/);
      expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(html).toContain('name="viewport"');
      expect(html).toContain('prefers-color-scheme: dark');
    }
  });

  test('names are text, whatever is written into them', async () => {
    const nasty = `<img src=x onerror=alert(1)>"'&`;
    const { visit, confirm } = await invited();
    await ownerPool.query('update app_public.doctor set display_name = $2 where id = $1', [
      visit.doctor_id,
      nasty,
    ]);
    const { html } = await ask('GET', confirm);
    await ownerPool.query("update app_public.doctor set display_name = 'Dr. One' where id = $1", [
      visit.doctor_id,
    ]);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;');
    expect(html).not.toContain('<img');
  });
});

describe('a POST', () => {
  test('confirms, and says so when it had been done before', async () => {
    const { visit, confirm, cancel } = await invited();
    expect(await ask('POST', confirm)).toMatchObject({
      status: 200,
      title: 'Thank you. Your appointment is confirmed.',
    });
    expect(await statusOf(visit)).toBe('confirmed');
    for (const method of ['POST', 'GET', 'POST']) {
      const again = await ask(method, confirm);
      expect(again).toMatchObject({ status: 200, title: 'Your appointment is already confirmed.' });
      expect(again.html).not.toContain('<button');
    }
    expect((await ask('GET', cancel)).html).toContain('<button');
  });

  test('cancels once, frees the seat, and tells the doctor', async () => {
    const { visit, confirm, cancel } = await invited();
    expect(await ask('POST', cancel)).toMatchObject({
      status: 200,
      title: 'Your appointment is cancelled.',
    });
    expect(await statusOf(visit)).toBe('cancelled');
    expect(await ask('POST', cancel)).toMatchObject({
      status: 200,
      title: 'Your appointment is already cancelled.',
    });
    const { rows } = await ownerPool.query(
      `select slot.booked_count, appointment.cancellation_cause, appointment.cancelled_by,
         (select count(*)::int from app_public.notification
          where appointment_id = appointment.id and doctor_id is not null and event = 'appointment_cancelled') as told
       from app_public.appointment join app_public.slot on slot.id = appointment.slot_id
       where appointment.id = $1`,
      [visit.id],
    );
    expect(rows).toEqual([
      { booked_count: 0, cancellation_cause: 'patient', cancelled_by: null, told: 1 },
    ]);
    // What a cancelled visit cannot become is refused in the words of the catalog.
    const refused = await ask('POST', confirm);
    expect([refused.status, refused.title]).toEqual(await wordsOf('illegal_transition'));
    expect(await statusOf(visit)).toBe('cancelled');
  });

  test('stands in the audit as the patient, by a link, without an account', async () => {
    const { visit, confirm } = await invited();
    await ask('POST', confirm);
    const { rows } = await ownerPool.query(
      `select actor_role, actor_account_id, request_id, changed_columns ->> 'status' as status
       from app_public.audit_entry where record_id = $1 and operation = 'update'`,
      [visit.id],
    );
    expect(rows).toEqual([
      {
        actor_role: 'patient',
        actor_account_id: null,
        request_id: expect.stringMatching(/^link:[\w-]{36}$/),
        status: 'confirmed',
      },
    ]);
  });

  test('of a link to confirm never cancels, whatever is sent with it', async () => {
    const { visit, confirm } = await invited();
    await fetch(`${server.url}${confirm}?purpose=cancel&action=cancel`, {
      method: 'POST',
      headers: { 'x-forwarded-for': '10.9.9.9' },
      body: new URLSearchParams({ purpose: 'cancel', to_status: 'cancelled' }),
    });
    expect(await statusOf(visit)).toBe('confirmed');
  });

  test('is refused by the state machine when the patient has come already', async () => {
    const { visit, cancel } = await invited();
    await setStatusAs(visit, 'checked_in');
    const refused = await ask('POST', cancel);
    expect([refused.status, refused.title]).toEqual(await wordsOf('illegal_transition'));
    expect(await statusOf(visit)).toBe('checked_in');
    expect((await ask('GET', cancel)).html).not.toContain('<button');
  });

  const setStatusAs = (visit: Appointment, status: 'checked_in') =>
    ownerPool.connect().then(async (db) => {
      try {
        await setStatus(db, visit.id, status);
      } finally {
        db.release();
      }
    });

  async function wordsOf(scenario: string): Promise<[number, string]> {
    const { rows } = await ownerPool.query(
      'select code, message from app_public.error_catalog where scenario = $1',
      [scenario],
    );
    return [Number(String(rows[0]?.code).slice(2)), rows[0]?.message];
  }

  test('waits for a move at the same moment, and then is not for this visit any more', async () => {
    const { visit, cancel } = await invited();
    await race(ownerPool, async (start) => {
      const mover = await start(hospital.receptionist);
      await reschedule(mover.db, visit.id, nth(hospital.slotIds, 100));
      const answer = ask('POST', cancel);
      await untilSomebodyWaits(mover.pid);
      await mover.commit();
      expect(await answer).toMatchObject(INVALID);
    });
    expect(await statusOf(visit)).toBe('scheduled');
  });

  async function untilSomebodyWaits(pid: number): Promise<void> {
    for (;;) {
      const { rows } = await ownerPool.query<{ pid: number }>(
        'select pid from pg_stat_activity where $1 = any (pg_blocking_pids(pid))',
        [pid],
      );
      const [waiting] = rows;
      if (waiting) {
        await untilBlocked(ownerPool, waiting.pid);
        return;
      }
    }
  }
});

describe('a link is not valid', () => {
  const both = async (path: string) => {
    for (const method of ['GET', 'POST']) expect(await ask(method, path)).toMatchObject(INVALID);
  };

  test('once the visit was moved; the link of the new message is', async () => {
    const { visit, confirm, cancel } = await invited();
    await committedAs(ownerPool, hospital.receptionist, (db) =>
      reschedule(db, visit.id, nth(hospital.slotIds, 101)),
    );
    await both(confirm);
    await both(cancel);
    const { links } = await messageAbout(workerUrl, ownerPool, hospital, visit.id);
    expect((await ask('POST', pathOf(links.confirm))).status).toBe(200);
    expect(await statusOf(visit)).toBe('confirmed');
  });

  test('from the start of the visit on, by the clock of the database', async () => {
    const { visit, confirm } = await invited();
    const clock = (before: string) =>
      ownerPool.query(
        `insert into app_private.clock_shift (shift)
         select starts_at - $2::interval - now() from app_public.appointment where id = $1
         on conflict (is_single) do update set shift = excluded.shift`,
        [visit.id, before],
      );
    await clock('0 seconds');
    await both(confirm);
    await clock('1 minute');
    expect((await ask('POST', confirm)).status).toBe(200);
  });

  test('when it was forged, cut, or signed with another key', async () => {
    const { visit, confirm } = await invited();
    const other = [{ kid: 'test', secret: 'another secret of links, which we do not know' }];
    const forged = confirm.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const path of [
      forged,
      confirm.slice(0, -1),
      `${confirm}A`,
      '/visit/x',
      `/visit/${'A'.repeat(150)}`,
      `/visit/${'A'.repeat(5_000)}`,
      '/visit/%00',
      '/visit/%F0%9F%98%80',
      await pathFor(visit, 'confirm', { secrets: other }),
    ]) {
      await both(path);
    }
    expect(await statusOf(visit)).toBe('scheduled');
  });

  test('for a visit of another hospital, even with a good signature', async () => {
    const { visit } = await invited();
    const foreign = await openHospital(ownerPool);
    await both(await pathFor(visit, 'cancel', { hospitalId: foreign.id }));
    expect(await statusOf(visit)).toBe('scheduled');
    expect((await ask('GET', await pathFor(visit, 'cancel'))).status).toBe(200);
  });

  test('when the address is spelled badly or incomplete, without a page of the framework', async () => {
    const broken = await ask('GET', '/visit/%E0%A4%A');
    expect(broken.status).toBeGreaterThanOrEqual(400);
    expect(broken.html).not.toMatch(/at \w+ \(|node_modules/);
    expect((await ask('GET', '/visit/')).status).toBe(404);
    expect((await ask('DELETE', (await invited()).confirm)).status).toBe(404);
  });
});

test('one address is made to wait, others are not', async () => {
  const { visit, cancel } = await invited();
  for (let count = 0; count < 30; count += 1) await ask('GET', '/visit/x', '10.7.0.1');
  const limited = await ask('POST', cancel, '10.7.0.1');
  expect(limited.status).toBe(429);
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(limited.title).toBe('Too many attempts.');
  expect(await statusOf(visit)).toBe('scheduled');
  expect((await ask('POST', cancel, '10.7.0.2')).status).toBe(200);
});
