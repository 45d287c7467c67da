import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { become, committedAs } from '../helpers/actors.ts';
import { type Appointment, book, cancel, reschedule, transit } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import {
  isLocked,
  lockRow,
  outcomeOf,
  type Racer,
  race,
  startRacer,
  untilBlocked,
} from '../helpers/races.ts';
import { logOf, markNoShow, recordOf, sweep, undoNoShow } from '../visits/visits.ts';

// The sweep, and whatever else happens to the same visit, patient or seat at that moment. The sweep waits
// for nobody who holds a visit or a patient, and whoever waits for it finds what it did.

const { ownerPool } = await createDatabase();

type World = OpenHospital & {
  /** Visits of the first three patients, in the first three slots of one day; all are due. */
  visits: Appointment[];
  /** A visit of the first patient later that day. */
  later: Appointment;
};

/** A hospital at 10:30 of its day: the visits of 9:00, 9:30 and 10:00 have not been checked in. */
async function prepare(): Promise<World> {
  await ownerPool.query('delete from app_private.clock_shift');
  const hospital = await openHospital(ownerPool, { horizonDays: 3 });
  const booked = (slot: number, patient: number) =>
    committedAs(ownerPool, hospital.receptionist, (db) =>
      book(db, {
        slotId: nth(hospital.slotIds, slot),
        patientId: nth(hospital.patientIds, patient),
      }),
    );
  const visits = [await booked(0, 0), await booked(1, 1), await booked(2, 2)];
  const later = await booked(7, 0);
  await ownerPool.query(
    `insert into app_private.clock_shift (shift)
     select starts_at + interval '30 minutes' - now() from app_public.slot where id = $1`,
    [nth(hospital.slotIds, 2)],
  );
  return { ...hospital, visits, later };
}

async function sweepNow(world: World): Promise<number> {
  const racer = await startRacer(ownerPool);
  try {
    const count = await sweep(racer.db, world);
    await racer.commit();
    return count;
  } finally {
    await racer.end();
  }
}

async function states({ visits }: World): Promise<string[]> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.appointment where id = any ($1) order by starts_at',
    [visits.map(({ id }) => id)],
  );
  return rows.map(({ status }) => status);
}

async function statusOf({ id }: Appointment): Promise<string> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.appointment where id = $1',
    [id],
  );
  return nth(rows, 0).status;
}

async function look<T>(ask: (db: ClientBase) => Promise<T>): Promise<T> {
  const racer = await startRacer(ownerPool);
  try {
    return await ask(racer.db);
  } finally {
    await racer.end();
  }
}

/** On another day, so that the doctor's day is not what they meet at. */
const freeSlot = ({ slotIds }: World) => nth(slotIds, 24);
const patient = ({ patientIds }: World, number = 0) => nth(patientIds, number);

/** What happens to the first visit, its patient or its seat; what comes of it when the sweep was first. */
const deeds: Record<
  string,
  {
    act(db: ClientBase, world: World): Promise<unknown>;
    /** What becomes of the visit when this comes first. */
    leaves: string;
    /** What comes of this when the sweep comes first, and whether it waits for the sweep's end. */
    after: readonly string[];
    waits: boolean;
  }
> = {
  'reception checks the patient in': {
    act: async (db, world) => {
      await become(db, world.receptionist);
      return transit(db, 'check_in_appointment', nth(world.visits, 0).id);
    },
    leaves: 'checked_in',
    after: ['illegal_transition'],
    waits: true,
  },
  'the patient cancels': {
    act: async (db, world) => {
      await become(db, world.patient);
      return cancel(db, nth(world.visits, 0).id);
    },
    leaves: 'cancelled',
    after: ['illegal_transition'],
    waits: true,
  },
  'reception moves the visit to tomorrow': {
    act: async (db, world) => {
      await become(db, world.receptionist);
      return reschedule(db, nth(world.visits, 0).id, nth(world.slotIds, 20));
    },
    leaves: 'scheduled',
    after: ['illegal_transition'],
    waits: true,
  },
  'a nurse marks it by hand': {
    act: async (db, world) => {
      await become(db, world.nurse);
      return markNoShow(db, nth(world.visits, 0).id);
    },
    leaves: 'no_show',
    after: ['illegal_transition'],
    waits: true,
  },
  'the doctor completes it': {
    act: async (db, world) => {
      await become(db, world.doctor);
      return transit(db, 'complete_appointment', nth(world.visits, 0).id);
    },
    leaves: 'completed',
    after: ['illegal_transition'],
    waits: true,
  },
};

