import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import {
  type Appointment,
  book,
  bookers,
  cancel,
  dayCount,
  reschedule,
  slotState,
  transit,
} from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import {
  bookSeries,
  cancelSeries,
  explainSeries,
  occurrencesOf,
  type SeriesWish,
} from '../helpers/requests.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 30 });
const stranger = await openHospital(ownerPool, { horizonDays: 3 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);
/** The first slot of tomorrow and of each week after, 14 slots a day. */
const weekly = [0, 1, 2].map((week) => nth(hospital.slotIds, week * 7 * 14));
const { rows: starts } = await ownerPool.query<{ starts_at: Date }>(
  'select starts_at from app_public.slot where id = $1',
  [weekly[0]],
);
const firstStartsAt = nth(starts, 0).starts_at;
const wish: SeriesWish = { doctorId, firstStartsAt, everyDays: 7, count: 3, patientId };

async function appointmentsOf(db: ClientBase, seriesId: string): Promise<Appointment[]> {
  await asOwner(db);
  const { rows } = await db.query<Appointment>(
    'select * from app_public.appointment where series_id = $1 order by starts_at',
    [seriesId],
  );
  return rows;
}

async function nothingIsLeft(db: ClientBase): Promise<void> {
  await asOwner(db);
  const { rows } = await db.query(
    `select 'series' as what from app_public.appointment_series where hospital_id = $1
     union all select 'occurrence' from app_public.series_occurrence where hospital_id = $1
     union all select 'appointment' from app_public.appointment where hospital_id = $1 and series_id is not null
     union all select 'seat' from app_public.slot where hospital_id = $1 and booked_count > 0 and id <> all ($2)
     union all select 'log' from app_public.audit_entry where hospital_id = $1 and table_name = 'appointment_series'`,
    [hospital.id, weekly],
  );
  expect(rows).toEqual([]);
}

describe('booking', () => {
  test.each(bookers(hospital))('$role books the same visit every week', (actor) =>
    rolledBack(ownerPool, async (db) => {
      const { id, created_by } = await bookSeries(await as(db, actor), { ...wish, reason: 'knee' });
      expect(created_by).toBe(actor.accountId);
      expect(await appointmentsOf(db, id)).toMatchObject(
        weekly.map((slot_id) => ({
          slot_id,
          status: 'scheduled',
          patient_id: patientId,
          reason: 'knee',
        })),
      );
      expect(await occurrencesOf(db, id)).toMatchObject(
        weekly.map((_, index) => ({ number: index + 1, scenario: null, details: null })),
      );
      for (const slot of weekly) {
        expect(await slotState(db, slot)).toMatchObject({ booked_count: 1 });
        expect(await dayCount(db, slot)).toBe(1);
      }
      // Who may see it reads it back.
      await become(db, actor);
      const { rows } = await db.query(
        'select from app_public.series_occurrence where series_id = $1',
        [id],
      );
      expect(rows).toHaveLength(3);
    }),
  );

  test('at the same local time, also after the clocks have changed', () =>
    rolledBack(ownerPool, async (db) => {
      await setClock(db, '2027-03-20T12:00:00Z');
      const berlin = await createHospital(db, { timeZone: 'Europe/Berlin' });
      await generateSlots(db, berlin);
      await become(db, berlin.patient);
      const { id } = await bookSeries(db, {
        doctorId: berlin.doctorIds[0],
        firstStartsAt: '2027-03-22T08:00:00Z',
        everyDays: 7,
        count: 3,
        patientId: nth(berlin.patientIds, 0),
      });
      expect((await occurrencesOf(db, id)).map(({ starts_at }) => starts_at.toISOString())).toEqual(
        ['2027-03-22T08:00:00.000Z', '2027-03-29T07:00:00.000Z', '2027-04-05T07:00:00.000Z'],
      );
      await asOwner(db);
      const { rows } = await db.query<{ time: string }>(
        `select distinct (starts_at at time zone 'Europe/Berlin')::time::text as time
         from app_public.appointment where series_id = $1`,
        [id],
      );
      expect(rows).toEqual([{ time: '09:00:00' }]);
    }));

  test('on days that have no rows yet, which are made real', () =>
    rolledBack(ownerPool, async (db) => {
      const bare = await createHospital(db);
      const { rows } = await db.query<{ starts_at: Date }>(
        `select ((app_private.clock() at time zone $1)::date + 2 + time '10:00') at time zone $1 as starts_at`,
        [bare.timeZone],
      );
      const wanted = {
        doctorId: bare.doctorIds[0],
        firstStartsAt: nth(rows, 0).starts_at,
        everyDays: 2,
        count: 4,
        patientId: nth(bare.patientIds, 0),
      };
      await become(db, bare.patient);
      expect((await explainSeries(db, wanted)).map(({ scenario }) => scenario)).toEqual([
        null,
        null,
        null,
        null,
      ]);
      const { id } = await bookSeries(db, wanted);
      expect(await appointmentsOf(db, id)).toHaveLength(4);
      const { rows: slots } = await db.query(
        'select count(*)::int as count from app_public.slot where hospital_id = $1',
        [bare.id],
      );
      expect(slots).toEqual([{ count: 4 * 14 }]);
    }));

  test('visits that need more than one slot get them', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query("update app_public.service set duration = '1 hour' where id = $1", [
        hospital.serviceId,
      ]);
      await become(db, hospital.receptionist);
      await bookSeries(db, { ...wish, serviceId: hospital.serviceId });
      for (const slot of weekly) {
        const next = nth(hospital.slotIds, hospital.slotIds.indexOf(slot) + 1);
        expect(await slotState(db, next)).toMatchObject({ booked_count: 1 });
        expect(await dayCount(db, slot)).toBe(1);
      }
    }));

  test('the seat of a lapsed hold is one', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.otherPatient);
      await db.query('select app_public.hold_slot($1, $2, gen_random_uuid())', [
        weekly[1],
        otherPatientId,
      ]);
      await moveClock(db, '5 minutes');
      const { id } = await bookSeries(await as(db, hospital.patient), wish);
      expect(await appointmentsOf(db, id)).toHaveLength(3);
    }));
});

