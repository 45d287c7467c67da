// Calendar feeds, over HTTP: made by GraphQL, read by programs, gone at once.
import ICAL from 'ical.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../platform/password-hash.ts';
import { committedAs } from '../helpers/actors.ts';
import { cancel, hold, one, reschedule } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { race, untilBlocked } from '../helpers/races.ts';
import { startServer, TEST_CONFIG, type TestServer } from '../helpers/server.ts';
import { bookSlot } from '../notifications/messages.ts';

const PASSWORD = 'four green horses sing';
const { authenticatorUrl, ownerPool } = await createDatabase();
let server: TestServer;
let passwordHash: string;

beforeAll(async () => {
  server = await startServer(authenticatorUrl, {
    config: { ...TEST_CONFIG, trustProxy: 'loopback' },
    mostInAMinute: { calendars: 40, missingCalendars: 10 },
  });
  passwordHash = await hashPassword(PASSWORD);
});
afterEach(() => ownerPool.query('delete from app_private.clock_shift'));
afterAll(() => server.close());

async function open(): Promise<OpenHospital> {
  const hospital = await openHospital(ownerPool, { timeZone: 'Europe/Berlin' });
  await ownerPool.query(
    `insert into app_private.account_secret (hospital_id, account_id, password_hash)
     select hospital_id, id, $2 from app_public.account where hospital_id = $1`,
    [hospital.id, passwordHash],
  );
  return hospital;
}

const login = (hospital: OpenHospital, name: string) =>
  server.login(hospital.slug, `${name}@${hospital.slug}.test`, PASSWORD);

const CREATE = 'mutation { createCalendarFeed(input: {}) { newCalendarFeed { feedId path url } } }';
const REVOKE = `mutation ($feedId: UUID!) {
  revokeCalendarFeed(input: { feedId: $feedId }) { calendarFeed { id revokedAt } } }`;

type Feed = { feedId: string; path: string; url: string };

async function createFeed(token: string): Promise<Feed> {
  const { data, errors } = await server.ask(token, CREATE);
  expect(errors).toEqual([]);
  return (data as { createCalendarFeed: { newCalendarFeed: Feed } }).createCalendarFeed
    .newCalendarFeed;
}

/** Makes a feed in the database, as this person. */
const feedOf = (actor: Actor) =>
  committedAs(ownerPool, actor, (db) =>
    one<{ feed_id: string; path: string }>(db, 'select * from app_public.create_calendar_feed()'),
  );

