import type { Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { book, cancel, reschedule } from '../helpers/booking.ts';
import { changeTimeZone, replaceSchedule, week } from '../helpers/calendar.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { isLocked, outcomeOf, race, untilBlocked } from '../helpers/races.ts';

// A week that changes while people book in it: whoever comes first is seen by whoever comes second.

const { ownerPool } = await createDatabase();

const mornings = (hospital: OpenHospital) =>
  week({ locationId: hospital.locationIds[0], start: '09:00', end: '12:00' });

/** Tomorrow in the hospital. */
async function tomorrow(hospital: OpenHospital): Promise<string> {
  const { rows } = await ownerPool.query<{ day: string }>(
    'select ((now() at time zone $1)::date + 1)::text as day',
    [hospital.timeZone],
  );
  return rows[0]?.day ?? '';
}

async function slotOf(pool: Pool, slotId: string) {
  const { rows } = await pool.query(
    'select booked_count, is_retired, withdrawn_at is not null as is_withdrawn from app_public.slot where id = $1',
    [slotId],
  );
  return rows[0] as
    | { booked_count: number; is_retired: boolean; is_withdrawn: boolean }
    | undefined;
}

/** A slot of tomorrow afternoon, which mornings have no more, and one of the morning, which stays. */
const afternoon = (hospital: OpenHospital) => nth(hospital.slotIds, 9);
const morning = (hospital: OpenHospital) => nth(hospital.slotIds, 1);

describe('a booking and a change of the same hours', () => {
  test('the booking came first: its slot is kept for it, and its patient is affected', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const from = await tomorrow(hospital);
      const [booking, changing] = [
        await start(hospital.patient),
        await start(hospital.receptionist),
      ];
      const booked = await book(booking.db, {
        slotId: afternoon(hospital),
        patientId: nth(hospital.patientIds, 0),
      });
      const change = replaceSchedule(changing.db, {
        doctorId: hospital.doctorIds[0],
        from,
        rows: mornings(hospital),
      });
      expect(await untilBlocked(ownerPool, changing.pid, change)).toEqual([booking.pid]);
      await booking.commit();
      expect((await change).affected).toMatchObject([{ appointment_id: booked.id }]);
      await changing.commit();
      expect(await slotOf(ownerPool, afternoon(hospital))).toMatchObject({
        booked_count: 1,
        is_retired: true,
      });
      await expectInvariants(ownerPool);
    }));

  test('the booking came first and was undone: its slot goes', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const from = await tomorrow(hospital);
      const [booking, changing] = [
        await start(hospital.patient),
        await start(hospital.receptionist),
      ];
      await book(booking.db, {
        slotId: afternoon(hospital),
        patientId: nth(hospital.patientIds, 0),
      });
      const change = replaceSchedule(changing.db, {
        doctorId: hospital.doctorIds[0],
        from,
        rows: mornings(hospital),
      });
      await untilBlocked(ownerPool, changing.pid, change);
      await booking.end();
      expect((await change).affected).toEqual([]);
      await changing.commit();
      expect(await slotOf(ownerPool, afternoon(hospital))).toBeUndefined();
      await expectInvariants(ownerPool);
    }));

  test.each([
    ['goes', afternoon, 'slot_not_found'],
    ['stays', morning, 'done'],
  ] as const)(
    'the change came first: a booking of a slot that %s waits, and then sees it',
    (_, which, outcome) =>
      race(ownerPool, async (start) => {
        const hospital = await openHospital(ownerPool, { horizonDays: 3 });
        const from = await tomorrow(hospital);
        const [booking, changing] = [
          await start(hospital.patient),
          await start(hospital.receptionist),
        ];
        await replaceSchedule(changing.db, {
          doctorId: hospital.doctorIds[0],
          from,
          rows: mornings(hospital),
        });
        const attempt = book(booking.db, {
          slotId: which(hospital),
          patientId: nth(hospital.patientIds, 0),
        });
        expect(await untilBlocked(ownerPool, booking.pid, attempt)).toEqual([changing.pid]);
        await changing.commit();
        expect(await outcomeOf(attempt)).toBe(outcome);
        await (outcome === 'done' ? booking.commit() : booking.end());
        await expectInvariants(ownerPool);
      }),
  );

  test('the last one leaves while the hours change: the slot goes with them', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const from = await tomorrow(hospital);
      const { id } = await committedAs(ownerPool, hospital.patient, (db) =>
        book(db, { slotId: afternoon(hospital), patientId: nth(hospital.patientIds, 0) }),
      );
      const [leaving, changing] = [
        await start(hospital.patient),
        await start(hospital.receptionist),
      ];
      await replaceSchedule(changing.db, {
        doctorId: hospital.doctorIds[0],
        from,
        rows: mornings(hospital),
      });
      const attempt = cancel(leaving.db, id);
      expect(await untilBlocked(ownerPool, leaving.pid, attempt)).toEqual([changing.pid]);
      await changing.commit();
      expect(await outcomeOf(attempt)).toBe('done');
      await leaving.commit();
      expect(await slotOf(ownerPool, afternoon(hospital))).toEqual({
        booked_count: 0,
        is_retired: true,
        is_withdrawn: true,
      });
      await expectInvariants(ownerPool);
    }));

  test('slots are locked by id, the calendar before them: a booking elsewhere in between goes on', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const from = await tomorrow(hospital);
      const ids = [...hospital.slotIds].sort();
      const [first, last] = [nth(ids, 0), nth(ids, ids.length - 1)];
      const [inTheWay, changing, generating] = [
        await start(),
        await start(hospital.receptionist),
        await start(),
      ];
      await inTheWay.db.query('select from app_public.slot where id = $1 for no key update', [
        first,
      ]);
      const change = replaceSchedule(changing.db, {
        doctorId: hospital.doctorIds[0],
        from,
        rows: mornings(hospital),
      });
      expect(await untilBlocked(ownerPool, changing.pid, change)).toEqual([inTheWay.pid]);
      expect(await isLocked(ownerPool, { table: 'slot', where: { id: last } })).toBe(false);
      // Another generation of this doctor waits for the calendar, that of the other one does not.
      const other = generating.db.query('select app_private.cut_slots($1, $2, $2, $3)', [
        hospital.id,
        from,
        hospital.doctorIds[1],
      ]);
      await other;
      const same = generating.db.query('select app_private.cut_slots($1, $2, $2, $3)', [
        hospital.id,
        from,
        hospital.doctorIds[0],
      ]);
      expect(await untilBlocked(ownerPool, generating.pid, same)).toEqual([changing.pid]);
      await inTheWay.end();
      await change;
      await changing.commit();
      await same;
      await generating.commit();
      await expectInvariants(ownerPool);
    }));
});

