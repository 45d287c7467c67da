// What goes with a message: the calendar file and the links, as the visit is when it is sent.
import { randomUUID } from 'node:crypto';
import ICAL from 'ical.js';
import { afterEach, describe, expect, test } from 'vitest';
import { readLink } from '../../platform/link-token.ts';
import { withLinks } from '../../worker/transports/attachments.ts';
import { committedAs } from '../helpers/actors.ts';
import { cancel, reschedule, transit } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { bookSlot, LINK_SECRETS, messageAbout, pathOf } from './messages.ts';

const { ownerPool, workerUrl } = await createDatabase();
afterEach(() => ownerPool.query('delete from app_private.clock_shift'));

const messageOf = (hospital: Awaited<ReturnType<typeof openHospital>>, id: string) =>
  messageAbout(workerUrl, ownerPool, hospital, id);

function eventOf(content: string) {
  const component = new ICAL.Component(ICAL.parse(content)).getFirstSubcomponent('vevent');
  if (!component) throw new Error('no event');
  const { sequence, uid, summary, location, startDate } = new ICAL.Event(component);
  const status = component.getFirstPropertyValue('status');
  const names = component.getAllProperties().map(({ name }) => name);
  return { sequence, uid, summary, location, status, start: startDate.toJSDate(), names };
}

describe('a message about a visit', () => {
  test('carries its calendar file, which tells who and where and never why', async () => {
    const hospital = await openHospital(ownerPool, { timeZone: 'Asia/Kolkata' });
    const visit = await bookSlot(ownerPool, hospital, 3);
    await ownerPool.query(
      "update app_public.appointment set reason = 'a secret', notes = 'hidden' where id = $1",
      [visit.id],
    );
    const { attachments, event } = await messageOf(hospital, visit.id);
    expect(event).toBe('appointment_booked');
    expect(attachments).toEqual([
      {
        filename: 'appointment.ics',
        contentType: 'text/calendar; charset=utf-8; method=PUBLISH',
        content: expect.not.stringMatching(/secret|hidden|Patient|MRN/),
      },
    ]);
    expect(eventOf(nth(attachments, 0).content)).toMatchObject({
      sequence: 0,
      uid: `${visit.id}@${hospital.slug}`,
      summary: 'Appointment with Dr. One',
      location: `Main, ${hospital.slug}`,
      status: 'CONFIRMED',
    });
  });

  test('follows a move and a cancellation under one uid', async () => {
    const hospital = await openHospital(ownerPool);
    const visit = await bookSlot(ownerPool, hospital, 3);
    const steps = [eventOf(nth((await messageOf(hospital, visit.id)).attachments, 0).content)];
    for (const slot of [4, 5]) {
      await committedAs(ownerPool, hospital.receptionist, (db) =>
        reschedule(db, visit.id, nth(hospital.slotIds, slot)),
      );
      const message = await messageOf(hospital, visit.id);
      expect(message.event).toBe('appointment_moved');
      steps.push(eventOf(nth(message.attachments, 0).content));
    }
    await committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, visit.id));
    const last = await messageOf(hospital, visit.id);
    expect([last.event, last.links]).toEqual(['appointment_cancelled', {}]);
    steps.push(eventOf(nth(last.attachments, 0).content));
    expect(steps.map(({ sequence, status }) => [sequence, status])).toEqual([
      [0, 'CONFIRMED'],
      [1, 'CONFIRMED'],
      [2, 'CONFIRMED'],
      [3, 'CANCELLED'],
    ]);
    expect(new Set(steps.map(({ uid }) => uid)).size).toBe(1);
    expect(new Set(steps.map(({ start }) => start.getTime())).size).toBe(3);
  });

  test('carries links that the server reads, without a word about the patient', async () => {
    const hospital = await openHospital(ownerPool);
    const visit = await bookSlot(ownerPool, hospital, 3);
    const { links } = await messageOf(hospital, visit.id);
    for (const purpose of ['confirm', 'cancel'] as const) {
      const token = pathOf(links[purpose]).slice('/visit/'.length);
      const read = readLink(token, LINK_SECRETS);
      expect(read).toMatchObject({ purpose, hospitalId: hospital.id, appointmentId: visit.id });
      const patient = nth(hospital.patientIds, 0).replaceAll('-', '');
      expect(Buffer.from(token, 'base64url').toString('hex')).not.toContain(patient);
    }
  });

  test('offers what is still possible: no confirmation twice, nothing once it has begun', async () => {
    const hospital = await openHospital(ownerPool);
    const visit = await bookSlot(ownerPool, hospital, 3);
    await committedAs(ownerPool, hospital.receptionist, (db) =>
      transit(db, 'confirm_appointment', visit.id),
    );
    expect(Object.keys((await messageOf(hospital, visit.id)).links)).toEqual(['cancel']);
    await ownerPool.query(
      'insert into app_private.clock_shift (shift) select starts_at - now() from app_public.appointment where id = $1',
      [visit.id],
    );
    expect((await messageOf(hospital, visit.id)).links).toEqual({});
  });

  test('to a doctor carries neither', async () => {
    const hospital = await openHospital(ownerPool);
    const visit = await bookSlot(ownerPool, hospital, 3);
    await committedAs(ownerPool, hospital.patient, (db) => cancel(db, visit.id));
    expect(await messageOf(hospital, visit.id)).toEqual({
      event: 'appointment_cancelled',
      links: {},
      attachments: [],
    });
  });

  test('of another hospital is none', async () => {
    const hospital = await openHospital(ownerPool);
    const other = await openHospital(ownerPool);
    const visit = await bookSlot(ownerPool, hospital, 3);
    const { rows } = await ownerPool.query(
      `select notification.id from app_public.notification
       cross join lateral app_private.visit_of_notification($2, notification.id)
       where notification.appointment_id = $1`,
      [visit.id, other.id],
    );
    expect(rows).toEqual([]);
    expect(
      (
        await ownerPool.query('select from app_private.visit_of_notification($1, $2)', [
          hospital.id,
          randomUUID(),
        ])
      ).rows,
    ).toEqual([]);
  });
});

test('links stand below the words, each on a line of its own', () => {
  expect(withLinks('Text.', {})).toBe('Text.');
  expect(withLinks('Text.', { confirm: 'https://x/1', cancel: 'https://x/2' })).toBe(
    'Text.\n\nConfirm that you will come:\nhttps://x/1\n\nCancel the appointment:\nhttps://x/2',
  );
});
