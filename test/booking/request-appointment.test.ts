import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asAnonymous, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, bookers, cancel, dayCount, hold, slotState, stored } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { accept, notificationsOf, type RequestWish, request } from '../helpers/requests.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const [doctorId, otherDoctorId] = hospital.doctorIds;
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);
const { rows: starts } = await ownerPool.query<{ starts_at: Date }>(
  'select starts_at from app_public.slot where id = $1',
  [slotId],
);
const startsAt = nth(starts, 0).starts_at;
const wish: RequestWish = { doctorId, startsAt, patientId };

/** An instant this many minutes after the start of the first slot. */
const later = (minutes: number) => new Date(startsAt.getTime() + minutes * 60_000);

async function takeTheSlot(db: ClientBase): Promise<void> {
  await book(await as(db, hospital.receptionist), { slotId, patientId: otherPatientId });
}

describe('where a free slot begins', () => {
  test.each(bookers(hospital))('$role books it', (actor) =>
    rolledBack(ownerPool, async (db) => {
      const placed = await request(await as(db, actor), { ...wish, reason: 'cough' });
      expect(placed).toMatchObject({
        status: 'scheduled',
        slot_id: slotId,
        doctor_id: doctorId,
        created_by: actor.accountId,
        reason: 'cough',
      });
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1 });
      expect(await dayCount(db, slotId)).toBe(1);
      expect(await notificationsOf(db, placed.id)).toMatchObject([
        { event: 'appointment_booked', to: 'patient' },
      ]);
    }),
  );

  test('the seat of a lapsed hold is one', () =>
    rolledBack(ownerPool, async (db) => {
      const held = await hold(await as(db, hospital.otherPatient), {
        slotId,
        patientId: otherPatientId,
      });
      await moveClock(db, '5 minutes');
      await become(db, hospital.patient);
      expect(await request(db, wish)).toMatchObject({ status: 'scheduled', slot_id: slotId });
      expect(await stored(db, held.id)).toMatchObject({ status: 'expired' });
    }));

  test('of a day that has no rows yet, the whole day is made real', () =>
    rolledBack(ownerPool, async (db) => {
      const bare = await createHospital(db);
      const { rows } = await db.query<{ starts_at: Date }>(
        `select ((app_private.clock() at time zone $1)::date + 3 + time '09:30') at time zone $1 as starts_at`,
        [bare.timeZone],
      );
      await become(db, bare.patient);
      const placed = await request(db, {
        doctorId: bare.doctorIds[0],
        startsAt: nth(rows, 0).starts_at,
        patientId: nth(bare.patientIds, 0),
      });
      expect(placed.status).toBe('scheduled');
      await asOwner(db);
      const { rows: slots } = await db.query(
        'select count(*)::int as count, sum(booked_count)::int as seats from app_public.slot where hospital_id = $1',
        [bare.id],
      );
      expect(slots).toEqual([{ count: 14, seats: 1 }]);
    }));
});

