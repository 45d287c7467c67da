import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, become, committedAs } from '../helpers/actors.ts';
import { book, cancel, hold, reschedule, transit } from '../helpers/booking.ts';
import {
  ask,
  type CalendarChange,
  cancelAbsence,
  cancelHoliday,
  createAbsence,
  createHoliday,
  dayAhead,
  setAvailability,
} from '../helpers/closures.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { isLocked, lockRow, outcomeOf, race, untilBlocked } from '../helpers/races.ts';

// Closing time and booking it at the same moment: whoever comes second sees what the first did, nobody
// is left in a slot that an emergency closed, and nobody waits in a circle.

const { ownerPool } = await createDatabase();

type World = OpenHospital & {
  day: string;
  /** The first patient's appointment with the first doctor, in the first slot of tomorrow. */
  appointmentId: string;
  /** The second patient's appointment with the other doctor, in the second slot of tomorrow. */
  elsewhereId: string;
};

async function prepare(): Promise<World> {
  const hospital = await openHospital(ownerPool, { horizonDays: 2 });
  return committedAs(ownerPool, hospital.receptionist, async (db) => {
    const patientId = (index: number) => nth(hospital.patientIds, index);
    const here = await book(db, { slotId: nth(hospital.slotIds, 0), patientId: patientId(0) });
    const there = await book(db, {
      slotId: nth(hospital.otherSlotIds, 1),
      patientId: patientId(1),
    });
    const day = await dayAhead(db, hospital, 1);
    return { ...hospital, day, appointmentId: here.id, elsewhereId: there.id };
  });
}

type Act = (db: ClientBase, world: World) => Promise<unknown>;

const closing = {
  'an absence': async (db, world) => {
    const { change } = await createAbsence(await as(db, world.receptionist), {
      doctorId: world.doctorIds[0],
      firstDay: world.day,
    });
    return change;
  },
  'an emergency': async (db, world) => {
    const { change } = await createAbsence(await as(db, world.doctor), {
      doctorId: world.doctorIds[0],
      type: 'emergency',
      firstDay: world.day,
    });
    return change;
  },
  'a holiday': async (db, world) => {
    const { change } = await createHoliday(await as(db, world.admin), { date: world.day });
    return change;
  },
  unavailability: async (db, world) =>
    setAvailability(await as(db, world.admin), world.doctorIds[0], false),
} satisfies Record<string, (db: ClientBase, world: World) => Promise<CalendarChange>>;

const booking = {
  'a booking': async (db, world) =>
    book(await as(db, world.otherPatient), {
      slotId: nth(world.slotIds, 5),
      patientId: nth(world.patientIds, 1),
    }),
  'a hold': async (db, world) =>
    hold(await as(db, world.receptionist), {
      slotId: nth(world.slotIds, 5),
      patientId: nth(world.patientIds, 2),
    }),
  'a move into the time': async (db, world) =>
    reschedule(await as(db, world.receptionist), world.elsewhereId, nth(world.slotIds, 5)),
  'a move out of the time': async (db, world) =>
    reschedule(await as(db, world.receptionist), world.appointmentId, nth(world.otherSlotIds, 16)),
  'a move within the time': async (db, world) =>
    reschedule(await as(db, world.receptionist), world.appointmentId, nth(world.slotIds, 3)),
  'a cancellation': async (db, world) =>
    cancel(await as(db, world.receptionist), world.appointmentId),
  'a confirmation': async (db, world) =>
    transit(await as(db, world.patient), 'confirm_appointment', world.appointmentId),
} satisfies Record<string, Act>;

type Closing = keyof typeof closing;
type Booking = keyof typeof booking;
const closings = Object.keys(closing) as Closing[];
const bookings = Object.keys(booking) as Booking[];

const cancels = (name: Closing) => name === 'an emergency' || name === 'unavailability';
const refused: Record<Closing, string> = {
  'an absence': 'doctor_absent',
  'an emergency': 'doctor_absent',
  'a holiday': 'hospital_holiday',
  unavailability: 'doctor_unavailable',
};

/** What a booking meets after this closure. */
function outcomeAfter(first: Closing, second: Booking): string {
  const ofTheVisit = !['a booking', 'a hold', 'a move into the time'].includes(second);
  if (ofTheVisit && cancels(first)) return 'illegal_transition';
  if (second === 'a move out of the time' || (ofTheVisit && second !== 'a move within the time')) {
    return 'done';
  }
  return refused[first];
}

