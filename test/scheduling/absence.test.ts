import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, aside, asOwner, become, rolledBack } from '../helpers/actors.ts';
import {
  appointmentIn,
  appointmentStatuses,
  book,
  dayCount,
  hold,
  one,
  slotState,
  stored,
} from '../helpers/booking.ts';
import { beginAtNoon, moveClock, setClock } from '../helpers/clock.ts';
import {
  absenceTypes,
  cancelAbsence,
  createAbsence,
  createHoliday,
  dayAhead,
  previewAbsence,
  slotsWhere,
  toldPatients,
} from '../helpers/closures.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, openHospital, slotsAhead } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
await beginAtNoon(ownerPool);
const hospital = await openHospital(ownerPool, { horizonDays: 5 });
const stranger = await openHospital(ownerPool, { horizonDays: 1 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const patientId = nth(hospital.patientIds, 0);

const peaceful = absenceTypes.filter((type) => type !== 'emergency');

test.each(peaceful)(
  '%s closes the slots of its day; appointments stay and patients are told',
  (type) =>
    rolledBack(ownerPool, async (db) => {
      const day = await dayAhead(db, hospital, 1);
      await become(db, hospital.receptionist);
      const { id } = await book(db, { slotId: nth(hospital.slotIds, 0), patientId });

      const { absence_id, change } = await createAbsence(db, { doctorId, type, firstDay: day });

      expect(change).toMatchObject({
        closed_slots: 14,
        opened_slots: 0,
        cancelled_appointments: 0,
        notified_patients: 1,
        affected_appointments: [
          { appointment_id: id, patient_id: patientId, doctor_id: doctorId, status: 'scheduled' },
        ],
      });
      expect(await stored(db, id)).toMatchObject({ status: 'scheduled' });
      expect(await slotState(db, nth(hospital.slotIds, 0))).toMatchObject({
        booked_count: 1,
        status: 'blocked',
      });
      expect(await slotsWhere(db, hospital, `absence_id = '${absence_id}'`)).toHaveLength(14);
      expect(await toldPatients(db, hospital)).toMatchObject([
        { event: 'doctor_absent', priority: 'normal', patient_id: patientId, appointment_id: id },
      ]);
    }),
);

test('an emergency cancels appointments and requests, and gives their seats back', () =>
  rolledBack(ownerPool, async (db) => {
    const day = await dayAhead(db, hospital, 1);
    await become(db, hospital.receptionist);
    const [first, second, third] = [0, 1, 2].map((index) => nth(hospital.slotIds, index));
    const booked = await book(db, { slotId: first ?? '', patientId });
    const held = await hold(db, { slotId: second ?? '', patientId: nth(hospital.patientIds, 1) });
    const requested = await appointmentIn(
      db,
      hospital,
      'requested',
      third ?? '',
      nth(hospital.patientIds, 2),
    );
    const next = await book(await as(db, hospital.receptionist), {
      slotId: nth(hospital.slotIds, 14),
      patientId,
    });

    const { change } = await createAbsence(await as(db, hospital.doctor), {
      doctorId,
      type: 'emergency',
      firstDay: day,
    });

    expect(change).toMatchObject({
      closed_slots: 14,
      cancelled_appointments: 3,
      notified_patients: 3,
      affected_appointments: [
        { appointment_id: booked.id, status: 'scheduled' },
        { appointment_id: held.id, status: 'held' },
        { appointment_id: requested.id, status: 'requested' },
      ],
    });
    for (const { id } of [booked, held, requested]) {
      expect(await stored(db, id)).toMatchObject({
        status: 'cancelled',
        cancellation_reason: 'Auto-cancelled due to doctor emergency',
        cancellation_cause: 'doctor_emergency',
        cancelled_by: hospital.doctor.accountId,
      });
    }
    const emergency = { event: 'doctor_emergency', priority: 'high' };
    expect(await toldPatients(db, hospital)).toMatchObject(
      [0, 1, 2].map((index) => ({ ...emergency, patient_id: nth(hospital.patientIds, index) })),
    );
    expect(await slotState(db, first ?? '')).toMatchObject({ booked_count: 0, status: 'blocked' });
    expect(await dayCount(db, first ?? '')).toBe(0);
    expect(await stored(db, next.id)).toMatchObject({ status: 'scheduled' });
  }));

test('an emergency leaves those who are checked in or in the room, and tells them', () =>
  rolledBack(ownerPool, async (db) => {
    const ids: string[] = [];
    for (const [index, status] of (['checked_in', 'in_progress'] as const).entries()) {
      const slotId = nth(hospital.slotIds, index);
      const { id } = await appointmentIn(
        db,
        hospital,
        status,
        slotId,
        nth(hospital.patientIds, index),
      );
      ids.push(id);
    }
    const { change } = await createAbsence(await as(db, hospital.admin), {
      doctorId,
      type: 'emergency',
      firstDay: await dayAhead(db, hospital, 1),
    });
    expect(change).toMatchObject({ cancelled_appointments: 0, notified_patients: 2 });
    expect(change.affected_appointments.map(({ status }) => status)).toEqual([
      'checked_in',
      'in_progress',
    ]);
    for (const id of ids) expect((await stored(db, id)).status).not.toBe('cancelled');
    expect((await toldPatients(db, hospital)).map(({ event }) => event)).toEqual([
      'doctor_absent',
      'doctor_absent',
    ]);
  }));

test('what has ended is not affected, nor is a hold that has lapsed', () =>
  rolledBack(ownerPool, async (db) => {
    for (const [index, status] of appointmentStatuses.entries()) {
      const slotId = nth(hospital.slotIds, index);
      await appointmentIn(db, hospital, status, slotId, nth(hospital.patientIds, index % 4));
    }
    const wish = { doctorId, firstDay: await dayAhead(db, hospital, 1) };
    const affectedStates = async () => {
      await become(db, hospital.admin);
      const { affected_appointments } = await previewAbsence(db, wish);
      return affected_appointments.map(({ status }) => status);
    };
    const seated = ['scheduled', 'confirmed', 'checked_in', 'in_progress'];
    expect(await affectedStates()).toEqual(['requested', 'held', ...seated]);
    await moveClock(db, '6 minutes');
    expect(await affectedStates()).toEqual(['requested', ...seated]);
  }));

test('a slot is closed when the hours of the absence touch it, and not when they only meet', () =>
  rolledBack(ownerPool, async (db) => {
    const day = await dayAhead(db, hospital, 1);
    await become(db, hospital.receptionist);
    const { change } = await createAbsence(db, {
      doctorId,
      firstDay: day,
      startTime: '10:15',
      endTime: '11:00',
    });
    expect(change.closed_slots).toBe(2);
    expect(await slotsWhere(db, hospital, 'absence_id is not null')).toEqual([
      `${day} 10:00`,
      `${day} 10:30`,
    ]);
  }));

test('a visit that is over before the hours begin is not affected, though its slot is closed', () =>
  rolledBack(ownerPool, async (db) => {
    const short = await one<{ id: string }>(
      db,
      "insert into app_public.service (hospital_id, name, duration) values ($1, 'Short', '10 minutes') returning id",
      [hospital.id],
    );
    await become(db, hospital.receptionist);
    const slotId = nth(hospital.slotIds, 2);
    await book(db, { slotId, patientId, serviceId: short.id });
    const { change } = await createAbsence(db, {
      doctorId,
      type: 'emergency',
      firstDay: await dayAhead(db, hospital, 1),
      startTime: '10:15',
      endTime: '10:30',
    });
    expect(change).toMatchObject({ closed_slots: 1, affected_appointments: [] });
    expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1, status: 'blocked' });
  }));

