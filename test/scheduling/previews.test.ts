import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { appointmentIn, appointmentStatuses, cancel } from '../helpers/booking.ts';
import { beginAtNoon } from '../helpers/clock.ts';
import {
  absenceTypes,
  ask,
  type CalendarChange,
  createAbsence,
  createHoliday,
  dayAhead,
  everythingOf,
  previewAbsence,
  previewHoliday,
  setAvailability,
} from '../helpers/closures.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

// A preview says what the operation then does, word for word, and leaves no trace.

const { ownerPool } = await createDatabase();
await beginAtNoon(ownerPool);
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const [doctorId] = hospital.doctorIds;

/** An appointment in every state tomorrow, a block by hand, and an absence the day after. */
async function fillCalendar(db: ClientBase): Promise<void> {
  for (const [index, status] of appointmentStatuses.entries()) {
    const slotId = nth(hospital.slotIds, index);
    await appointmentIn(db, hospital, status, slotId, nth(hospital.patientIds, index % 4));
  }
  await become(db, hospital.admin);
  await db.query("select app_public.block_slot($1, 'cleaning')", [nth(hospital.slotIds, 12)]);
  await createAbsence(db, { doctorId, firstDay: await dayAhead(db, hospital, 2) });
}

async function expectSame(
  db: ClientBase,
  preview: () => Promise<CalendarChange>,
  operate: () => Promise<CalendarChange>,
): Promise<CalendarChange> {
  const before = await everythingOf(db, hospital);
  const foreseen = await preview();
  expect(await everythingOf(db, hospital)).toEqual(before);
  expect(await operate()).toEqual(foreseen);
  expect(await everythingOf(db, hospital)).not.toEqual(before);
  return foreseen;
}

const hours = { startTime: '09:15', endTime: '12:45' };

test.each(absenceTypes.flatMap((type) => [{ type }, { type, ...hours }]))(
  'preview_absence: $type $startTime',
  (wish) =>
    rolledBack(ownerPool, async (db) => {
      await fillCalendar(db);
      const absence = { doctorId, firstDay: await dayAhead(db, hospital, 1), ...wish };
      const foreseen = await expectSame(
        db,
        () => previewAbsence(db, absence),
        async () => (await createAbsence(db, absence)).change,
      );
      expect(foreseen.affected_appointments).toHaveLength(6);
      expect(foreseen.affected_appointments[0]?.alternatives).toHaveLength(1);
      expect(foreseen.cancelled_appointments).toBe(wish.type === 'emergency' ? 4 : 0);
    }),
);

test.each([false, true])('preview_holiday: every year %s', (isRecurring) =>
  rolledBack(ownerPool, async (db) => {
    await fillCalendar(db);
    const wish = { date: await dayAhead(db, hospital, 1), isRecurring };
    const foreseen = await expectSame(
      db,
      () => previewHoliday(db, wish),
      async () => (await createHoliday(db, wish)).change,
    );
    expect(foreseen).toMatchObject({ closed_slots: 28, notified_patients: 4 });
  }),
);

test.each([false, true])('preview_doctor_availability: %s', (isAvailable) =>
  rolledBack(ownerPool, async (db) => {
    await fillCalendar(db);
    if (isAvailable) await setAvailability(db, doctorId, false);
    const foreseen = await expectSame(
      db,
      () => ask(db, 'preview_doctor_availability', doctorId, isAvailable),
      () => setAvailability(db, doctorId, isAvailable),
    );
    expect(foreseen.cancelled_appointments).toBe(isAvailable ? 0 : 4);
  }),
);

test.each([
  ['doctor', doctorId, 6],
  ['patient', nth(hospital.patientIds, 0), 2],
] as const)(
  'preview_%s_deactivation lists what stands in the way, until nothing does',
  (who, id, count) =>
    rolledBack(ownerPool, async (db) => {
      await fillCalendar(db);
      await db.query("select set_config('claims.request_id', 'preview', true)");
      const before = await everythingOf(db, hospital);
      const inTheWay = await ask<CalendarChange>(db, `preview_${who}_deactivation`, id);
      expect(await everythingOf(db, hospital)).toEqual(before);
      expect(inTheWay.affected_appointments).toHaveLength(count);
      expect(inTheWay).toMatchObject({ cancelled_appointments: 0, notified_patients: 0 });
      expect(await refusalOf(db, () => ask(db, `deactivate_${who}`, id))).toMatchObject({
        details: { appointment_count: count },
      });

      for (const { appointment_id, status } of inTheWay.affected_appointments) {
        if (status === 'checked_in' || status === 'in_progress') {
          await asOwner(db);
          await db.query("update app_public.appointment set status = 'completed' where id = $1", [
            appointment_id,
          ]);
          await become(db, hospital.admin);
        } else {
          await cancel(db, appointment_id);
        }
      }
      const clear = await ask<CalendarChange>(db, `preview_${who}_deactivation`, id);
      expect(clear.affected_appointments).toEqual([]);
      expect(await ask(db, `deactivate_${who}`, id)).toMatchObject({ is_active: false });
    }),
);

test('a preview is refused as the operation would be', () =>
  rolledBack(ownerPool, async (db) => {
    await fillCalendar(db);
    const [past, taken] = [await dayAhead(db, hospital, -1), await dayAhead(db, hospital, 2)];
    for (const wish of [
      { doctorId, firstDay: past },
      { doctorId, firstDay: taken },
      { doctorId, firstDay: taken, lastDay: past },
    ]) {
      const refusal = await refusalOf(db, () => previewAbsence(db, wish));
      expect(await refusalOf(db, () => createAbsence(db, wish))).toEqual(refusal);
    }
    for (const wish of [{ date: past }, { date: null }]) {
      const refusal = await refusalOf(db, () => previewHoliday(db, wish));
      expect(await refusalOf(db, () => createHoliday(db, wish))).toEqual(refusal);
    }
    await become(db, hospital.otherDoctor);
    const firstDay = await dayAhead(db, hospital, 1);
    expect(await refusalOf(db, () => previewAbsence(db, { doctorId, firstDay }))).toMatchObject({
      scenario: 'forbidden',
    });
    expect(
      await refusalOf(db, () => ask(db, 'preview_doctor_availability', doctorId, false)),
    ).toMatchObject({ scenario: 'forbidden' });
  }));