const pairs = closings.flatMap((one) => bookings.map((other) => [one, other] as const));

test.each(pairs)('%s, and then %s', (first, second) =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(), await start()];
    await closing[first](one.db, world);
    const attempt = outcomeOf(booking[second](other.db, world));
    await Promise.race([attempt, untilBlocked(ownerPool, other.pid, attempt).catch(() => [])]);
    await one.commit();
    const outcome = await attempt;
    if (outcome === 'done') await other.commit();
    await other.end();

    expect(outcome).toBe(outcomeAfter(first, second));
    await expectNobodyLeft(world, first);
  }),
);

test.each(pairs)('%s after %s', (second, first) =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(), await start()];
    await booking[first](one.db, world);
    const attempt = closing[second](other.db, world);
    await Promise.race([attempt, untilBlocked(ownerPool, other.pid, attempt).catch(() => [])]);
    await one.commit();
    const { affected_appointments } = await attempt;
    await other.commit();

    // What was done before is seen, down to the state that it left.
    const affected = affected_appointments
      .filter(({ doctor_id }) => doctor_id === world.doctorIds[0])
      .map(({ status }) => status);
    // A confirmation keeps the seat, so a closure that leaves it alone does not wait for it.
    const isUnseen = first === 'a confirmation' && !cancels(second);
    expect(affected).toEqual(isUnseen ? ['scheduled'] : affectedAfter[first]);
    await expectNobodyLeft(world, second);
  }),
);

const affectedAfter: Record<Booking, string[]> = {
  'a booking': ['scheduled', 'scheduled'],
  'a hold': ['scheduled', 'held'],
  'a move into the time': ['scheduled', 'scheduled'],
  'a move out of the time': [],
  'a move within the time': ['scheduled'],
  'a cancellation': [],
  'a confirmation': ['confirmed'],
};

test('a booking that commits after the emergency has looked, and before it has the slots, is cancelled as well', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [low, high] = twoSlots(world);
    const [inTheWay, emergency] = [await start(), await start()];
    await lockRow(inTheWay, low);

    const attempt = closing['an emergency'](emergency.db, world);
    expect(await untilBlocked(ownerPool, emergency.pid, attempt)).toEqual([inTheWay.pid]);
    const newcomer = await committedAs(ownerPool, world.otherPatient, (db) =>
      book(db, { slotId: high.where.id, patientId: nth(world.patientIds, 1) }),
    );
    await inTheWay.commit();

    const { affected_appointments, cancelled_appointments } = await attempt;
    expect(affected_appointments.map(({ appointment_id }) => appointment_id)).toContain(
      newcomer.id,
    );
    expect(cancelled_appointments).toBe(2);
    await emergency.commit();
    await expectNobodyLeft(world, 'an emergency');
  }));

test.each(['an emergency', 'unavailability'] as const)(
  '%s lets go of everything and starts again when somebody has a newcomer in hand',
  (name) =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const [low, high] = twoSlots(world);
      const [inTheWay, closer, keeper] = [await start(), await start(), await start()];
      await lockRow(inTheWay, low);
      const attempt = closing[name](closer.db, world);
      await untilBlocked(ownerPool, closer.pid, attempt);
      const newcomer = await committedAs(ownerPool, world.otherPatient, (db) =>
        book(db, { slotId: high.where.id, patientId: nth(world.patientIds, 1) }),
      );
      await lockRow(keeper, { table: 'appointment', where: { id: newcomer.id } });
      await inTheWay.commit();

      while (!(await untilBlocked(ownerPool, closer.pid, attempt)).includes(keeper.pid));
      for (const slot of [low, high]) expect(await isLocked(ownerPool, slot)).toBe(false);
      // The one who has it in hand goes on into a slot that would have been in the circle.
      await cancel(await as(keeper.db, world.receptionist), newcomer.id);
      await keeper.commit();

      const { affected_appointments } = await attempt;
      expect(affected_appointments.map(({ appointment_id }) => appointment_id)).toEqual([
        world.appointmentId,
      ]);
      await closer.commit();
      await expectNobodyLeft(world, name);
    }),
);