test('several days close all their slots, and nobody else’s', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const { change } = await createAbsence(db, {
      doctorId,
      firstDay: await dayAhead(db, hospital, 2),
      lastDay: await dayAhead(db, hospital, 4),
    });
    expect(change.closed_slots).toBe(42);
    expect(
      await slotsWhere(db, hospital, `absence_id is not null and doctor_id = '${otherDoctorId}'`),
    ).toEqual([]);
    expect(await slotsWhere(db, hospital, 'absence_id is not null')).toHaveLength(42);
  }));

test('a hand in psql meets the same door: the time follows from the days, whatever is given', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    const day = await dayAhead(db, hospital, 1);
    const absence = await one<Record<string, unknown>>(
      db,
      `insert into app_public.absence (
         hospital_id, doctor_id, type, first_day, last_day, during, status, created_by, created_at, cancelled_at)
       values ($1, $2, 'training', $3, $3, '[2000-01-01, 2000-01-02)', 'cancelled', $4, '2000-01-01', '2000-01-01')
       returning *, lower(during)::text as starts_at, (upper(during) at time zone $5)::text as ends_at`,
      [hospital.id, doctorId, day, hospital.admin.accountId, hospital.timeZone],
    );
    expect(absence).toMatchObject({ status: 'active', created_by: null, cancelled_at: null });
    expect(absence.ends_at).toBe(`${await dayAhead(db, hospital, 2)} 00:00:00`);
    expect(await slotsWhere(db, hospital, 'absence_id is not null')).toHaveLength(14);
  }));

