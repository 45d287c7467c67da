import { expect, test } from 'vitest';
import { as, committedAs } from '../helpers/actors.ts';
import { book, cancel, hold, transit } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { lockRow, outcomeOf, type Racer, race, untilBlocked } from '../helpers/races.ts';
import { refusalOf } from '../helpers/refusals.ts';

// A booking that waits sees the world as it is when its turn comes, not as it was when it asked.

const { ownerPool } = await createDatabase();

type Change = { scenario: string; make(racer: Racer, hospital: OpenHospital): Promise<unknown> };

// Each of them holds the row that the booking waits for.
const changes: Record<string, Change> = {
  'the slot is blocked': {
    scenario: 'slot_blocked',
    make: async ({ db }, hospital) => {
      await as(db, hospital.nurse);
      await db.query("select app_public.block_slot($1, 'cleaning')", [nth(hospital.slotIds, 0)]);
    },
  },
  'the slot is withdrawn': {
    scenario: 'slot_withdrawn',
    make: ({ db }, hospital) =>
      db.query('update app_public.slot set withdrawn_at = now() where id = $1', [
        nth(hospital.slotIds, 0),
      ]),
  },
  'the slot is deleted': {
    scenario: 'slot_not_found',
    make: ({ db }, hospital) =>
      db.query('delete from app_public.slot where id = $1', [nth(hospital.slotIds, 0)]),
  },
  'somebody else takes the slot': {
    scenario: 'slot_booked',
    make: async ({ db }, hospital) =>
      book(await as(db, hospital.receptionist), {
        slotId: nth(hospital.slotIds, 0),
        patientId: nth(hospital.patientIds, 1),
      }),
  },
  'the patient is blocked': {
    scenario: 'patient_blocked',
    make: ({ db }, hospital) =>
      db.query(
        `update app_public.patient
         set status = 'blocked', blocked_at = now(), blocked_reason = 'no-shows' where id = $1`,
        [nth(hospital.patientIds, 0)],
      ),
  },
  'the patient is booked elsewhere': {
    scenario: 'patient_double_booked',
    make: async ({ db }, hospital) =>
      book(await as(db, hospital.receptionist), {
        slotId: nth(hospital.otherSlotIds, 0),
        patientId: nth(hospital.patientIds, 0),
      }),
  },
  'the last place of the day is taken': {
    scenario: 'daily_limit_reached',
    make: async (racer, hospital) => {
      await limitTo(racer, hospital, 1);
      await book(await as(racer.db, hospital.receptionist), {
        slotId: nth(hospital.slotIds, 7),
        patientId: nth(hospital.patientIds, 1),
      });
    },
  },
  'the doctor becomes unavailable': {
    scenario: 'doctor_unavailable',
    make: async (racer, hospital) => {
      await lockRow(racer, { table: 'slot', where: { id: nth(hospital.slotIds, 0) } });
      await racer.db.query('update app_public.doctor set is_available = false where id = $1', [
        hospital.doctorIds[0],
      ]);
    },
  },
  'the doctor leaves': {
    scenario: 'doctor_inactive',
    make: async (racer, hospital) => {
      await lockRow(racer, { table: 'slot', where: { id: nth(hospital.slotIds, 0) } });
      await racer.db.query('update app_public.doctor set is_active = false where id = $1', [
        hospital.doctorIds[0],
      ]);
    },
  },
};

test.each(Object.entries(changes))('%s while a booking waits', (_, change) =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    await createDay(hospital);
    const [changing, booking] = [await start(), await start(hospital.patient)];
    await change.make(changing, hospital);

    const attempt = refusalOf(booking.db, () => book(booking.db, wishOf(hospital)));
    expect(await untilBlocked(ownerPool, booking.pid)).toEqual([changing.pid]);
    await changing.commit();

    const { scenario, details } = await attempt;
    expect(scenario).toBe(change.scenario);
    expect(details.violations).toMatchObject([{ scenario }]);
    await booking.end();
    await expectInvariants(ownerPool);
  }),
);

test.each(Object.entries(changes))('%s, and then not after all', (_, change) =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    await createDay(hospital);
    const [changing, booking] = [await start(), await start(hospital.patient)];
    await change.make(changing, hospital);

    const attempt = outcomeOf(book(booking.db, wishOf(hospital)));
    await untilBlocked(ownerPool, booking.pid, attempt);
    await changing.end();

    expect(await attempt).toBe('done');
    await booking.commit();
    await expectInvariants(ownerPool);
  }),
);

test('the seat is freed while a booking of it waits', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    const { id } = await committedAs(ownerPool, hospital.otherPatient, (db) =>
      book(db, { ...wishOf(hospital), patientId: nth(hospital.patientIds, 1) }),
    );
    const [cancelling, booking] = [
      await start(hospital.otherPatient),
      await start(hospital.patient),
    ];
    await cancel(cancelling.db, id);

    // It does not even wait: as long as the other has not committed, the slot is full.
    expect(await outcomeOf(book(booking.db, wishOf(hospital)))).toBe('slot_booked');
    await booking.end();
    await cancelling.commit();
    const again = await start(hospital.patient);
    expect(await outcomeOf(book(again.db, wishOf(hospital)))).toBe('done');
    await again.commit();
    await expectInvariants(ownerPool);
  }));