test('a newcomer whose long visit reaches beyond the emergency is cancelled with all its seats', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const serviceId = await insert(ownerPool, 'service', {
      hospital_id: world.id,
      name: 'Long visit',
      duration: '60 minutes',
    });
    const [inTheWay, emergency, keeper] = [await start(), await start(), await start()];
    await lockRow(inTheWay, { table: 'slot', where: { id: nth(world.slotIds, 4) } });
    const attempt = createAbsence(await as(emergency.db, world.doctor), {
      doctorId: world.doctorIds[0],
      type: 'emergency',
      firstDay: world.day,
      startTime: '11:00',
      endTime: '12:00',
    });
    await untilBlocked(ownerPool, emergency.pid, attempt);
    // It begins in the last slot of the emergency and ends after it.
    const newcomer = await committedAs(ownerPool, world.receptionist, (db) =>
      book(db, { slotId: nth(world.slotIds, 5), patientId: nth(world.patientIds, 1), serviceId }),
    );
    // Its second slot is not among those that the emergency locks: it has to come in its turn, before
    // any day.
    const beyond = { table: 'slot', where: { id: nth(world.slotIds, 6) } };
    await lockRow(keeper, beyond);
    await inTheWay.commit();
    while (!(await untilBlocked(ownerPool, emergency.pid, attempt)).includes(keeper.pid));
    const doctorDay = {
      table: 'doctor_day',
      where: { doctor_id: world.doctorIds[0], day: world.day },
    };
    expect(await isLocked(ownerPool, doctorDay)).toBe(false);
    await keeper.commit();

    const { change } = await attempt;
    expect(change).toMatchObject({ closed_slots: 2, cancelled_appointments: 1 });
    await emergency.commit();
    expect(await statusOf(newcomer.id)).toBe('cancelled');
    const { rows } = await ownerPool.query(
      'select booked_count, status from app_public.slot where id = any ($1)',
      [world.slotIds.slice(5, 7)],
    );
    expect(rows.map(({ booked_count }) => booked_count)).toEqual([0, 0]);
    await expectInvariants(ownerPool);
  }));

test('an emergency waits for an appointment while it holds no slot', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [moving, emergency] = [await start(), await start()];
    await lockRow(moving, { table: 'appointment', where: { id: world.appointmentId } });
    const attempt = closing['an emergency'](emergency.db, world);
    expect(await untilBlocked(ownerPool, emergency.pid, attempt)).toEqual([moving.pid]);
    for (const slot of twoSlots(world)) expect(await isLocked(ownerPool, slot)).toBe(false);
    await booking['a move out of the time'](moving.db, world);
    await moving.commit();
    expect((await attempt).affected_appointments).toEqual([]);
    await emergency.commit();
    expect(await statusOf(world.appointmentId)).toBe('scheduled');
    await expectInvariants(ownerPool);
  }));

const twice: Record<string, [Act, string]> = {
  'the same absence': [closing['an absence'], 'absence_overlaps'],
  'the same emergency': [closing['an emergency'], 'absence_overlaps'],
  'the same holiday': [closing['a holiday'], 'holiday_overlaps'],
  'the same unavailability': [closing.unavailability, 'done'],
};

test.each(Object.entries(twice))('%s twice at once happens once', (_, [act, outcome]) =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(), await start()];
    await act(one.db, world);
    const attempt = outcomeOf(act(other.db, world));
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toBe(outcome);
    await (outcome === 'done' ? other.commit() : other.end());
    await expectInvariants(ownerPool);
  }),
);

test('a holiday and an absence of the same day come in turn, and each opens its own', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const [one, other] = [await start(world.admin), await start(world.doctor)];
    const { holiday_id } = await createHoliday(one.db, { date: world.day });
    const attempt = createAbsence(other.db, { doctorId: world.doctorIds[0], firstDay: world.day });
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    const { absence_id } = await attempt;
    await other.commit();
    await expectInvariants(ownerPool);
    await committedAs(ownerPool, world.admin, (db) => cancelHoliday(db, holiday_id));
    await expectInvariants(ownerPool);
    await committedAs(ownerPool, world.doctor, (db) => cancelAbsence(db, absence_id));
    await expectInvariants(ownerPool);
  }));

test('an absence is cancelled once, however many try', async () => {
  const world = await prepare();
  const { absence_id } = await committedAs(ownerPool, world.doctor, (db) =>
    createAbsence(db, { doctorId: world.doctorIds[0], firstDay: world.day }),
  );
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () =>
      outcomeOf(committedAs(ownerPool, world.receptionist, (db) => cancelAbsence(db, absence_id))),
    ),
  );
  expect(outcomes.sort()).toEqual([...Array(4).fill('absence_is_cancelled'), 'done']);
  await expectInvariants(ownerPool);
});