describe('all or nothing', () => {
  test('one that cannot be booked refuses all, says of every one, and leaves nothing', () =>
    rolledBack(ownerPool, async (db) => {
      await book(await as(db, hospital.receptionist), {
        slotId: nth(weekly, 1),
        patientId: otherPatientId,
      });
      await become(db, hospital.patient);
      const refusal = await refusalOf(db, () => bookSeries(db, wish));
      expect(refusal).toMatchObject({ code: 'SK409', scenario: 'series_refused' });
      expect(refusal.details.occurrences).toMatchObject([
        { number: 1, scenario: null, details: null },
        { number: 2, scenario: 'slot_booked', details: { violations: [{ rule: 13 }] } },
        { number: 3, scenario: null, details: null },
      ]);
      await nothingIsLeft(db);
    }));

  test.each<[string, (db: ClientBase) => Promise<SeriesWish>, string[]]>([
    [
      'an occurrence beyond the horizon',
      async () => ({ ...wish, count: 6 }),
      ['beyond_booking_horizon'],
    ],
    [
      'an occurrence on a holiday',
      async (db) => {
        await db.query(
          `insert into app_public.holiday (hospital_id, name, date)
           select $1, 'Feast', (starts_at at time zone $3)::date from app_public.slot where id = $2`,
          [hospital.id, weekly[2], hospital.timeZone],
        );
        return wish;
      },
      ['hospital_holiday'],
    ],
    [
      'an occurrence while the patient is elsewhere',
      async (db) => {
        await book(await as(db, hospital.patient), {
          slotId: nth(hospital.otherSlotIds, 7 * 14),
          patientId,
        });
        return wish;
      },
      ['patient_double_booked'],
    ],
    [
      'times at which no slot begins',
      async () => ({ ...wish, firstStartsAt: new Date(firstStartsAt.getTime() + 600_000) }),
      ['slot_not_found', 'slot_not_found', 'slot_not_found'],
    ],
    [
      'a blocked patient',
      async (db) => {
        await db.query(
          "update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'x' where id = $1",
          [patientId],
        );
        return wish;
      },
      ['patient_blocked', 'patient_blocked', 'patient_blocked'],
    ],
  ])('%s', (_, prepare, scenarios) =>
    rolledBack(ownerPool, async (db) => {
      const wanted = await prepare(db);
      await become(db, hospital.patient);
      const told = (await explainSeries(db, wanted)).map(({ scenario }) => scenario);
      const refusal = await refusalOf(db, () => bookSeries(db, wanted));
      expect(refusal.scenario).toBe('series_refused');
      const occurrences = refusal.details.occurrences as { scenario: string | null }[];
      expect(occurrences).toHaveLength(wanted.count);
      const refused = occurrences.map(({ scenario }) => scenario);
      expect([...new Set(refused.filter(Boolean))]).toEqual([...new Set(scenarios)]);
      expect(refused.filter(Boolean).length).toBeGreaterThanOrEqual(scenarios.length);
      // The preview said the same of each.
      expect(told).toEqual(refused);
      await asOwner(db);
      const { rows } = await db.query(
        'select from app_public.appointment_series where hospital_id = $1',
        [hospital.id],
      );
      expect(rows).toEqual([]);
    }),
  );
});