describe('otherwise a request is left', () => {
  const cases: Record<string, (db: ClientBase) => Promise<RequestWish>> = {
    'where the slot is full': async (db) => {
      await takeTheSlot(db);
      return wish;
    },
    'where the slot is blocked': async (db) => {
      await become(db, hospital.receptionist);
      await db.query("select app_public.block_slot($1, 'cleaning')", [slotId]);
      return wish;
    },
    'where the day is full': async (db) => {
      await book(await as(db, hospital.receptionist), {
        slotId: nth(hospital.slotIds, 3),
        patientId: otherPatientId,
      });
      await asOwner(db);
      await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
        doctorId,
      ]);
      return wish;
    },
    'where the slot is withdrawn': async (db) => {
      await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [slotId]);
      return wish;
    },
    'where none begins': async () => ({ ...wish, startsAt: later(10) }),
    'in the break': async () => ({ ...wish, startsAt: later(4 * 60) }),
    'outside the working hours': async () => ({ ...wish, startsAt: later(-60) }),
    'where the service does not fit': async (db) => {
      await db.query("update app_public.service set duration = '5 hours' where id = $1", [
        hospital.serviceId,
      ]);
      return { ...wish, serviceId: hospital.serviceId };
    },
  };

  test.each(Object.entries(cases))('%s', (_, prepare) =>
    rolledBack(ownerPool, async (db) => {
      const wanted = await prepare(db);
      const before = await slotState(db, slotId);
      await become(db, hospital.patient);
      const placed = await request(db, { ...wanted, reason: 'pain' });

      expect(placed).toMatchObject({
        status: 'requested',
        slot_id: null,
        doctor_id: doctorId,
        patient_id: patientId,
        starts_at: wanted.startsAt,
      });
      expect(await slotState(db, slotId)).toEqual(before);
      expect(await notificationsOf(db, placed.id)).toMatchObject([
        { event: 'request_received', to: 'doctor', body: expect.stringContaining('pain') },
      ]);
    }),
  );

  test('it lasts as long as the service, else as the doctor’s slots', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query("update app_public.service set duration = '20 minutes' where id = $1", [
        hospital.serviceId,
      ]);
      await become(db, hospital.patient);
      const plain = await request(db, { ...wish, startsAt: later(10) });
      expect(plain.ends_at).toEqual(later(40));
      const service = await request(db, {
        ...wish,
        startsAt: later(8 * 60 + 10),
        serviceId: hospital.serviceId,
      });
      expect(service.ends_at).toEqual(later(8 * 60 + 30));
    }));

  test('a client has no say in how long it lasts', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      const { rows } = await db.query<{ length: string }>(
        `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
         values ($1, $2, $3, tstzrange($4, $4::timestamptz + interval '5 hours'), 'requested')
         returning (ends_at - starts_at)::text as length`,
        [hospital.id, doctorId, patientId, later(10)],
      );
      expect(rows).toEqual([{ length: '00:30:00' }]);
    }));
});

describe('what no answer could mend is refused outright', () => {
  const none = randomUUID();
  const cases: Record<
    string,
    | [string, (db: ClientBase) => Promise<RequestWish>]
    | [string, (db: ClientBase) => Promise<RequestWish>, 'staff']
  > = {
    'an unknown patient': [
      'patient_not_found',
      async () => ({ ...wish, patientId: none }),
      'staff',
    ],
    'an inactive patient': [
      'patient_inactive',
      async (db) => {
        await db.query('update app_public.patient set is_active = false where id = $1', [
          patientId,
        ]);
        return wish;
      },
    ],
    'a blocked patient': [
      'patient_blocked',
      async (db) => {
        await db.query(
          "update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'x' where id = $1",
          [patientId],
        );
        return wish;
      },
    ],
    'a patient who is elsewhere then': [
      'patient_double_booked',
      async (db) => {
        await book(await as(db, hospital.patient), {
          slotId: nth(hospital.otherSlotIds, 0),
          patientId,
        });
        return wish;
      },
    ],
    'an unknown doctor': ['doctor_not_found', async () => ({ ...wish, doctorId: none })],
    'a doctor who takes no appointments': [
      'doctor_unavailable',
      async (db) => {
        await db.query('update app_public.doctor set is_available = false where id = $1', [
          doctorId,
        ]);
        return wish;
      },
    ],
    'a doctor who left': [
      'doctor_inactive',
      async (db) => {
        await db.query('update app_public.doctor set is_active = false where id = $1', [doctorId]);
        return wish;
      },
    ],
    'a time that has passed': [
      'slot_in_past',
      async () => ({ ...wish, startsAt: later(-48 * 60) }),
    ],
    'a time beyond the horizon': [
      'beyond_booking_horizon',
      async () => ({ ...wish, startsAt: later(40 * 24 * 60) }),
    ],
    'a holiday': [
      'hospital_holiday',
      async (db) => {
        await db.query(
          `insert into app_public.holiday (hospital_id, name, date)
           values ($1, 'Feast', ($2::timestamptz at time zone $3)::date)`,
          [hospital.id, startsAt, hospital.timeZone],
        );
        return wish;
      },
    ],
    'an absence of the doctor': [
      'doctor_absent',
      async (db) => {
        await db.query(
          `insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day)
           select $1, $2, 'training', day, day from (select ($3::timestamptz at time zone $4)::date as day) as away`,
          [hospital.id, doctorId, startsAt, hospital.timeZone],
        );
        return wish;
      },
    ],
    'a service that is not offered': [
      'service_not_found',
      async () => ({ ...wish, serviceId: randomUUID() }),
    ],
  };

  test.each(Object.entries(cases))('%s', (_, [scenario, prepare, who]) =>
    rolledBack(ownerPool, async (db) => {
      const wanted = await prepare(db);
      await become(db, who === 'staff' ? hospital.receptionist : hospital.patient);
      const refusal = await refusalOf(db, () => request(db, wanted));
      expect(refusal).toMatchObject({ scenario });
      expect(refusal.details.violations).toMatchObject([{ scenario }]);
    }),
  );

  test.each(['infinity', '-infinity', '1066-10-14', '9999-01-01'])('%s is no time', (instant) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      expect(await refusalOf(db, () => request(db, { ...wish, startsAt: instant }))).toMatchObject({
        code: 'SK400',
        scenario: 'invalid_input',
      });
    }),
  );
});