const leaving = {
  deactivate_doctor: (world: World) => world.doctorIds[0],
  deactivate_patient: (world: World) => nth(world.patientIds, 1),
};

test.each(Object.entries(leaving))('%s while a booking is under way counts it', (operation, of) =>
  race(ownerPool, async (start) => {
    const world = await emptied();
    const [one, other] = [await start(), await start(world.admin)];
    await booking['a booking'](one.db, world);
    const attempt = outcomeOf(ask(other.db, operation, of(world)));
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toMatch(/_has_appointments$/);
  }),
);

test.each(Object.entries(leaving))('a booking while %s is under way finds out', (operation, of) =>
  race(ownerPool, async (start) => {
    const world = await emptied();
    const [one, other] = [await start(world.admin), await start()];
    await ask(one.db, operation, of(world));
    const attempt = outcomeOf(booking['a booking'](other.db, world));
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toMatch(/^(doctor|patient)_inactive$/);
  }),
);

test('a doctor cannot stop by hand beside somebody who writes the calendar: try again', () =>
  race(ownerPool, async (start) => {
    const world = await emptied();
    const [writing, stopping] = [await start(), await start()];
    await writing.db.query('select app_private.lock_calendar($1)', [world.id]);
    const stop = stopping.db.query('update app_public.doctor set is_active = false where id = $1', [
      world.doctorIds[0],
    ]);
    expect(await outcomeOf(stop)).toBe('try_again');
  }));

test('all at once, again and again', async () => {
  for (let round = 0; round < 6; round += 1) {
    const world = await prepare();
    const rivals = [world.otherPatient, world.receptionist, world.doctor, world.admin];
    const acts: Act[] = [
      ...Object.values(booking),
      ...Object.values(closing).slice(0, 3),
      ...rivals.map(
        (_, index): Act =>
          async (db) => {
            await become(db, world.receptionist);
            return book(db, {
              slotId: nth(world.slotIds, 6 + index),
              patientId: nth(world.patientIds, index),
            });
          },
      ),
    ];
    const outcomes = await Promise.all(
      acts.map((act) =>
        outcomeOf(
          committedAs(ownerPool, world.receptionist, async (db) => {
            await act(db, world);
          }),
        ),
      ),
    );
    for (const outcome of outcomes) expect(outcome).toMatch(/^[a-z_]+$/);
    await expectInvariants(ownerPool);
    const { rows } = await ownerPool.query(
      `select from app_public.appointment
       join app_public.absence on absence.hospital_id = appointment.hospital_id
         and absence.doctor_id = appointment.doctor_id and absence.during && appointment.during
       where appointment.hospital_id = $1 and holds_seat and absence.type = 'emergency'`,
      [world.id],
    );
    expect(rows).toEqual([]);
  }
});

/** The lowest and the highest of the first doctor's free slots of tomorrow, in the order of locks. */
function twoSlots({ slotIds }: World) {
  const [low = '', ...more] = slotIds.slice(4, 14).sort();
  return [low, more.at(-1) ?? ''].map((id) => ({ table: 'slot', where: { id } })) as [
    { table: 'slot'; where: { id: string } },
    { table: 'slot'; where: { id: string } },
  ];
}

async function emptied(): Promise<World> {
  const world = await prepare();
  await committedAs(ownerPool, world.receptionist, async (db) => {
    for (const id of [world.appointmentId, world.elsewhereId]) await cancel(db, id);
  });
  return world;
}

async function statusOf(appointmentId: string): Promise<string> {
  const { rows } = await ownerPool.query<{ status: string }>(
    'select status from app_public.appointment where id = $1',
    [appointmentId],
  );
  return rows[0]?.status ?? '';
}

async function expectNobodyLeft(world: World, closer: Closing): Promise<void> {
  await expectInvariants(ownerPool);
  if (!cancels(closer)) return;
  const { rows } = await ownerPool.query(
    `select id, status from app_public.appointment
     where hospital_id = $1 and doctor_id = $2 and (holds_seat or status = 'requested')`,
    [world.id, world.doctorIds[0]],
  );
  expect(rows).toEqual([]);
}