test('a day whose first booking is under way follows a limit that sinks meanwhile', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    const booking = await start(hospital.patient);
    await book(booking.db, wishOf(hospital));
    await ownerPool.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      hospital.doctorIds[0],
    ]);
    await booking.commit();

    const second = await start(hospital.receptionist);
    const attempt = book(second.db, {
      slotId: nth(hospital.slotIds, 4),
      patientId: nth(hospital.patientIds, 1),
    });
    expect(await outcomeOf(attempt)).toBe('daily_limit_reached');
    await second.end();
    await expectInvariants(ownerPool);
  }));

test('the last place under a limit that sank while the day was being created is taken once', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    const creating = await start(hospital.patient);
    await book(creating.db, wishOf(hospital));
    await ownerPool.query('update app_public.doctor set max_patients_per_day = 2 where id = $1', [
      hospital.doctorIds[0],
    ]);
    await creating.commit();

    const [first, second] = [
      await start(hospital.receptionist),
      await start(hospital.receptionist),
    ];
    const wish = (index: number) => ({
      slotId: nth(hospital.slotIds, index),
      patientId: nth(hospital.patientIds, index),
    });
    await book(first.db, wish(1));
    const attempt = outcomeOf(book(second.db, wish(2)));
    expect(await untilBlocked(ownerPool, second.pid, attempt)).toEqual([first.pid]);
    await first.commit();
    expect(await attempt).toBe('daily_limit_reached');
  }));

test('a change of the daily limit takes the days in their order, and waits in no circle with a move', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 3 });
    // The later day is created first, so that the order of the heap is not that of the days.
    for (const index of [15, 0]) await createDay(hospital, index);
    const days = await daysOf(hospital);
    const [moving, limiting] = [await start(), await start()];
    await lockRow(moving, nth(days, 0));
    await limiting.db.query('set local enable_indexscan = off; set local enable_bitmapscan = off');

    const attempt = limitTo(limiting, hospital, 5);
    await untilBlocked(ownerPool, limiting.pid, attempt);
    await lockRow(moving, nth(days, 1));
    await moving.commit();
    expect(await outcomeOf(attempt)).toBe('done');
    await limiting.commit();
  }));

function wishOf(hospital: OpenHospital) {
  return { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) };
}

/** Creates the row of a slot's day: a booking that was cancelled leaves one. */
async function createDay(hospital: OpenHospital, slotIndex = 1): Promise<void> {
  await committedAs(ownerPool, hospital.receptionist, async (db) => {
    const { id } = await book(db, {
      slotId: nth(hospital.slotIds, slotIndex),
      patientId: nth(hospital.patientIds, 3),
    });
    await cancel(db, id);
  });
}

async function daysOf(hospital: OpenHospital) {
  const { rows } = await ownerPool.query<{ doctor_id: string; day: string }>(
    `select doctor_id, day::text from app_public.doctor_day
     where hospital_id = $1 order by doctor_id, day`,
    [hospital.id],
  );
  return rows.map((where) => ({ table: 'doctor_day', where }));
}

function limitTo({ db }: Racer, hospital: OpenHospital, limit: number): Promise<unknown> {
  return db.query('update app_public.doctor set max_patients_per_day = $2 where id = $1', [
    hospital.doctorIds[0],
    limit,
  ]);
}

const answers = {
  confirmed: (racer: Racer, id: string) => transit(racer.db, 'confirm_hold', id),
  cancelled: (racer: Racer, id: string) => cancel(racer.db, id),
};

test.each(Object.entries(answers))(
  'a patient whose lapsed hold is just being %s is asked to try again, and waits for nobody',
  (_, answer) =>
    race(ownerPool, async (start) => {
      const hospital = await openHospital(ownerPool, { horizonDays: 3 });
      const { id } = await committedAs(ownerPool, hospital.patient, (db) =>
        hold(db, wishOf(hospital)),
      );
      const [answering, booking] = [
        await start(hospital.patient),
        await start(hospital.receptionist),
      ];
      // It came in time; whoever books came when the hold had lapsed.
      await answer(answering, id);
      await moveClock(booking.db, '10 minutes');

      const wish = { ...wishOf(hospital), slotId: nth(hospital.otherSlotIds, 0) };
      expect(await refusalOf(booking.db, () => book(booking.db, wish))).toMatchObject({
        code: 'SK409',
        scenario: 'try_again',
      });
      const later = { ...wish, slotId: nth(hospital.otherSlotIds, 3) };
      expect(await outcomeOf(book(booking.db, later))).toBe('done');
      await booking.end();
      await answering.commit();
      await expectInvariants(ownerPool);
    }),
);