describe('whose request', () => {
  test('a patient does not ask for another, known or not', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      for (const other of [otherPatientId, randomUUID(), nth(stranger.patientIds, 0)]) {
        for (const startingAt of [startsAt, later(10)]) {
          const attempt = () => request(db, { ...wish, patientId: other, startsAt: startingAt });
          expect(await refusalOf(db, attempt)).toMatchObject({
            code: 'SK403',
            scenario: 'forbidden',
            details: {},
          });
        }
      }
    }));

  test('a doctor does not ask another doctor', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.doctor);
      for (const startingAt of [startsAt, later(10)]) {
        const attempt = () =>
          request(db, { ...wish, doctorId: otherDoctorId, startsAt: startingAt });
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'forbidden' });
      }
    }));

  test('doctors and patients of another hospital are not there', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.receptionist);
      for (const [change, scenario] of [
        [{ doctorId: stranger.doctorIds[0] }, 'doctor_not_found'],
        [{ patientId: nth(stranger.patientIds, 0) }, 'patient_not_found'],
      ] as const) {
        expect(await refusalOf(db, () => request(db, { ...wish, ...change }))).toMatchObject({
          code: 'SK404',
          scenario,
        });
      }
      await asOwner(db);
      const { rows } = await db.query(
        'select from app_public.appointment where hospital_id = any ($1)',
        [[hospital.id, stranger.id]],
      );
      expect(rows).toEqual([]);
    }));

  test('nobody asks without a login', () =>
    rolledBack(ownerPool, async (db) => {
      await asAnonymous(db);
      expect(await errorOf(db, () => request(db, wish))).toMatchObject({ code: '42501' });
      await asOwner(db);
      expect(await refusalOf(db, () => request(db, wish))).toMatchObject({
        scenario: 'not_logged_in',
      });
    }));
});