describe('two who change', () => {
  test('the same week come in turn: the second replaces what the first has made', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const from = await tomorrow(hospital);
      const [first, second] = [await start(hospital.receptionist), await start(hospital.admin)];
      const doctorId = hospital.doctorIds[0];
      await replaceSchedule(first.db, { doctorId, from, rows: mornings(hospital) });
      const attempt = replaceSchedule(second.db, {
        doctorId,
        from,
        rows: week({ locationId: hospital.locationIds[1], start: '20:00', end: '21:00' }),
      });
      expect(await untilBlocked(ownerPool, second.pid, attempt)).toEqual([first.pid]);
      await first.commit();
      expect(await attempt).toMatchObject({ deleted_slots: 3 * 6, generated_slots: 3 * 2 });
      await second.commit();
      await expectInvariants(ownerPool);
    }));

  test('a day that two want at once is made real once', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      await ownerPool.query(
        'update app_public.hospital set booking_horizon_days = 9 where id = $1',
        [hospital.id],
      );
      const [first, second] = [await start(hospital.patient), await start(hospital.otherPatient)];
      const materialise = `select app_private.materialise_day($1, $2, (now() at time zone $3)::date + 6) as count`;
      const values = [hospital.id, hospital.doctorIds[0], hospital.timeZone];
      expect((await first.db.query(materialise, values)).rows).toEqual([{ count: 14 }]);
      const attempt = second.db.query(materialise, values);
      expect(await untilBlocked(ownerPool, second.pid, attempt)).toEqual([first.pid]);
      await first.commit();
      expect((await attempt).rows).toEqual([{ count: 0 }]);
      await second.commit();
      await expectInvariants(ownerPool);
    }));
});

