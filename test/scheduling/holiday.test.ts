import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { appointmentIn, book, one, slotState, stored } from '../helpers/booking.ts';
import { beginAtNoon, setClock } from '../helpers/clock.ts';
import {
  cancelAbsence,
  cancelHoliday,
  createAbsence,
  createHoliday,
  dayAhead,
  slotsWhere,
  toldPatients,
} from '../helpers/closures.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
await beginAtNoon(ownerPool);
const hospital = await openHospital(ownerPool, { horizonDays: 5 });
const stranger = await openHospital(ownerPool, { horizonDays: 5 });
const [doctorId] = hospital.doctorIds;

test('a holiday closes the whole hospital for its day; appointments stay and patients are told', () =>
  rolledBack(ownerPool, async (db) => {
    const date = await dayAhead(db, hospital, 1);
    await become(db, hospital.receptionist);
    const visits = [];
    for (const [index, slots] of [hospital.slotIds, hospital.otherSlotIds].entries()) {
      const slotId = nth(slots, index);
      visits.push(await book(db, { slotId, patientId: nth(hospital.patientIds, index) }));
    }
    await appointmentIn(
      db,
      hospital,
      'requested',
      nth(hospital.slotIds, 2),
      nth(hospital.patientIds, 2),
    );
    await become(db, hospital.admin);
    const { holiday_id, change } = await createHoliday(db, { name: 'Founding Day', date });

    expect(change).toMatchObject({
      closed_slots: 28,
      cancelled_appointments: 0,
      notified_patients: 3,
      affected_appointments: [
        { appointment_id: visits[0]?.id, status: 'scheduled', alternatives: [] },
        { appointment_id: visits[1]?.id, status: 'scheduled', alternatives: [] },
        { status: 'requested' },
      ],
    });
    expect(await slotsWhere(db, hospital, `holiday_id = '${holiday_id}'`)).toHaveLength(28);
    expect(await slotsWhere(db, hospital, `holiday_id is null and status = 'blocked'`)).toEqual([]);
    expect(await slotsWhere(db, stranger, 'holiday_id is not null')).toEqual([]);
    for (const { id } of visits)
      expect(await stored(db, id)).toMatchObject({ status: 'scheduled' });
    const told = await toldPatients(db, hospital);
    expect(told.map(({ event, priority }) => [event, priority])).toEqual(
      Array(3).fill(['hospital_closed', 'normal']),
    );
    expect(told[0]?.body).toContain('Founding Day');
  }));

test('a patient with two visits on the day is told of both, and counted once', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const patientId = nth(hospital.patientIds, 0);
    await book(db, { slotId: nth(hospital.slotIds, 0), patientId });
    await book(db, { slotId: nth(hospital.otherSlotIds, 5), patientId });
    const { change } = await createHoliday(db, { date: await dayAhead(db, hospital, 1) });
    expect(change.notified_patients).toBe(1);
    expect(await toldPatients(db, hospital)).toHaveLength(2);
  }));

test('the day is the hospital’s own, from its first instant to its last', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-10-25T00:00:00Z');
    const berlin = await createHospital(db, { timeZone: 'Europe/Berlin', horizonDays: 10 });
    await db.query(
      "update app_public.schedule set start_time = '00:00', end_time = '24:00' where hospital_id = $1",
      [berlin.id],
    );
    await generateSlots(db, berlin);
    await become(db, berlin.admin);
    // The clocks go back that night: 25 hours, one of them a break.
    const { change } = await createHoliday(db, { date: '2027-10-31' });
    expect(change.closed_slots).toBe(2 * 2 * 24);
    const closed = await slotsWhere(db, berlin, 'holiday_id is not null');
    expect(closed[0]).toBe('2027-10-31 00:00');
    expect(closed.at(-1)).toBe('2027-10-31 23:30');
  }));

test('of today only what is still ahead is closed', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-06-01T00:00:00Z');
    const other = await createHospital(db, { horizonDays: 1 });
    await generateSlots(db, other);
    await setClock(db, '2027-06-01T05:40:00Z');
    await become(db, other.admin);
    const { change } = await createHoliday(db, { date: '2027-06-01' });
    expect(change.closed_slots).toBe(20);
    expect((await slotsWhere(db, other, 'holiday_id is not null'))[0]).toBe('2027-06-01 11:00');
  }));