describe('asking twice', () => {
  test('a patient who asked this doctor for this time is told so', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      const first = await request(db, { ...wish, startsAt: later(10) });
      const refusal = await refusalOf(db, () => request(db, { ...wish, startsAt: later(10) }));
      expect(refusal).toMatchObject({
        code: 'SK409',
        scenario: 'request_already_made',
        details: { appointment_id: first.id },
      });
      // Another time, another doctor, another patient are other wishes.
      expect(await request(db, { ...wish, startsAt: later(11) })).toMatchObject({
        status: 'requested',
      });
      expect(
        await request(db, { ...wish, startsAt: later(10), doctorId: otherDoctorId }),
      ).toMatchObject({ status: 'requested' });
      await become(db, hospital.otherPatient);
      expect(
        await request(db, { ...wish, startsAt: later(10), patientId: otherPatientId }),
      ).toMatchObject({ status: 'requested' });
    }));

  test('also when the slot became free meanwhile: the request is still waiting', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await book(await as(db, hospital.receptionist), {
        slotId,
        patientId: otherPatientId,
      });
      const asked = await request(await as(db, hospital.patient), wish);
      await cancel(await as(db, hospital.receptionist), id);
      await become(db, hospital.patient);
      expect(await refusalOf(db, () => request(db, wish))).toMatchObject({
        scenario: 'request_already_made',
        details: { appointment_id: asked.id },
      });
    }));

  test('one that was withdrawn does not count', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      const first = await request(db, { ...wish, startsAt: later(10) });
      await cancel(db, first.id);
      expect(await request(db, { ...wish, startsAt: later(10) })).toMatchObject({
        status: 'requested',
      });
    }));
});

describe('a request in doubt', () => {
  test.each([
    ['scheduled', 0],
    ['requested', 10],
  ] as const)('%s: the same key and request again return the same', (status, minutes) =>
    rolledBack(ownerPool, async (db) => {
      const repeated = { ...wish, startsAt: later(minutes), key: randomUUID() };
      await become(db, hospital.patient);
      const first = await request(db, repeated);
      expect(first.status).toBe(status);
      // The instant counts, not how the session writes it down.
      await db.query("set local time zone 'America/New_York'");
      expect(await request(db, repeated)).toMatchObject({ id: first.id, status });
      await db.query("set local time zone 'UTC'");
      await become(db, hospital.patient);
      await cancel(db, first.id);
      expect(await request(db, repeated)).toMatchObject({ id: first.id, status: 'cancelled' });
    }),
  );

  test('the same key with anything else is another request, and refused', () =>
    rolledBack(ownerPool, async (db) => {
      const key = randomUUID();
      await become(db, hospital.receptionist);
      await request(db, { ...wish, key });
      for (const other of [
        { startsAt: later(30) },
        { doctorId: otherDoctorId },
        { patientId: otherPatientId },
        { reason: 'x' },
        { serviceId: hospital.serviceId },
      ]) {
        expect(await refusalOf(db, () => request(db, { ...wish, key, ...other }))).toMatchObject({
          scenario: 'idempotency_key_reused',
        });
      }
      const booking = () => book(db, { slotId, patientId, key });
      expect(await refusalOf(db, booking)).toMatchObject({ scenario: 'idempotency_key_reused' });
    }));

  test('a key is required', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      expect(await refusalOf(db, () => request(db, { ...wish, key: null }))).toMatchObject({
        scenario: 'idempotency_key_required',
      });
    }));

  test('a replay of a request that was accepted returns the appointment', () =>
    rolledBack(ownerPool, async (db) => {
      const repeated = { ...wish, startsAt: later(5), key: randomUUID() };
      const { id } = await request(await as(db, hospital.patient), repeated);
      await db.query('savepoint asked');
      await become(db, hospital.receptionist);
      // Five minutes into the slot the visit does not fit any more.
      expect(await refusalOf(db, () => accept(db, id))).toMatchObject({
        scenario: 'time_outside_slot',
      });
      await asOwner(db);
      await db.query("update app_public.service set duration = '20 minutes' where id = $1", [
        hospital.serviceId,
      ]);
      const short = {
        ...repeated,
        key: randomUUID(),
        startsAt: later(6),
        serviceId: hospital.serviceId,
      };
      const asked = await request(await as(db, hospital.patient), short);
      await accept(await as(db, hospital.doctor), asked.id);
      await become(db, hospital.patient);
      expect(await request(db, short)).toMatchObject({
        id: asked.id,
        status: 'scheduled',
        starts_at: later(6),
      });
    }));
});