test.each([
  ['2027-03-28', 23],
  ['2027-03-29', 24],
  ['2027-10-31', 25],
])('in Berlin %s is %d hours long, and closed from its first to its last', (day, hours) =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, `${day}T00:00:00Z`.replace(/\d\dT/, '20T'));
    const berlin = await createHospital(db, { timeZone: 'Europe/Berlin' });
    await db.query("update app_public.schedule set start_time = '00:00', end_time = '23:30'");
    await generateSlots(db, berlin);
    await become(db, berlin.admin);
    const { absence_id, change } = await createAbsence(db, {
      doctorId: berlin.doctorIds[0],
      firstDay: day,
    });
    const { length } = await one<{ length: number }>(
      db,
      'select extract(epoch from upper(during) - lower(during))::int / 3600 as length from app_public.absence where id = $1',
      [absence_id],
    );
    expect(length).toBe(hours);
    // An hour of break; the day ends at half past eleven.
    expect(change.closed_slots).toBe((hours - 1) * 2 - 1);
    expect(
      await slotsWhere(
        db,
        berlin,
        `absence_id is null and (starts_at at time zone 'Europe/Berlin')::date = '${day}' and doctor_id = '${berlin.doctorIds[0]}'`,
      ),
    ).toEqual([]);
  }),
);

test('hours that the day does not have are refused', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-03-20T00:00:00Z');
    const berlin = await createHospital(db, { timeZone: 'Europe/Berlin' });
    await become(db, berlin.admin);
    const wish = {
      doctorId: berlin.doctorIds[0],
      firstDay: '2027-03-28',
      startTime: '02:30',
      endTime: '03:00',
    };
    expect(await refusalOf(db, () => createAbsence(db, wish))).toMatchObject({
      scenario: 'invalid_input',
      details: { start_time: 'does not exist on this day: the clocks change' },
    });
    expect(
      await refusalOf(db, () => createAbsence(db, { ...wish, endTime: '02:00' })),
    ).toMatchObject({
      details: { end_time: 'is not after the start time' },
    });
    expect(await createAbsence(db, { ...wish, endTime: '04:00' })).toMatchObject({});
  }));

test('an absence begins today in the hospital’s own zone, or later', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-05-10T13:00:00Z');
    const auckland = await createHospital(db, { timeZone: 'Pacific/Auckland' });
    await become(db, auckland.admin);
    const wish = { doctorId: auckland.doctorIds[0], firstDay: '2027-05-10', lastDay: '2027-05-12' };
    expect(await refusalOf(db, () => createAbsence(db, wish))).toMatchObject({
      code: 'SK422',
      scenario: 'absence_in_past',
      details: { first_day: '2027-05-10', today: '2027-05-11' },
    });
    expect(await createAbsence(db, { ...wish, firstDay: '2027-05-11' })).toMatchObject({});
  }));

test.each<[string, Partial<Parameters<typeof createAbsence>[1]>, Record<string, string>]>([
  [
    'no days',
    { firstDay: null, lastDay: null },
    { first_day: 'is missing', last_day: 'is missing' },
  ],
  [
    'days that end before they begin',
    { lastDay: '2027-01-01' },
    { last_day: 'is before the first day' },
  ],
  [
    'three years',
    { lastDay: '2031-01-01' },
    { last_day: 'is more than two years after the first day' },
  ],
  ['days without end', { lastDay: 'infinity' }, { last_day: 'is not a day' }],
  ['half of the hours', { startTime: '09:00' }, { end_time: 'is missing' }],
  ['the other half', { endTime: '09:00' }, { start_time: 'is missing' }],
  [
    'hours of two days',
    { lastDay: '2028-01-02', startTime: '09:00', endTime: '10:00' },
    { start_time: 'is for hours of one day only' },
  ],
  [
    'hours backwards',
    { startTime: '10:00', endTime: '09:00' },
    { end_time: 'is not after the start time' },
  ],
])('%s are refused, field by field', (_, change, details) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const wish = { doctorId, firstDay: '2028-01-01', ...change };
    expect(await refusalOf(db, () => createAbsence(db, wish))).toMatchObject({
      code: 'SK400',
      scenario: 'invalid_input',
      details,
    });
  }),
);