describe('the zone changes while people book', () => {
  test('a booking that waited counts in the new local day', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const { id } = await committedAs(ownerPool, hospital.patient, (db) =>
        book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
      );
      const [changing, leaving] = [await start(hospital.admin), await start(hospital.patient)];
      await changeTimeZone(changing.db, 'Pacific/Honolulu');
      const attempt = cancel(leaving.db, id);
      expect(await untilBlocked(ownerPool, leaving.pid, attempt)).toEqual([changing.pid]);
      await changing.commit();
      expect(await outcomeOf(attempt)).toBe('done');
      await leaving.commit();
      await expectInvariants(ownerPool);
    }));

  test('the zone waits for a booking, and counts it', () =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const [booking, changing] = [await start(hospital.patient), await start(hospital.admin)];
      await book(booking.db, {
        slotId: nth(hospital.slotIds, 0),
        patientId: nth(hospital.patientIds, 0),
      });
      const change = changeTimeZone(changing.db, 'Pacific/Honolulu');
      expect(await untilBlocked(ownerPool, changing.pid, change)).toEqual([booking.pid]);
      await booking.commit();
      expect(await change).toMatchObject({ kept_slots: 1 });
      await changing.commit();
      await expectInvariants(ownerPool);
    }));
});

test('a storm of bookings, moves and cancellations while weeks and the zone change: no deadlock, no lost seat', async () => {
  const hospital = await openHospital(ownerPool, {
    horizonDays: 4,
    patientCount: 24,
    slotCapacity: 2,
  });
  const from = await tomorrow(hospital);
  const [doctorId] = hospital.doctorIds;
  const full = week({
    locationId: hospital.locationIds[0],
    start: '09:00',
    end: '17:00',
    breakStart: '13:00',
    breakEnd: '14:00',
    capacity: 2,
  });
  const outcomes: string[] = [];
  const note = async (attempt: Promise<unknown>) => {
    outcomes.push(await outcomeOf(attempt));
  };
  const free = async () => {
    const { rows } = await ownerPool.query<{ id: string }>(
      `select id from app_public.slot where hospital_id = $1 and status = 'available'
         and starts_at > now() order by md5(id::text || $2)`,
      [hospital.id, String(outcomes.length)],
    );
    return rows.map(({ id }) => id);
  };
  const patient = async (index: number) => {
    for (let round = 0; round < 6; round += 1) {
      const [slotId = '', otherSlotId = ''] = await free();
      const patientId = nth(hospital.patientIds, index);
      let id: string | undefined;
      await note(
        committedAs(ownerPool, hospital.receptionist, async (db) => {
          id = (await book(db, { slotId, patientId })).id;
        }).catch((error) => {
          id = undefined;
          throw error;
        }),
      );
      if (id === undefined) continue;
      const appointmentId = id;
      if (round % 3 === 1) {
        await note(
          committedAs(ownerPool, hospital.receptionist, (db) =>
            reschedule(db, appointmentId, otherSlotId),
          ),
        );
      }
      if (round % 3 === 2) {
        await note(
          committedAs(ownerPool, hospital.receptionist, (db) => cancel(db, appointmentId)),
        );
      }
    }
  };
  const changes = async () => {
    for (let round = 0; round < 5; round += 1) {
      for (const rows of [mornings(hospital), full]) {
        await note(
          committedAs(ownerPool, hospital.admin, (db) =>
            replaceSchedule(db, { doctorId, from, rows }),
          ),
        );
      }
      await note(
        committedAs(ownerPool, hospital.admin, (db) =>
          changeTimeZone(db, round % 2 === 0 ? 'Pacific/Honolulu' : 'Asia/Kolkata'),
        ),
      );
    }
  };
  await Promise.all([changes(), ...Array.from({ length: 8 }, (_, index) => patient(index))]);

  // Whatever was refused was refused by a rule: nothing deadlocked, nothing broke a constraint.
  expect(outcomes.filter((outcome) => /^[0-9]/.test(outcome))).toEqual([]);
  expect(outcomes.filter((outcome) => outcome === 'done').length).toBeGreaterThan(20);
  await expectInvariants(ownerPool);
});