describe.each(Object.entries(deeds))('%s', (_name, { act, leaves, after, waits }) => {
  test('and the sweep comes meanwhile: it leaves that visit', () =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const [one, other] = [await start(), await start()];
      await act(one.db, world);
      // It waits for no visit and no patient, but for the doctor's day where a seat of it is given back.
      const attempt = sweep(other.db, world);
      await Promise.race([attempt, untilBlocked(ownerPool, other.pid, attempt).catch(() => [])]);
      await one.commit();
      expect(await attempt).toBe(2);
      await other.commit();
      expect(await statusOf(nth(world.visits, 0))).toBe(leaves);
      expect((await states(world)).filter((status) => status === 'no_show').length).toBe(
        leaves === 'no_show' ? 3 : 2,
      );
      expect(await sweepNow(world)).toBe(0);
      await expectInvariants(ownerPool);
    }));

  test('while the sweep is under way', () =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const [one, other] = [await start(), await start()];
      expect(await sweep(one.db, world)).toBe(3);
      const attempt = outcomeOf(act(other.db, world));
      if (waits) expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
      await one.commit();
      expect(after).toContain(await attempt);
      await other.end();
      expect(await states(world)).toEqual(['no_show', 'no_show', 'no_show']);
      await expectInvariants(ownerPool);
    }));

  test('after a sweep that took everything back', () =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const [one, other] = [await start(), await start()];
      await sweep(one.db, world);
      const attempt = outcomeOf(act(other.db, world));
      if (waits) await untilBlocked(ownerPool, other.pid, attempt);
      await one.end();
      expect(await attempt).toBe('done');
      await other.commit();
      expect(await statusOf(nth(world.visits, 0))).toBe(leaves);
      await expectInvariants(ownerPool);
    }));
});

test('the sweep does not wait for a visit that is just being checked in', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(world.receptionist), await start()];
    await transit(one.db, 'check_in_appointment', nth(world.visits, 0).id);
    // As long as it takes: the other one only commits afterwards.
    expect(await sweep(other.db, world)).toBe(2);
    await other.commit();
    await one.commit();
    expect(await states(world)).toEqual(['checked_in', 'no_show', 'no_show']);
    await expectInvariants(ownerPool);
  }));

test('of two sweeps of a hospital the second leaves at once, and finds the rest later', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(), await start()];
    expect(await sweep(one.db, world, 1)).toBe(1);
    expect(await sweep(other.db, world)).toBe(0);
    await other.commit();
    await one.commit();
    expect(await sweepNow(world)).toBe(2);
    expect((await look((db) => logOf(db, nth(world.visits, 0).id))).length).toBe(1);
    await expectInvariants(ownerPool);
  }));

test('sweeps of two hospitals do not meet', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const other = await prepare();
    const [one, two] = [await start(), await start()];
    expect(await sweep(one.db, world)).toBe(3);
    expect(await sweep(two.db, other)).toBe(3);
    await one.commit();
    await two.commit();
    await expectInvariants(ownerPool);
  }));

test('a patient who is just booking is swept by the next run, and the booking does not wait', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(world.patient), await start()];
    await book(one.db, { slotId: freeSlot(world), patientId: patient(world) });
    expect(await sweep(other.db, world)).toBe(2);
    await other.commit();
    await one.commit();
    expect(await states(world)).toEqual(['scheduled', 'no_show', 'no_show']);
    expect(await sweepNow(world)).toBe(1);
    await expectInvariants(ownerPool);
  }));

test('a patient whom the sweep just blocks waits for it, and books no more', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    await ownerPool.query(
      'update app_public.hospital set no_show_block_threshold = 1 where id = $1',
      [world.id],
    );
    const [one, other] = [await start(), await start(world.patient)];
    await sweep(one.db, world);
    const attempt = outcomeOf(
      book(other.db, { slotId: freeSlot(world), patientId: patient(world) }),
    );
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toBe('patient_blocked');
    await other.end();
    await expectInvariants(ownerPool);
  }));

test('who undoes while the sweep is under way is told that nothing was missed, and afterwards undoes', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(), await start(world.admin)];
    await sweep(one.db, world);
    expect(await outcomeOf(undoNoShow(other.db, nth(world.visits, 0).id))).toBe('not_a_no_show');
    await other.end();
    await one.commit();
    await committedAs(ownerPool, world.admin, (db) => undoNoShow(db, nth(world.visits, 0).id));
    expect(await states(world)).toEqual(['checked_in', 'no_show', 'no_show']);
    expect(await sweepNow(world)).toBe(0);
    await expectInvariants(ownerPool);
  }));

test('two admins undo at once: one does, and it counts once', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    await sweepNow(world);
    const [one, other] = [await start(world.admin), await start(world.admin)];
    await undoNoShow(one.db, nth(world.visits, 0).id);
    const attempt = outcomeOf(undoNoShow(other.db, nth(world.visits, 0).id));
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(['illegal_transition', 'not_a_no_show']).toContain(await attempt);
    await other.end();
    expect(await look((db) => recordOf(db, patient(world)))).toMatchObject({ no_show_count: 0 });
    await expectInvariants(ownerPool);
  }));