test('a second absence at the same time is refused and names the first; beside it, it is not', () =>
  rolledBack(ownerPool, async (db) => {
    const [day, next] = [await dayAhead(db, hospital, 1), await dayAhead(db, hospital, 2)];
    await become(db, hospital.receptionist);
    const wish = { doctorId, firstDay: day, startTime: '10:00', endTime: '11:00' };
    const { absence_id } = await createAbsence(db, { ...wish, type: 'training' });
    for (const other of [
      { ...wish, startTime: null, endTime: null },
      { ...wish, startTime: '10:59', endTime: '12:00' },
      { doctorId, firstDay: day, lastDay: next },
    ]) {
      expect(await refusalOf(db, () => createAbsence(db, other))).toMatchObject({
        code: 'SK409',
        scenario: 'absence_overlaps',
        details: { absence_id, type: 'training', first_day: day, start_time: '10:00:00' },
      });
    }
    await createAbsence(db, { ...wish, startTime: '11:00', endTime: '12:00' });
    await createAbsence(db, { ...wish, doctorId: otherDoctorId });
    await cancelAbsence(db, absence_id);
    await createAbsence(db, wish);
  }));

test('cancelling opens exactly what the absence closed', () =>
  rolledBack(ownerPool, async (db) => {
    const day = await dayAhead(db, hospital, 1);
    await become(db, hospital.receptionist);
    const [booked = '', blockedBefore = '', blockedMeanwhile = ''] = hospital.slotIds;
    await book(db, { slotId: booked, patientId });
    await db.query("select app_public.block_slot($1, 'cleaning')", [blockedBefore]);
    const holiday = await createHoliday(db, { date: await dayAhead(db, hospital, 2) });
    const before = await statesOf(db);

    const { absence_id, change } = await createAbsence(db, {
      doctorId,
      firstDay: day,
      lastDay: await dayAhead(db, hospital, 3),
    });
    expect(change.closed_slots).toBe(42);
    await db.query("select app_public.block_slot($1, 'painting')", [blockedMeanwhile]);

    expect(await cancelAbsence(db, absence_id)).toMatchObject({
      closed_slots: 0,
      opened_slots: 42 - 14 - 2,
      affected_appointments: [],
    });
    await db.query('select app_public.unblock_slot($1)', [blockedMeanwhile]);
    expect(await statesOf(db)).toEqual(before);
    expect(await slotsWhere(db, hospital, `holiday_id = '${holiday.holiday_id}'`)).toHaveLength(28);
    expect(await slotState(db, booked)).toMatchObject({ status: 'booked', booked_count: 1 });
  }));

test('a slot that two absences touch stays closed until both are cancelled', () =>
  rolledBack(ownerPool, async (db) => {
    const day = await dayAhead(db, hospital, 1);
    await become(db, hospital.receptionist);
    const hours = (startTime: string, endTime: string) =>
      createAbsence(db, { doctorId, firstDay: day, startTime, endTime });
    const morning = await hours('09:00', '10:15');
    const later = await hours('10:15', '11:00');
    expect([morning.change.closed_slots, later.change.closed_slots]).toEqual([3, 1]);

    expect((await cancelAbsence(db, morning.absence_id)).opened_slots).toBe(2);
    expect(await slotsWhere(db, hospital, 'absence_id is not null')).toEqual([
      `${day} 10:00`,
      `${day} 10:30`,
    ]);
    expect((await cancelAbsence(db, later.absence_id)).opened_slots).toBe(2);
    expect(await slotsWhere(db, hospital, 'absence_id is not null')).toEqual([]);
  }));

