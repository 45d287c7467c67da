import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asWorker, become, committedAs } from '../helpers/actors.ts';
import { book, cancel, hold, reschedule, transit } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { outcomeOf, race, untilBlocked } from '../helpers/races.ts';

// Two things happen to the same appointment, slot or patient at once: the second begins while the
// first is done but not committed. What may come of the second stands in the table below; whatever
// comes of it, nothing is double-booked and every count agrees.

const { ownerPool } = await createDatabase();

type World = OpenHospital & {
  /** The first patient's appointment, in the first slot. */
  appointmentId: string;
  /** The third patient's hold of the third slot, lapsed. */
  heldId: string;
};

type Act = (db: ClientBase, world: World) => Promise<unknown>;

const acts = {
  'reception cancels the appointment': async (db, world) => {
    await become(db, world.receptionist);
    return cancel(db, world.appointmentId);
  },
  'reception moves it to the second slot': async (db, world) => {
    await become(db, world.receptionist);
    return reschedule(db, world.appointmentId, nth(world.slotIds, 1));
  },
  'the patient confirms it': async (db, world) => {
    await become(db, world.patient);
    return transit(db, 'confirm_appointment', world.appointmentId);
  },
  'the doctor completes it': async (db, world) => {
    await become(db, world.doctor);
    return transit(db, 'complete_appointment', world.appointmentId);
  },
  'another patient books its slot': async (db, world) => {
    await become(db, world.otherPatient);
    return book(db, { slotId: nth(world.slotIds, 0), patientId: nth(world.patientIds, 1) });
  },
  'another patient books the second slot': async (db, world) => {
    await become(db, world.otherPatient);
    return book(db, { slotId: nth(world.slotIds, 1), patientId: nth(world.patientIds, 1) });
  },
  'the patient books the other doctor at that time': async (db, world) => {
    await become(db, world.patient);
    return book(db, { slotId: nth(world.otherSlotIds, 1), patientId: nth(world.patientIds, 0) });
  },
  'another patient books the slot of the lapsed hold': async (db, world) => {
    await become(db, world.otherPatient);
    return book(db, { slotId: nth(world.slotIds, 2), patientId: nth(world.patientIds, 1) });
  },
  'the sweeper expires the lapsed hold': async (db, world) => {
    await asWorker(db);
    return db.query('select app_private.expire_lapsed_holds($1)', [world.id]);
  },
  'reception confirms the lapsed hold': async (db, world) => {
    await become(db, world.receptionist);
    return transit(db, 'confirm_hold', world.heldId);
  },
} satisfies Record<string, Act>;

type ActName = keyof typeof acts;
const names = Object.keys(acts) as ActName[];

const alone: Partial<Record<ActName, string>> = {
  'another patient books its slot': 'slot_booked',
  'reception confirms the lapsed hold': 'hold_expired',
};

const nothingMoreToDo = {
  'reception cancels the appointment': ['illegal_transition'],
  'reception moves it to the second slot': ['illegal_transition'],
  'the patient confirms it': ['illegal_transition'],
  'the doctor completes it': ['illegal_transition'],
  // A seat that is given back is free when that is committed, and not before.
  'another patient books its slot': ['slot_booked', 'done'],
};

// Everything that books with the doctor lets the hold expire, for which the next does not wait.
const theHoldIsBeingExpired = {
  'another patient books the slot of the lapsed hold': ['slot_booked', 'done'],
  'reception confirms the lapsed hold': ['illegal_transition'],
};

/** What may come of the second, where the first makes a difference. */
const after: Partial<Record<ActName, Partial<Record<ActName, readonly string[]>>>> = {
  'reception cancels the appointment': nothingMoreToDo,
  'the doctor completes it': nothingMoreToDo,
  'reception moves it to the second slot': {
    'reception moves it to the second slot': ['already_in_slot'],
    'another patient books its slot': ['slot_booked', 'done'],
    'another patient books the second slot': ['slot_booked'],
    'the patient books the other doctor at that time': ['patient_double_booked'],
    ...theHoldIsBeingExpired,
  },
  'the patient confirms it': {
    'the patient confirms it': ['illegal_transition'],
  },
  'another patient books the second slot': {
    'reception moves it to the second slot': ['slot_booked'],
    'another patient books the second slot': ['patient_double_booked'],
    'reception confirms the lapsed hold': ['illegal_transition'],
  },
  'the patient books the other doctor at that time': {
    'reception moves it to the second slot': ['patient_double_booked'],
    'the patient books the other doctor at that time': ['patient_double_booked'],
  },
  'another patient books the slot of the lapsed hold': {
    'another patient books the slot of the lapsed hold': ['patient_double_booked'],
    'reception confirms the lapsed hold': ['illegal_transition'],
  },
  'the sweeper expires the lapsed hold': theHoldIsBeingExpired,
};

function allowed(first: ActName, second: ActName): readonly string[] {
  return after[first]?.[second] ?? [alone[second] ?? 'done'];
}

test.each(names.flatMap((first) => names.map((second) => [first, second] as const)))(
  '%s, and meanwhile: %s',
  (first, second) =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const [one, other] = [await start(), await start()];

      const firstOutcome = await outcomeOf(acts[first](one.db, world));
      expect(firstOutcome).toBe(alone[first] ?? 'done');
      if (firstOutcome !== 'done') await one.end();

      const attempt = outcomeOf(acts[second](other.db, world));
      await Promise.race([attempt, untilBlocked(ownerPool, other.pid, attempt).catch(() => [])]);
      await one.commit();
      const secondOutcome = await attempt;
      if (secondOutcome === 'done') await other.commit();
      await other.end();

      expect(allowed(first, second)).toContain(secondOutcome);
      await expectInvariants(ownerPool);
    }),
);

test('all at once, again and again', async () => {
  const possible = new Set([
    'done',
    ...Object.values(alone),
    ...Object.values(after).flatMap((row) => Object.values(row).flat()),
  ]);
  for (let round = 0; round < 10; round += 1) {
    const world = await prepare();
    const outcomes = await Promise.all(
      names.map((name) =>
        outcomeOf(
          committedAs(ownerPool, world.receptionist, async (db) => {
            await acts[name](db, world);
          }),
        ),
      ),
    );
    expect([...possible]).toEqual(expect.arrayContaining(outcomes));
    await expectInvariants(ownerPool);
  }
});

// The appointment comes first: booking with this doctor afterwards would let the hold expire.
async function prepare(): Promise<World> {
  await ownerPool.query('delete from app_private.clock_shift');
  const hospital = await openHospital(ownerPool, { horizonDays: 1 });
  const { receptionist, slotIds, patientIds } = hospital;
  const appointment = await committedAs(ownerPool, receptionist, (db) =>
    book(db, { slotId: nth(slotIds, 0), patientId: nth(patientIds, 0) }),
  );
  await ownerPool.query(
    "update app_public.hospital set hold_duration = '1 microsecond' where id = $1",
    [hospital.id],
  );
  const held = await committedAs(ownerPool, receptionist, (db) =>
    hold(db, { slotId: nth(slotIds, 2), patientId: nth(patientIds, 2) }),
  );
  // The day of the visit has come, an hour before it begins.
  await ownerPool.query(
    `insert into app_private.clock_shift (shift)
     select starts_at - interval '1 hour' - now() from app_public.slot where id = $1`,
    [nth(slotIds, 0)],
  );
  return { ...hospital, appointmentId: appointment.id, heldId: held.id };
}