describe('an undoing and a booking want the same seat', () => {
  async function released() {
    const world = await prepare();
    await committedAs(ownerPool, world.receptionist, (db) =>
      markNoShow(db, world.later.id, 'patient_called'),
    );
    const undo = (db: ClientBase) => undoNoShow(db, world.later.id);
    const bookIt = (db: ClientBase) =>
      book(db, { slotId: world.later.slot_id ?? '', patientId: patient(world, 3) });
    return { world, undo, bookIt };
  }

  test('the booking was first', () =>
    race(ownerPool, async (start) => {
      const { world, undo, bookIt } = await released();
      const [one, other] = [await start(world.receptionist), await start(world.admin)];
      await bookIt(one.db);
      const attempt = outcomeOf(undo(other.db));
      expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
      await one.commit();
      expect(await attempt).toBe('seat_no_longer_free');
      await other.end();
      await expectInvariants(ownerPool);
    }));

  test('the undoing was first', () =>
    race(ownerPool, async (start) => {
      const { world, undo, bookIt } = await released();
      const [one, other] = [await start(world.admin), await start(world.receptionist)];
      await undo(one.db);
      const attempt = outcomeOf(bookIt(other.db));
      expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
      await one.commit();
      expect(await attempt).toBe('slot_booked');
      await other.end();
      await expectInvariants(ownerPool);
    }));
});

test('the sweep locks visits, then patients, then slots: who holds a slot is waited for last', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [holder, sweeper] = [await start(), await start()];
    await lockRow(holder, { table: 'slot', where: { id: nth(world.slotIds, 1) } });
    const attempt = sweep(sweeper.db, world);
    expect(await untilBlocked(ownerPool, sweeper.pid, attempt)).toEqual([holder.pid]);
    for (const visit of world.visits) {
      expect(await isLocked(ownerPool, { table: 'appointment', where: { id: visit.id } })).toBe(
        true,
      );
      expect(await isLocked(ownerPool, { table: 'patient', where: { id: visit.patient_id } })).toBe(
        true,
      );
      // Nothing has changed before everything is locked.
      expect(await states(world)).toEqual(['scheduled', 'scheduled', 'scheduled']);
    }
    await holder.end();
    expect(await attempt).toBe(3);
    await sweeper.commit();
    await expectInvariants(ownerPool);
  }));

test('marking by hand locks the patient before the seat', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [holder, marker] = [await start(), await start(world.receptionist)];
    await lockRow(holder, { table: 'patient', where: { id: patient(world) } });
    const attempt = markNoShow(marker.db, nth(world.visits, 0).id);
    expect(await untilBlocked(ownerPool, marker.pid, attempt)).toEqual([holder.pid]);
    expect(await isLocked(ownerPool, { table: 'slot', where: { id: nth(world.slotIds, 0) } })).toBe(
      false,
    );
    await holder.end();
    await attempt;
    await marker.commit();
    await expectInvariants(ownerPool);
  }));

test('all at once, again and again: no deadlock, and everything agrees', async () => {
  for (let round = 0; round < 8; round += 1) {
    const world = await prepare();
    const others: ((racer: Racer) => Promise<unknown>)[] = [
      ...Object.values(deeds).map(
        ({ act }) =>
          ({ db }: Racer) =>
            act(db, world),
      ),
      ({ db }) => sweep(db, world),
      ({ db }) => sweep(db, world, 1),
      async ({ db }) => {
        await become(db, world.admin);
        return undoNoShow(db, nth(world.visits, 0).id);
      },
      async ({ db }) => {
        await become(db, world.patient);
        return book(db, { slotId: freeSlot(world), patientId: patient(world) });
      },
      async ({ db }) => {
        await become(db, world.admin);
        return db.query("select app_public.block_patient($1, 'x')", [patient(world)]);
      },
    ];
    const outcomes = await Promise.all(
      others.map(async (act) => {
        const racer = await startRacer(ownerPool);
        try {
          const outcome = await outcomeOf(act(racer));
          if (outcome === 'done') await racer.commit();
          return outcome;
        } finally {
          await racer.end();
        }
      }),
    );
    for (const outcome of outcomes) {
      expect([
        'done',
        'illegal_transition',
        'not_a_no_show',
        'patient_blocked',
        'no_show_too_early',
        'not_the_day_of_the_visit',
        'patient_is_blocked',
        'slot_booked',
      ]).toContain(outcome);
    }
    await expectInvariants(ownerPool);
  }
});