test('a cancelled absence is final, and says when and by whom', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const { absence_id } = await createAbsence(db, {
      doctorId,
      firstDay: await dayAhead(db, hospital, 1),
    });
    await cancelAbsence(db, absence_id);
    expect(
      await one(db, 'select * from app_public.absence where id = $1', [absence_id]),
    ).toMatchObject({
      status: 'cancelled',
      cancelled_by: hospital.receptionist.accountId,
      cancelled_at: expect.any(Date),
    });
    expect(await refusalOf(db, () => cancelAbsence(db, absence_id))).toMatchObject({
      code: 'SK409',
      scenario: 'absence_is_cancelled',
      details: { absence_id },
    });
    await asOwner(db);
    const revive = () =>
      db.query("update app_public.absence set status = 'active' where id = $1", [absence_id]);
    expect(await refusalOf(db, revive)).toMatchObject({ scenario: 'absence_is_cancelled' });
  }));

test('an emergency of today touches only what is still ahead', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-06-01T00:00:00Z');
    const other = await createHospital(db, { horizonDays: 1 });
    await generateSlots(db, other);
    const today = await slotsToday(db, other);
    await become(db, other.receptionist);
    const visits = [];
    for (const [number, index] of [0, 4, 5, 8].entries()) {
      visits.push(
        await book(db, { slotId: nth(today, index), patientId: nth(other.patientIds, number) }),
      );
    }
    // 11:10 in Kolkata: the slot of 11:00 has begun.
    await setClock(db, '2027-06-01T05:40:00Z');
    const { absence_id, change } = await ask(db, other.doctorIds[0]);
    expect(change.closed_slots).toBe(10);
    expect(change.affected_appointments.map(({ appointment_id }) => appointment_id)).toEqual(
      visits.slice(1).map(({ id }) => id),
    );
    expect(await stored(db, visits[0]?.id ?? '')).toMatchObject({ status: 'scheduled' });
    expect(
      await one(
        db,
        'select type, first_day::text, start_time, end_time from app_public.absence where id = $1',
        [absence_id],
      ),
    ).toEqual({
      type: 'emergency',
      first_day: '2027-06-01',
      start_time: '11:10:00',
      end_time: '24:00:00',
    });
  }));

test('an emergency may follow an absence of the same morning, and last for days', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-06-01T05:40:00Z');
    const other = await createHospital(db, { horizonDays: 3 });
    await generateSlots(db, other);
    await become(db, other.doctor);
    const [own] = other.doctorIds;
    await createAbsence(db, {
      doctorId: own,
      firstDay: '2027-06-01',
      startTime: '09:00',
      endTime: '11:00',
    });
    const { absence_id, change } = await ask(db, own);
    expect(change.closed_slots).toBe(9);
    await cancelAbsence(db, absence_id);
    expect(await refusalOf(db, () => ask(db, own, '2027-06-03'))).toMatchObject({
      scenario: 'absence_overlaps',
    });
    expect(await refusalOf(db, () => ask(db, own, '2027-05-31'))).toMatchObject({
      scenario: 'invalid_input',
    });
    const [second] = [other.doctorIds[1]];
    await become(db, other.admin);
    expect((await ask(db, second, '2027-06-03')).change.closed_slots).toBe(9 + 28);
  }));

