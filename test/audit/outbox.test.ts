import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, reschedule } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

// What is told outside: that something changed, by its identifiers, and never anything about a person.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 1 });
const [doctorId] = hospital.doctorIds;
const slotId = nth(hospital.slotIds, 0);
const nextSlotId = nth(hospital.slotIds, 1);
const patientId = nth(hospital.patientIds, 0);
/** What webhooks are told of, besides. */
const main = { is_main: true, starts_at: expect.any(String), ends_at: expect.any(String) };

test('every change of an appointment is told with its state, its doctor and its slots', () =>
  rolledBack(ownerPool, async (db) => {
    await empty(db);
    await become(db, hospital.patient);
    const { id } = await book(db, { slotId, patientId, reason: 'a private matter' });
    await reschedule(db, id, nextSlotId, { reason: 'another private matter' });
    await cancel(db, id, 'a third one');

    const all = await messagesOf(db);
    expect(JSON.stringify(all)).not.toMatch(/private|third|Patient/);
    const messages = all.filter(({ topic }) => topic !== 'notification');
    const message = { hospital_id: hospital.id, topic: 'appointment', key: id };
    const payload = { doctor_id: doctorId };
    const booked = { status: 'scheduled', slot_ids: [slotId], from: null, is_moved: false };
    const moved = {
      status: 'scheduled',
      slot_ids: [nextSlotId],
      from: 'scheduled',
      is_moved: true,
    };
    const cancelled = {
      status: 'cancelled',
      slot_ids: [nextSlotId],
      from: 'scheduled',
      is_moved: false,
    };
    expect(messages).toEqual([
      { ...message, payload: { ...payload, ...main, ...booked } },
      { ...message, payload: { ...payload, ...main, ...moved } },
      { ...message, payload: { ...payload, status: 'scheduled', slot_ids: [slotId] } },
      { ...message, topic: 'waitlist', payload },
      { ...message, payload: { ...payload, ...main, ...cancelled } },
    ]);
    expect(JSON.stringify(messages)).not.toContain(patientId);
  }));

test('a move to another doctor is told to those who watch either', () =>
  rolledBack(ownerPool, async (db) => {
    const [, otherDoctorId] = hospital.doctorIds;
    const elsewhere = nth(hospital.otherSlotIds, 2);
    const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
    await empty(db);
    await become(db, hospital.receptionist);
    await reschedule(db, id, elsewhere);
    expect(
      (await messagesOf(db))
        .filter(({ topic }) => topic !== 'notification')
        .map(({ payload }) => payload),
    ).toEqual([
      {
        ...main,
        status: 'scheduled',
        doctor_id: otherDoctorId,
        slot_ids: [elsewhere],
        from: 'scheduled',
        is_moved: true,
      },
      { status: 'scheduled', doctor_id: doctorId, slot_ids: [slotId] },
      { doctor_id: doctorId },
    ]);
  }));

test('a refused booking tells nothing', () =>
  rolledBack(ownerPool, async (db) => {
    await book(await as(db, hospital.patient), { slotId, patientId });
    await empty(db);
    await become(db, hospital.otherPatient);
    await refusalOf(db, () => book(db, { slotId, patientId: nth(hospital.patientIds, 1) }));
    expect(await messagesOf(db)).toEqual([]);
  }));

test('generation tells one message a run, and none when it generated nothing', () =>
  rolledBack(ownerPool, async (db) => {
    const other = await createHospital(db, { horizonDays: 1 });
    await empty(db);
    await generateSlots(db, other);
    await generateSlots(db, other);
    expect(await messagesOf(db)).toEqual([
      { hospital_id: other.id, topic: 'slots', key: other.id, payload: { doctor_id: null } },
    ]);
  }));

test('a slot that is withdrawn or resized by hand is told', () =>
  rolledBack(ownerPool, async (db) => {
    await empty(db);
    await db.query('update app_public.slot set capacity = 2 where id = $1', [slotId]);
    await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [slotId]);
    const message = {
      hospital_id: hospital.id,
      topic: 'slots',
      key: doctorId,
      payload: { doctor_id: doctorId, slot_ids: [slotId] },
    };
    expect(await messagesOf(db)).toEqual([message, message]);
  }));

test('people cannot read the outbox', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [
      hospital.patient,
      hospital.doctor,
      hospital.receptionist,
      hospital.admin,
    ]) {
      await become(db, actor);
      const error = await errorOf(db, () => db.query('select from app_private.outbox'));
      expect(error.code, actor.role).toBe('42501');
    }
  }));

async function empty(db: ClientBase): Promise<void> {
  await asOwner(db);
  await db.query('delete from app_private.outbox');
}

type Message = { hospital_id: string; topic: string; key: string; payload: unknown };

async function messagesOf(db: ClientBase): Promise<Message[]> {
  await asOwner(db);
  const { rows } = await db.query<Message>(
    'select hospital_id, topic, key, payload from app_private.outbox order by id',
  );
  return rows;
}
