import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, become, rolledBack } from '../helpers/actors.ts';
import { transit } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { alertsIn, arrive, raise, start, takeVitals } from './arrivals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const foreign = await openHospital(ownerPool, { horizonDays: 3 });

type Waiting = {
  appointment_id: string;
  patient_name: string;
  doctor_id: string;
  minutes_waited: number;
  stage: string;
  waiting_since: Date;
  due_at: Date | null;
  consultation_id: string | null;
  alerts: { id: string; kind: string; status: string }[];
};

async function room(
  db: ClientBase,
  { doctorId = null, locationId = null, day = null }: Record<string, string | null> = {},
): Promise<Waiting[]> {
  const { rows } = await db.query<Waiting>(
    `select *, to_jsonb(open_alerts) as alerts
     from app_public.waiting_room(doctor_id => $1, location_id => $2, day => $3)`,
    [doctorId, locationId, day],
  );
  return rows;
}

/** Three stages with the first doctor, one patient with the other; 20 minutes after the last arrived. */
async function busyMorning(db: ClientBase) {
  const inside = await arrive(db, hospital, 0, 0);
  await moveClock(db, '4 minutes 30 seconds');
  await start(db, hospital.doctor, inside.id);
  const measured = await arrive(db, hospital, 1, 1);
  await moveClock(db, '10 minutes');
  await takeVitals(db, measured.id);
  const fresh = await arrive(db, hospital, 2, 2);
  await moveClock(db, '10 minutes');
  await become(db, hospital.receptionist);
  const elsewhere = await arrive(db, hospital, 3, 3, hospital.otherSlotIds);
  await moveClock(db, '20 minutes');
  return { inside, measured, fresh, elsewhere };
}

describe('the waiting room', () => {
  test('shows who has arrived and is not done, whoever waits too long first', () =>
    rolledBack(ownerPool, async (db) => {
      const { inside, measured, fresh, elsewhere } = await busyMorning(db);
      await raise(db, hospital);
      const [alert] = (await alertsIn(db, hospital)).filter(
        ({ appointment_id }) => appointment_id === fresh.id,
      );
      await become(db, hospital.nurse);
      const waiting = await room(db);
      expect(waiting).toMatchObject([
        {
          // Came 09:30, vital signs 09:40: due 10:20.
          appointment_id: measured.id,
          patient_name: 'Patient 2',
          stage: 'waiting_for_doctor',
          minutes_waited: 80,
          waiting_since: new Date(measured.starts_at.getTime() + 10 * 60_000),
          due_at: new Date(measured.starts_at.getTime() + 50 * 60_000),
          alerts: [{ kind: 'no_doctor', status: 'active' }],
        },
        {
          appointment_id: fresh.id,
          stage: 'waiting_for_vitals',
          minutes_waited: 50,
          waiting_since: fresh.starts_at,
          due_at: new Date(fresh.starts_at.getTime() + 35 * 60_000),
          alerts: [{ id: alert?.id, kind: 'no_vitals', status: 'active' }],
        },
        {
          appointment_id: elsewhere.id,
          doctor_id: hospital.doctorIds[1],
          stage: 'waiting_for_vitals',
          minutes_waited: 20,
          alerts: [],
        },
        {
          // Waited until the consultation started.
          appointment_id: inside.id,
          stage: 'with_doctor',
          minutes_waited: 4,
          due_at: null,
          consultation_id: expect.any(String),
          alerts: [],
        },
      ]);
    }));

  test('empties: who is done, who goes', () =>
    rolledBack(ownerPool, async (db) => {
      const { measured } = await busyMorning(db);
      await transit(await as(db, hospital.doctor), 'complete_appointment', measured.id);
      const ids = (await room(await as(db, hospital.nurse))).map((each) => each.appointment_id);
      expect(ids).toHaveLength(3);
      expect(ids).not.toContain(measured.id);
    }));

  test('doctors see their own patients only, whatever they ask for', () =>
    rolledBack(ownerPool, async (db) => {
      const { elsewhere } = await busyMorning(db);
      await become(db, hospital.doctor);
      expect(await room(db)).toHaveLength(3);
      expect(await room(db, { doctorId: hospital.doctorIds[1] })).toEqual([]);
      await become(db, hospital.otherDoctor);
      expect(await room(db)).toMatchObject([{ appointment_id: elsewhere.id }]);
      await become(db, { ...hospital.doctor, doctorId: '' });
      expect(await room(db)).toEqual([]);
    }));

  test('is filtered by doctor, location and day', () =>
    rolledBack(ownerPool, async (db) => {
      const { elsewhere } = await busyMorning(db);
      await become(db, hospital.receptionist);
      expect(await room(db, { doctorId: hospital.doctorIds[1] })).toMatchObject([
        { appointment_id: elsewhere.id },
      ]);
      expect(await room(db, { locationId: hospital.locationIds[0] })).toHaveLength(4);
      expect(await room(db, { locationId: hospital.locationIds[1] })).toEqual([]);
      await moveClock(db, '1 day');
      expect(await room(db)).toEqual([]);
      const day = elsewhere.starts_at.toISOString().slice(0, 10);
      expect(await room(db, { day })).toHaveLength(4);
    }));

  test('is that of the own hospital, and of its staff', () =>
    rolledBack(ownerPool, async (db) => {
      await busyMorning(db);
      for (const actor of [foreign.nurse, foreign.admin, foreign.doctor]) {
        expect(await room(await as(db, actor)), actor.role).toEqual([]);
      }
      await become(db, hospital.patient);
      expect((await errorOf(db, () => room(db))).code).toBe('42501');
      await become(db, { ...hospital.nurse, hospitalId: '' });
      expect(await refusalOf(db, () => room(db))).toMatchObject({ scenario: 'not_logged_in' });
    }));
});