test('who else could take a patient: the same specialty, the same time, a free seat', () =>
  rolledBack(ownerPool, async (db) => {
    const wide = await createHospital(db, { horizonDays: 2, patientCount: 9 });
    const [absent, twin] = wide.doctorIds;
    const colleagues: string[] = [];
    for (let number = 0; number < 6; number += 1) {
      colleagues.push(await addDoctor(db, wide.id, wide.locationIds[0], `Colleague ${number}`));
    }
    const [late = '', away = '', gone = '', unavailable = '', full = '', blocked = ''] = colleagues;
    const surgeon = await addDoctor(db, wide.id, wide.locationIds[0], 'Surgeon');
    await db.query("update app_public.doctor set specialty = 'surgery' where id = $1", [surgeon]);
    // Half an hour of the same stretch, but not from its start.
    await db.query("update app_public.schedule set start_time = '09:15' where doctor_id = $1", [
      late,
    ]);
    await generateSlots(db, wide);
    await db.query('update app_public.doctor set is_active = false where id = $1', [gone]);
    await db.query('update app_public.doctor set is_available = false where id = $1', [
      unavailable,
    ]);
    await db.query(
      "update app_public.slot set blocked_at = now(), blocked_reason = 'x' where doctor_id = $1",
      [blocked],
    );
    const day = await dayAhead(db, wide, 1);
    await become(db, wide.receptionist);
    await createAbsence(db, { doctorId: away, firstDay: day });
    const [slotId = ''] = await slotsAhead(db, wide, absent);
    await book(db, { slotId, patientId: nth(wide.patientIds, 0) });
    await book(db, {
      slotId: nth(await slotsAhead(db, wide, full), 5),
      patientId: nth(wide.patientIds, 1),
    });
    await aside(db, () =>
      db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [full]),
    );

    const { change } = await createAbsence(db, { doctorId: absent, firstDay: day });
    const [twinSlot] = await slotsAhead(db, wide, twin);
    const [lateSlot] = await slotsAhead(db, wide, late);
    expect(change.affected_appointments[0]?.alternatives).toMatchObject([
      { doctor_id: twin, doctor_name: 'Dr. Two', slot_id: twinSlot },
      { doctor_id: late, doctor_name: 'Colleague 0', slot_id: lateSlot },
    ]);
  }));

test('at most five alternatives, those at the same start first', () =>
  rolledBack(ownerPool, async (db) => {
    const wide = await createHospital(db, { horizonDays: 1 });
    for (let number = 1; number <= 7; number += 1) {
      const id = await addDoctor(db, wide.id, wide.locationIds[0], `Colleague ${number}`);
      if (number < 4) {
        await db.query("update app_public.schedule set start_time = '09:15' where doctor_id = $1", [
          id,
        ]);
      }
    }
    await generateSlots(db, wide);
    await become(db, wide.receptionist);
    const [slotId = ''] = await slotsAhead(db, wide);
    await book(db, { slotId, patientId: nth(wide.patientIds, 0) });
    const { change } = await createAbsence(db, {
      doctorId: wide.doctorIds[0],
      firstDay: await dayAhead(db, wide, 1),
    });
    expect(
      change.affected_appointments[0]?.alternatives.map(({ doctor_name }) => doctor_name),
    ).toEqual(['Colleague 4', 'Colleague 5', 'Colleague 6', 'Colleague 7', 'Dr. Two']);
  }));

test('doctors enter and cancel their own absences, receptionists and admins all', () =>
  rolledBack(ownerPool, async (db) => {
    const firstDay = await dayAhead(db, hospital, 1);
    const ids: string[] = [];
    for (const [number, actor] of [
      hospital.doctor,
      hospital.receptionist,
      hospital.admin,
    ].entries()) {
      await become(db, actor);
      const { absence_id } = await createAbsence(db, {
        doctorId,
        firstDay: await dayAhead(db, hospital, number + 1),
      });
      expect(
        await one(db, 'select created_by from app_public.absence where id = $1', [absence_id]),
      ).toEqual({ created_by: actor.accountId });
      ids.push(absence_id);
    }
    await become(db, hospital.otherDoctor);
    expect(await refusalOf(db, () => createAbsence(db, { doctorId, firstDay }))).toMatchObject({
      code: 'SK403',
      scenario: 'forbidden',
    });
    expect(await refusalOf(db, () => cancelAbsence(db, nth(ids, 0)))).toMatchObject({
      code: 'SK403',
      scenario: 'forbidden',
    });
    for (const actor of [hospital.nurse, hospital.patient]) {
      await become(db, actor);
      expect((await errorOf(db, () => createAbsence(db, { doctorId, firstDay }))).code).toBe(
        '42501',
      );
      expect((await errorOf(db, () => cancelAbsence(db, nth(ids, 0)))).code).toBe('42501');
      expect(
        (await errorOf(db, () => db.query('update app_public.slot set absence_id = null'))).code,
      ).toBe('42501');
    }
    await become(db, hospital.doctor);
    expect(await cancelAbsence(db, nth(ids, 1))).toMatchObject({ opened_slots: 14 });
  }));

test('patients do not read why a doctor is away', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    expect((await errorOf(db, () => db.query('select type from app_public.absence'))).code).toBe(
      '42501',
    );
  }));