describe('at best effort', () => {
  test('what can be booked is, and each of the others says why not', () =>
    rolledBack(ownerPool, async (db) => {
      await book(await as(db, hospital.receptionist), {
        slotId: nth(weekly, 1),
        patientId: otherPatientId,
      });
      await become(db, hospital.patient);
      const { id } = await bookSeries(db, { ...wish, isAllOrNothing: false });
      expect(await occurrencesOf(db, id)).toMatchObject([
        { number: 1, scenario: null, appointment_id: expect.any(String) },
        { number: 2, scenario: 'slot_booked', appointment_id: null, details: { capacity: 1 } },
        { number: 3, scenario: null, appointment_id: expect.any(String) },
      ]);
      expect((await appointmentsOf(db, id)).map(({ slot_id }) => slot_id)).toEqual([
        weekly[0],
        weekly[2],
      ]);
      expect(await slotState(db, nth(weekly, 1))).toMatchObject({ booked_count: 1 });
    }));

  test('a series of which nothing can be booked is refused', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query('update app_public.doctor set is_available = false where id = $1', [doctorId]);
      await become(db, hospital.patient);
      const attempt = () => bookSeries(db, { ...wish, isAllOrNothing: false });
      expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'series_refused' });
      await nothingIsLeft(db);
    }));
});

describe('a series in doubt', () => {
  test('the same key and request again return the same series, and book nothing more', () =>
    rolledBack(ownerPool, async (db) => {
      const repeated = { ...wish, key: randomUUID() };
      const first = await bookSeries(await as(db, hospital.patient), repeated);
      await db.query("set local time zone 'America/New_York'");
      const second = await bookSeries(db, repeated);
      await db.query("set local time zone 'UTC'");
      expect(second.id).toBe(first.id);
      expect(await appointmentsOf(db, first.id)).toHaveLength(3);
    }));

  test('the same key with anything else, or for anything else, is refused', () =>
    rolledBack(ownerPool, async (db) => {
      const key = randomUUID();
      const bookingKey = randomUUID();
      await become(db, hospital.receptionist);
      await bookSeries(db, { ...wish, key });
      await book(db, { slotId: nth(hospital.slotIds, 5), patientId, key: bookingKey });
      for (const other of [
        { count: 4 },
        { everyDays: 6 },
        { doctorId: otherDoctorId },
        { patientId: otherPatientId },
        { isAllOrNothing: false },
        { reason: 'x' },
        { serviceId: hospital.serviceId },
        { firstStartsAt: new Date(firstStartsAt.getTime() + 1_800_000) },
        { key: bookingKey },
      ]) {
        const attempt = () => bookSeries(db, { ...wish, key, ...other });
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'idempotency_key_reused' });
      }
    }));

  test('a key is required', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      expect(await refusalOf(db, () => bookSeries(db, { ...wish, key: null }))).toMatchObject({
        scenario: 'idempotency_key_required',
      });
    }));
});

describe('who and what', () => {
  test.each([
    [{ everyDays: 0 }, { every_days: expect.any(String) }],
    [{ everyDays: 367 }, { every_days: expect.any(String) }],
    [{ count: 1 }, { occurrence_count: expect.any(String) }],
    [{ count: 53 }, { occurrence_count: expect.any(String) }],
    [{ firstStartsAt: 'infinity' }, { first_starts_at: expect.any(String) }],
  ])('%j is no series', (change, details) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.patient);
      for (const attempt of [
        () => bookSeries(db, { ...wish, ...change }),
        () => explainSeries(db, { ...wish, ...change }),
      ]) {
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'invalid_input', details });
      }
    }),
  );

  test('a patient books and asks for themselves, a doctor with themselves', () =>
    rolledBack(ownerPool, async (db) => {
      for (const [actor, change] of [
        [hospital.patient, { patientId: otherPatientId }],
        [hospital.patient, { patientId: randomUUID() }],
        [hospital.doctor, { doctorId: otherDoctorId }],
        [hospital.doctor, { doctorId: randomUUID() }],
      ] as const) {
        await become(db, actor);
        for (const attempt of [
          () => bookSeries(db, { ...wish, ...change }),
          () => explainSeries(db, { ...wish, ...change }),
        ]) {
          expect(await refusalOf(db, attempt)).toMatchObject({
            code: 'SK403',
            scenario: 'forbidden',
          });
        }
      }
    }));

  test('things of another hospital are not there', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.receptionist);
      for (const [change, scenario] of [
        [{ patientId: nth(stranger.patientIds, 0) }, 'patient_not_found'],
        [{ doctorId: stranger.doctorIds[0] }, 'doctor_not_found'],
        [{ serviceId: stranger.serviceId }, 'service_not_found'],
      ] as const) {
        const attempt = () => bookSeries(db, { ...wish, ...change });
        expect(await refusalOf(db, attempt)).toMatchObject({ code: 'SK404', scenario });
      }
    }));

  test('an appointment is of its own patient’s series only', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await bookSeries(await as(db, hospital.patient), wish);
      await become(db, hospital.otherPatient);
      const attempt = () =>
        db.query(
          `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, series_id)
           values ($1, $2, $3, 'scheduled', $4)`,
          [hospital.id, nth(hospital.slotIds, 3), otherPatientId, id],
        );
      expect(await errorOf(db, attempt)).toMatchObject({ constraint: 'appointment_of_a_series' });
    }));

  test('nobody writes an occurrence that never was', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await bookSeries(await as(db, hospital.patient), { ...wish, count: 3 });
      const other = await book(db, { slotId: nth(hospital.slotIds, 4), patientId });
      for (const [number, appointmentId, doctor] of [
        [4, null, doctorId],
        [3, other.id, doctorId],
        [3, null, otherDoctorId],
      ] as const) {
        const attempt = () =>
          db.query(
            `insert into app_public.series_occurrence
               (hospital_id, series_id, number, patient_id, doctor_id, starts_at, appointment_id, scenario)
             values ($1, $2, $3, $4, $5, now(), $6, case when $6::uuid is null then 'slot_booked' end)`,
            [hospital.id, id, number, patientId, doctor, appointmentId],
          );
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'forbidden' });
      }
    }));
});