test('a holiday that returns closes each of its days that has slots', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-12-20T00:00:00Z');
    const other = await createHospital(db, { horizonDays: 10 });
    await generateSlots(db, other);
    await db.query("select app_private.cut_slots($1, '2028-12-24', '2028-12-26')", [other.id]);
    await become(db, other.admin);
    const { change } = await createHoliday(db, {
      name: 'Christmas',
      date: '2001-12-25',
      isRecurring: true,
    });
    expect(change.closed_slots).toBe(56);
    const days = await slotsWhere(db, other, 'holiday_id is not null');
    expect([...new Set(days.map((start) => start.slice(0, 10)))]).toEqual([
      '2027-12-25',
      '2028-12-25',
    ]);
  }));

test.each([
  ['2028-02-20', ['2028-02-29']],
  ['2027-02-20', []],
])('29 February closes in leap years only: seen from %s', (today, days) =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, `${today}T00:00:00Z`);
    const other = await createHospital(db, { horizonDays: 15 });
    await generateSlots(db, other);
    await become(db, other.admin);
    await createHoliday(db, { date: '2024-02-29', isRecurring: true });
    const closed = await slotsWhere(db, other, 'holiday_id is not null');
    expect([...new Set(closed.map((start) => start.slice(0, 10)))]).toEqual(days);
  }),
);

test('28 February is a day of every year, leap years too', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2028-02-20T00:00:00Z');
    const other = await createHospital(db, { horizonDays: 15 });
    await generateSlots(db, other);
    await become(db, other.admin);
    expect(
      (await createHoliday(db, { date: '2023-02-28', isRecurring: true })).change.closed_slots,
    ).toBe(28);
    expect((await createHoliday(db, { date: '2028-02-29' })).change.closed_slots).toBe(28);
  }));

test('cancelling opens exactly what the holiday closed', () =>
  rolledBack(ownerPool, async (db) => {
    const date = await dayAhead(db, hospital, 1);
    await become(db, hospital.admin);
    const [booked = '', blocked = ''] = hospital.slotIds;
    await book(db, { slotId: booked, patientId: nth(hospital.patientIds, 0) });
    await db.query("select app_public.block_slot($1, 'cleaning')", [blocked]);
    const hours = { doctorId, firstDay: date, startTime: '14:00', endTime: '17:00' };
    const { absence_id } = await createAbsence(db, hours);
    const { holiday_id, change } = await createHoliday(db, { date });
    expect(change.closed_slots).toBe(28);

    expect(await cancelHoliday(db, holiday_id)).toMatchObject({ opened_slots: 28 - 1 - 6 });
    expect(await slotsWhere(db, hospital, 'holiday_id is not null')).toEqual([]);
    expect(await slotsWhere(db, hospital, "status = 'blocked'")).toHaveLength(7);
    expect(await slotState(db, booked)).toMatchObject({ status: 'booked', booked_count: 1 });
    expect(await slotState(db, blocked)).toMatchObject({ status: 'blocked' });

    const again = await createHoliday(db, { date });
    expect(await cancelAbsence(db, absence_id)).toMatchObject({ opened_slots: 0 });
    expect((await cancelHoliday(db, again.holiday_id)).opened_slots).toBe(27);
  }));

test('a cancelled holiday is final', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const { holiday_id } = await createHoliday(db, { date: await dayAhead(db, hospital, 1) });
    await cancelHoliday(db, holiday_id);
    expect(await refusalOf(db, () => cancelHoliday(db, holiday_id))).toMatchObject({
      code: 'SK409',
      scenario: 'holiday_is_cancelled',
      details: { holiday_id },
    });
    await asOwner(db);
    const revive = () =>
      db.query('update app_public.holiday set is_active = true where id = $1', [holiday_id]);
    expect(await refusalOf(db, revive)).toMatchObject({ scenario: 'holiday_is_cancelled' });
  }));

test('a day is a holiday once; the one in the way is named', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const once = await createHoliday(db, { name: 'Jubilee', date: '2031-05-05' });
    const yearly = await createHoliday(db, {
      name: 'May Day',
      date: '2020-05-01',
      isRecurring: true,
    });
    for (const [wish, other] of [
      [{ date: '2031-05-05' }, once],
      [{ date: '2001-05-05', isRecurring: true }, once],
      [{ date: '2040-05-01' }, yearly],
      [{ date: '2050-05-01', isRecurring: true }, yearly],
    ] as const) {
      expect(await refusalOf(db, () => createHoliday(db, wish))).toMatchObject({
        code: 'SK409',
        scenario: 'holiday_overlaps',
        details: { holiday_id: other.holiday_id },
      });
    }
    await createHoliday(db, { date: '2032-05-05' });
    await cancelHoliday(db, yearly.holiday_id);
    await createHoliday(db, { date: '2040-05-01' });
  }));