test('to another hospital an absence or a doctor does not exist', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, stranger.admin);
    const theirs = await createAbsence(db, {
      doctorId: stranger.doctorIds[0],
      firstDay: await dayAhead(db, stranger, 1),
    });
    await become(db, hospital.admin);
    const firstDay = await dayAhead(db, hospital, 1);
    for (const unknown of [stranger.doctorIds[0], randomUUID()]) {
      expect(
        await refusalOf(db, () => createAbsence(db, { doctorId: unknown, firstDay })),
      ).toMatchObject({ scenario: 'doctor_not_found', details: { doctor_id: unknown } });
    }
    for (const unknown of [theirs.absence_id, randomUUID()]) {
      expect(await refusalOf(db, () => cancelAbsence(db, unknown))).toMatchObject({
        scenario: 'absence_not_found',
        details: { absence_id: unknown },
      });
    }
  }));

test('an absence is audited, and told outside in one message', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    await db.query('delete from app_private.outbox');
    await become(db, hospital.doctor);
    const { absence_id } = await createAbsence(db, {
      doctorId,
      firstDay: await dayAhead(db, hospital, 1),
      reason: 'Congress',
    });
    await cancelAbsence(db, absence_id);
    await asOwner(db);
    const { rows: entries } = await db.query(
      `select operation, actor_role, new_state ->> 'status' as status, new_state ->> 'reason' as reason
       from app_public.audit_entry where table_name = 'absence' and record_id = $1 order by id`,
      [absence_id],
    );
    expect(entries).toEqual([
      { operation: 'insert', actor_role: 'doctor', status: 'active', reason: 'Congress' },
      { operation: 'update', actor_role: 'doctor', status: 'cancelled', reason: 'Congress' },
    ]);
    const { rows: messages } = await db.query('select topic, key, payload from app_private.outbox');
    const message = { topic: 'slots', key: doctorId, payload: { doctor_id: doctorId } };
    expect(messages).toEqual([message, message]);
  }));

test('an absence keeps what it was entered with', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.admin);
    const { absence_id } = await createAbsence(db, {
      doctorId,
      firstDay: await dayAhead(db, hospital, 1),
    });
    await asOwner(db);
    for (const change of [
      'last_day = last_day + 1',
      "type = 'emergency'",
      "during = '[2100-01-01, 2100-01-02)'",
      `doctor_id = '${otherDoctorId}'`,
    ]) {
      const attempt = () =>
        db.query(`update app_public.absence set ${change} where id = $1`, [absence_id]);
      expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'immutable_column' });
    }
  }));

function ask(db: ClientBase, doctor: string, lastDay: string | null = null) {
  return one<{ result: Awaited<ReturnType<typeof createAbsence>> }>(
    db,
    'select to_jsonb(result) as result from app_public.declare_emergency($1, $2) as result',
    [doctor, lastDay],
  ).then(({ result }) => result);
}

async function statesOf(db: ClientBase): Promise<unknown> {
  const { rows } = await aside(db, () =>
    db.query(
      'select id, status, booked_count, blocked_at, absence_id, holiday_id, withdrawn_at from app_public.slot order by id',
    ),
  );
  return rows;
}

async function slotsToday(
  db: ClientBase,
  { id, doctorIds }: typeof hospital | Awaited<ReturnType<typeof createHospital>>,
) {
  const { rows } = await db.query<{ id: string }>(
    `select slot.id from app_public.slot
     where hospital_id = $1 and doctor_id = $2 and starts_at < app_private.clock() + interval '18 hours' order by starts_at`,
    [id, doctorIds[0]],
  );
  return rows.map((row) => row.id);
}

async function addDoctor(db: ClientBase, hospitalId: string, locationId: string, name: string) {
  const { id } = await one<{ id: string }>(
    db,
    `insert into app_public.doctor (hospital_id, display_name, specialty) values ($1, $2, 'general medicine') returning id`,
    [hospitalId, name],
  );
  await db.query(
    `insert into app_public.schedule (hospital_id, doctor_id, location_id, weekday, start_time, end_time, break_start, break_end)
     select $1, $2, $3, weekday, '09:00', '17:00', '13:00', '14:00' from generate_series(1, 7) as weekday`,
    [hospitalId, id, locationId],
  );
  return id;
}