describe('cancelling', () => {
  test.each(bookers(hospital))('$role cancels all that is ahead, with its seats', (actor) =>
    rolledBack(ownerPool, async (db) => {
      await db.query("update app_public.service set duration = '1 hour' where id = $1", [
        hospital.serviceId,
      ]);
      const { id } = await bookSeries(await as(db, hospital.receptionist), {
        ...wish,
        serviceId: hospital.serviceId,
      });
      const confirmed = nth(await appointmentsOf(db, id), 1);
      await transit(await as(db, hospital.patient), 'confirm_appointment', confirmed.id);

      const cancelled = await cancelSeries(await as(db, actor), id, 'better');
      expect(cancelled).toHaveLength(3);
      expect(await appointmentsOf(db, id)).toMatchObject(
        weekly.map(() => ({
          status: 'cancelled',
          cancellation_reason: 'better',
          cancelled_by: actor.accountId,
        })),
      );
      await asOwner(db);
      const { rows } = await db.query(
        'select from app_public.slot where hospital_id = $1 and booked_count > 0',
        [hospital.id],
      );
      expect(rows).toEqual([]);
      // Once more there is nothing left to cancel.
      expect(await cancelSeries(await as(db, actor), id)).toEqual([]);
    }),
  );

  test('what has begun or ended stays', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await bookSeries(await as(db, hospital.receptionist), wish);
      const [, second, third] = await appointmentsOf(db, id);
      await cancel(await as(db, hospital.patient), second?.id ?? '', 'on my own');
      await moveClock(db, '2 days');
      await become(db, hospital.receptionist);
      expect((await cancelSeries(db, id)).map((each) => each.id)).toEqual([third?.id]);
      expect(await appointmentsOf(db, id)).toMatchObject([
        { status: 'scheduled' },
        { status: 'cancelled', cancellation_reason: 'on my own' },
        { status: 'cancelled', cancellation_reason: null },
      ]);
    }));

  test('to those who may not see it the series is not there', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await bookSeries(await as(db, hospital.patient), wish);
      for (const actor of [hospital.otherPatient, stranger.admin]) {
        await become(db, actor);
        for (const unknown of [id, randomUUID()]) {
          expect(await refusalOf(db, () => cancelSeries(db, unknown))).toMatchObject({
            code: 'SK404',
            scenario: 'series_not_found',
            details: { series_id: unknown },
          });
        }
      }
    }));

  test('another doctor cancels nothing of it, but what moved to them', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await bookSeries(await as(db, hospital.receptionist), wish);
      await become(db, hospital.otherDoctor);
      expect(await refusalOf(db, () => cancelSeries(db, id))).toMatchObject({
        scenario: 'forbidden',
      });
      const first = nth(await appointmentsOf(db, id), 0);
      await reschedule(
        await as(db, hospital.receptionist),
        first.id,
        nth(hospital.otherSlotIds, 30),
      );
      await become(db, hospital.otherDoctor);
      expect((await cancelSeries(db, id)).map((each) => each.id)).toEqual([first.id]);
    }));
});

test('the preview changes nothing', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    await db.query('set transaction read only');
    const told = await explainSeries(db, wish);
    expect(told).toMatchObject(
      weekly.map((slot_id, index) => ({
        number: index + 1,
        slot_id,
        scenario: null,
        details: null,
      })),
    );
    expect(nth(told, 0).starts_at).toEqual(firstStartsAt);
  }));