let lastAddress = 0;
async function read(path: string, headers: Record<string, string> = {}, address?: string) {
  lastAddress += 1;
  const from = address ?? `10.2.${lastAddress >> 8}.${lastAddress & 255}`;
  const response = await fetch(`${server.url}${path}`, {
    headers: { 'x-forwarded-for': from, ...headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

function eventsOf(text: string) {
  return new ICAL.Component(ICAL.parse(text)).getAllSubcomponents('vevent').map((component) => {
    const { sequence, uid, summary, location, startDate } = new ICAL.Event(component);
    const status = component.getFirstPropertyValue('status');
    return {
      id: uid.split('@')[0],
      sequence,
      summary,
      location,
      status,
      start: startDate.toJSDate(),
    };
  });
}

describe('a calendar feed', () => {
  test('is made over GraphQL, told once, and read without a login', async () => {
    const hospital = await open();
    const visit = await bookSlot(ownerPool, hospital, 2);
    const token = await login(hospital, 'patient');
    const feed = await createFeed(token);
    expect(feed.path).toMatch(/^\/calendar\/[\w-]{64}\.ics$/);
    expect(feed.url).toBe(`https://visits.example${feed.path}`);

    const answer = await read(feed.path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/calendar; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('private, max-age=300');
    expect(answer.headers.get('x-robots-tag')).toContain('noindex');
    expect(eventsOf(answer.text)).toEqual([
      {
        id: visit.id,
        sequence: 0,
        summary: 'Appointment with Dr. One',
        location: `Main, ${hospital.slug}`,
        status: 'CONFIRMED',
        start: expect.any(Date),
      },
    ]);

    // Nothing that is stored opens it, and nobody else is told.
    const list = '{ calendarFeeds { nodes { id lastUsedAt revokedAt } } }';
    const { data } = await server.ask(token, list);
    expect(data).toEqual({
      calendarFeeds: {
        nodes: [{ id: feed.feedId, lastUsedAt: expect.any(String), revokedAt: null }],
      },
    });
    const others = await server.ask(await login(hospital, 'patient2'), list);
    expect(others.data).toEqual({ calendarFeeds: { nodes: [] } });
    const { rows } = await ownerPool.query(
      `select to_jsonb(secret)::text || to_jsonb(feed)::text || coalesce((
         select string_agg(to_jsonb(audit_entry)::text, '') from app_public.audit_entry where record_id = feed.id), '') as all
       from app_private.calendar_feed_secret as secret
       join app_public.calendar_feed as feed on feed.id = secret.feed_id where feed.id = $1`,
      [feed.feedId],
    );
    const bytes = Buffer.from(feed.path.slice(10, 74), 'base64url');
    expect(rows[0]?.all).not.toContain(bytes.toString('hex', 16));
    expect(rows[0]?.all).not.toContain(feed.path.slice(10, 74));
  });

  test('shows a patient their own visits, with moves, cancellations and nothing that may come to nothing', async () => {
    const hospital = await open();
    const kept = await bookSlot(ownerPool, hospital, 2);
    const moved = await bookSlot(ownerPool, hospital, 3);
    const gone = await bookSlot(ownerPool, hospital, 4);
    await bookSlot(ownerPool, hospital, 5, 1); // of somebody else
    await committedAs(ownerPool, hospital.receptionist, async (db) => {
      await reschedule(db, moved.id, nth(hospital.slotIds, 20));
      await cancel(db, gone.id);
      const patientId = nth(hospital.patientIds, 0);
      await hold(db, { slotId: nth(hospital.slotIds, 6), patientId });
    });
    await ownerPool.query(
      "update app_public.appointment set reason = 'a secret', notes = 'hidden' where hospital_id = $1",
      [hospital.id],
    );
    const { path } = await feedOf(hospital.patient);
    const { text } = await read(path);
    expect(eventsOf(text).map(({ id, sequence, status }) => [id, sequence, status])).toEqual([
      [kept.id, 0, 'CONFIRMED'],
      [gone.id, 1, 'CANCELLED'],
      [moved.id, 1, 'CONFIRMED'],
    ]);
    expect(text).not.toMatch(/secret|hidden|Patient/);
  });

  test('shows a doctor their calendar with initials, and not that of another doctor', async () => {
    const hospital = await open();
    await ownerPool.query(
      "update app_public.patient set name = '  anna  maria lovelace byron ' where id = $1",
      [hospital.patientIds[0]],
    );
    const visit = await bookSlot(ownerPool, hospital, 2);
    const { path } = await feedOf(hospital.doctor);
    const { text } = await read(path);
    expect(eventsOf(text)).toMatchObject([{ id: visit.id, summary: 'Visit: A. M. L.' }]);
    expect(text.toLowerCase()).not.toMatch(/anna|lovelace|mrn/); // none of them fits into an id
    const other = await feedOf(hospital.otherDoctor);
    expect(eventsOf((await read(other.path)).text)).toEqual([]);
  });

  test('reaches from 30 days ago to the horizon; a cancellation stays 30 days', async () => {
    const hospital = await open();
    const visit = await bookSlot(ownerPool, hospital, 2);
    const gone = await bookSlot(ownerPool, hospital, 100);
    await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, gone.id));
    const { path } = await feedOf(hospital.patient);
    const clock = (shift: string) =>
      ownerPool.query(
        `insert into app_private.clock_shift (shift)
         select starts_at - now() + $2::interval from app_public.appointment where id = $1
         on conflict (is_single) do update set shift = excluded.shift`,
        [visit.id, shift],
      );
    const ids = async () => eventsOf((await read(path)).text).map(({ id }) => id);
    expect(await ids()).toEqual([visit.id, gone.id]);
    await ownerPool.query(
      "update app_public.appointment set cancelled_at = now() - interval '31 days' where id = $1",
      [gone.id],
    );
    expect(await ids()).toEqual([visit.id]);
    await clock('-720 hours');
    expect(await ids()).toContain(visit.id);
    await clock('-768 hours');
    expect(await ids()).not.toContain(visit.id);
    await clock('719 hours');
    expect(await ids()).toContain(visit.id);
    await clock('721 hours');
    expect(await ids()).toEqual([]);
  });

  test('is not sent again to who has it, until something changes', async () => {
    const hospital = await open();
    const visit = await bookSlot(ownerPool, hospital, 2);
    const { path } = await feedOf(hospital.patient);
    const first = await read(path);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const again = await read(path, { 'if-none-match': etag, 'cache-control': 'max-age=0' });
    expect([again.status, again.text]).toEqual([304, '']);
    expect(again.headers.get('etag')).toBe(etag);
    expect(again.headers.get('cache-control')).toBe('private, max-age=300');
    await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, visit.id));
    const changed = await read(path, { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  test('notes when it was used by the hour, outside the audit', async () => {
    const hospital = await open();
    const feed = await feedOf(hospital.patient);
    const usedAt = async () =>
      (
        await ownerPool.query(
          'select last_used_at, xmin from app_public.calendar_feed where id = $1',
          [feed.feed_id],
        )
      ).rows[0];
    expect((await usedAt())?.last_used_at).toBeNull();
    await read(feed.path);
    const first = await usedAt();
    expect(first?.last_used_at).toBeInstanceOf(Date);
    await read(feed.path);
    expect(await usedAt()).toEqual(first);
    await ownerPool.query("insert into app_private.clock_shift (shift) values ('61 minutes')");
    await read(feed.path);
    expect((await usedAt())?.last_used_at).not.toEqual(first?.last_used_at);
    const { rows } = await ownerPool.query(
      'select operation from app_public.audit_entry where record_id = $1',
      [feed.feed_id],
    );
    expect(rows).toEqual([{ operation: 'insert' }]);
  });
});

describe('a calendar that does not answer', () => {
  test('is one and the same 404, whatever the reason', async () => {
    const hospital = await open();
    await bookSlot(ownerPool, hospital, 2);
    const token = await login(hospital, 'patient');
    const revoked = await createFeed(token);
    const deactivated = await feedOf(hospital.otherPatient);
    expect((await read(revoked.path)).status).toBe(200);
    expect((await read(deactivated.path)).status).toBe(200);
    const { data } = await server.ask(token, REVOKE, { feedId: revoked.feedId });
    expect(data).toMatchObject({
      revokeCalendarFeed: { calendarFeed: { revokedAt: expect.any(String) } },
    });
    await ownerPool.query('update app_public.account set is_active = false where id = $1', [
      hospital.otherPatient.accountId,
    ]);
    const unknown = revoked.path.replace(/.{6}\.ics$/, 'AAAAAA.ics');
    const answers = [];
    for (const path of [
      revoked.path,
      deactivated.path,
      unknown,
      '/calendar/x.ics',
      '/calendar/%00.ics',
    ]) {
      const { status, text, headers } = await read(path);
      const told = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date');
      answers.push({ status, text, headers: told });
    }
    expect(answers).toEqual(Array(5).fill(answers[0]));
    expect(answers[0]).toMatchObject({ status: 404, text: 'There is no such calendar.\n' });
  });

  test('of another hospital: a token does not open it there', async () => {
    const [one, other] = [await open(), await open()];
    const { path } = await feedOf(one.patient);
    const bytes = Buffer.from(path.slice(10, 74), 'base64url');
    bytes.write(other.id.replaceAll('-', ''), 0, 'hex');
    expect((await read(`/calendar/${bytes.toString('base64url')}.ics`)).status).toBe(404);
    expect((await read(path)).status).toBe(200);
  });

  test('an account that became another person shows that one, and none when it is of the staff', async () => {
    const hospital = await open();
    const visit = await bookSlot(ownerPool, hospital, 2, 2);
    const { path } = await feedOf(hospital.patient);
    await ownerPool.query('update app_public.account set patient_id = $2 where id = $1', [
      hospital.patient.accountId,
      nth(hospital.patientIds, 2),
    ]);
    expect(eventsOf((await read(path)).text)).toMatchObject([{ id: visit.id }]);

    const ofDoctor = await feedOf(hospital.doctor);
    expect((await read(ofDoctor.path)).status).toBe(200);
    await ownerPool.query(
      "update app_public.account set role = 'nurse', doctor_id = null where id = $1",
      [hospital.doctor.accountId],
    );
    expect((await read(ofDoctor.path)).status).toBe(404);
  });
});

describe('who may', () => {
  test('patients and doctors have feeds; others of the staff do not, nor does who is not logged in', async () => {
    const hospital = await open();
    for (const name of ['nurse', 'reception', 'admin']) {
      const { errors } = await server.ask(await login(hospital, name), CREATE);
      expect(errors[0]?.extensions, name).toMatchObject({ scenario: 'forbidden' });
    }
    const { errors } = await server.ask(null, CREATE);
    expect(errors[0]?.extensions.code).toMatch(/SK40[13]/);
    await createFeed(await login(hospital, 'doctor'));
  });

  test('nobody ends the feed of another but an admin; twice is no change', async () => {
    const hospital = await open();
    const foreign = await open();
    const { feed_id: feedId } = await feedOf(hospital.patient);
    for (const token of [
      await login(hospital, 'patient2'),
      await login(hospital, 'doctor'),
      await login(foreign, 'admin'),
    ]) {
      const { errors } = await server.ask(token, REVOKE, { feedId });
      expect(errors[0]?.extensions).toMatchObject({
        code: 'SK404',
        scenario: 'calendar_feed_not_found',
      });
    }
    const admin = await login(hospital, 'admin');
    const first = await server.ask(admin, REVOKE, { feedId });
    expect(first.errors).toEqual([]);
    expect((await server.ask(admin, REVOKE, { feedId })).data).toEqual(first.data);
  });

  test('five feeds at a time, counted one by one', async () => {
    const hospital = await open();
    const feeds = [];
    for (let count = 0; count < 4; count += 1) feeds.push(await feedOf(hospital.patient));
    await race(ownerPool, async (start) => {
      const [first, second] = [await start(hospital.patient), await start(hospital.patient)];
      const make = 'select * from app_public.create_calendar_feed()';
      await first.db.query(make);
      const waiting = second.db.query(make);
      waiting.catch(() => {});
      await untilBlocked(ownerPool, second.pid, waiting);
      await first.commit();
      await expect(waiting).rejects.toMatchObject({ code: 'SK409' });
    });
    const token = await login(hospital, 'patient');
    const { errors } = await server.ask(token, CREATE);
    expect(errors[0]?.extensions).toMatchObject({
      scenario: 'too_many_calendar_feeds',
      details: { most: 5 },
    });
    await server.ask(token, REVOKE, { feedId: nth(feeds, 0).feed_id });
    await createFeed(token);
  });
});

test('one address is made to wait: who guesses soon, who asks too often later', async () => {
  const hospital = await open();
  const { path } = await feedOf(hospital.patient);
  for (let count = 0; count < 10; count += 1) await read('/calendar/x.ics', {}, '10.8.0.1');
  const guessing = await read(path, {}, '10.8.0.1');
  expect(guessing.status).toBe(429);
  expect(Number(guessing.headers.get('retry-after'))).toBeGreaterThan(0);
  const statuses = [];
  for (let count = 0; count < 41; count += 1)
    statuses.push((await read(path, {}, '10.8.0.2')).status);
  expect(statuses).toEqual([...Array(40).fill(200), 429]);
  expect((await read(path, {}, '10.8.0.3')).status).toBe(200);
});

test('a person who is erased has no feeds, and an export tells of those they had', async () => {
  const hospital = await open();
  const { feed_id, path } = await feedOf(hospital.patient);
  await committedAs(ownerPool, hospital.admin, async (db) => {
    const patientId = nth(hospital.patientIds, 0);
    const { data } = await one<{ data: { calendar_feeds: unknown[] } }>(
      db,
      'select app_public.export_patient($1) as data',
      [patientId],
    );
    expect(data.calendar_feeds).toMatchObject([{ id: feed_id, revoked_at: null }]);
    await one(db, "select * from app_public.erase_patient($1, 'asked to')", [patientId]);
  });
  expect((await read(path)).status).toBe(404);
  const { rows } = await ownerPool.query('select from app_public.calendar_feed where id = $1', [
    feed_id,
  ]);
  expect(rows).toEqual([]);
});