test('a single day that has passed, and what is no holiday at all, is refused', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const date = await dayAhead(db, hospital, -1);
    expect(await refusalOf(db, () => createHoliday(db, { date }))).toMatchObject({
      code: 'SK422',
      scenario: 'holiday_in_past',
      details: { date, today: await dayAhead(db, hospital, 0) },
    });
    await createHoliday(db, { date, isRecurring: true });
    for (const [wish, details] of [
      [{ name: '  ', date: '2031-01-01' }, { name: 'is empty or longer than 200 characters' }],
      [{ name: 'x'.repeat(201), date: '2031-01-01' }, { name: expect.any(String) }],
      [{ name: 'x', date: null }, { date: 'is missing' }],
      [{ name: 'x', date: '-infinity', isRecurring: true }, { date: 'is not a day' }],
    ] as const) {
      expect(await refusalOf(db, () => createHoliday(db, wish))).toMatchObject({
        scenario: 'invalid_input',
        details,
      });
    }
  }));

test('receptionists and admins enter and cancel holidays, nobody else', () =>
  rolledBack(ownerPool, async (db) => {
    const date = await dayAhead(db, hospital, 1);
    await become(db, hospital.receptionist);
    const { holiday_id } = await createHoliday(db, { date });
    for (const actor of [hospital.doctor, hospital.nurse, hospital.patient]) {
      await become(db, actor);
      expect((await errorOf(db, () => createHoliday(db, { date: '2031-01-01' }))).code).toBe(
        '42501',
      );
      expect((await errorOf(db, () => cancelHoliday(db, holiday_id))).code).toBe('42501');
      expect(
        await one(db, 'select name from app_public.holiday where id = $1', [holiday_id]),
      ).toEqual({ name: 'Founding Day' });
    }
    await become(db, stranger.admin);
    for (const unknown of [holiday_id, randomUUID()]) {
      expect(await refusalOf(db, () => cancelHoliday(db, unknown))).toMatchObject({
        scenario: 'holiday_not_found',
        details: { holiday_id: unknown },
      });
    }
    await become(db, hospital.admin);
    expect(await cancelHoliday(db, holiday_id)).toMatchObject({ opened_slots: 28 });
  }));

test('a hand in psql meets the same door', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    const date = await dayAhead(db, hospital, 2);
    const { id } = await one<{ id: string }>(
      db,
      `insert into app_public.holiday (hospital_id, name, date, is_active, created_at)
       values ($1, 'By hand', $2, false, '2000-01-01') returning id`,
      [hospital.id, date],
    );
    expect(await slotsWhere(db, hospital, `holiday_id = '${id}'`)).toHaveLength(28);
    for (const change of ["date = '2031-01-01'", 'is_recurring = true']) {
      const attempt = () => db.query(`update app_public.holiday set ${change} where id = $1`, [id]);
      expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'immutable_column' });
    }
    await db.query('update app_public.holiday set is_active = false where id = $1', [id]);
    expect(await slotsWhere(db, hospital, 'holiday_id is not null')).toEqual([]);
  }));

test('a holiday is audited, and told outside in one message', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    await db.query('delete from app_private.outbox');
    await become(db, hospital.admin);
    const { holiday_id } = await createHoliday(db, { date: await dayAhead(db, hospital, 1) });
    await cancelHoliday(db, holiday_id);
    await asOwner(db);
    const { rows: entries } = await db.query(
      `select operation, actor_role, new_state ->> 'is_active' as active
       from app_public.audit_entry where table_name = 'holiday' and record_id = $1 order by id`,
      [holiday_id],
    );
    expect(entries).toEqual([
      { operation: 'insert', actor_role: 'admin', active: 'true' },
      { operation: 'update', actor_role: 'admin', active: 'false' },
    ]);
    const { rows: messages } = await db.query('select topic, key, payload from app_private.outbox');
    const message = { topic: 'slots', key: hospital.id, payload: { doctor_id: null } };
    expect(messages).toEqual([message, message]);
  }));
