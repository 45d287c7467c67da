import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asWorker, become, committedAs } from '../helpers/actors.ts';
import { book, cancel, reschedule, stored } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { isLocked, lockRow, outcomeOf, race, untilBlocked } from '../helpers/races.ts';
import { accept, decline, propose, request, startOf } from '../helpers/requests.ts';

// A request and its answers, against each other and against everything else that wants the same seat or
// the same patient. The second begins while the first is done but not committed.

const { ownerPool } = await createDatabase();

type World = OpenHospital & {
  /** The first patient's request for the time of the first slot. */
  requestId: string;
  startsAt: Date;
};

type Act = (db: ClientBase, world: World) => Promise<unknown>;

const acts = {
  'the doctor accepts': async (db, world) => {
    await become(db, world.doctor);
    return accept(db, world.requestId, nth(world.slotIds, 0));
  },
  'reception accepts without naming a slot': async (db, world) => {
    await become(db, world.receptionist);
    return accept(db, world.requestId);
  },
  'the doctor declines': async (db, world) => {
    await become(db, world.doctor);
    return decline(db, world.requestId);
  },
  'reception proposes the second slot': async (db, world) => {
    await become(db, world.receptionist);
    return propose(db, world.requestId, nth(world.slotIds, 1));
  },
  'the patient withdraws': async (db, world) => {
    await become(db, world.patient);
    return cancel(db, world.requestId);
  },
  'another patient books the first slot': async (db, world) => {
    await become(db, world.otherPatient);
    return book(db, { slotId: nth(world.slotIds, 0), patientId: nth(world.patientIds, 1) });
  },
  'another patient books the second slot': async (db, world) => {
    await become(db, world.otherPatient);
    return book(db, { slotId: nth(world.slotIds, 1), patientId: nth(world.patientIds, 1) });
  },
  'the patient books the other doctor then': async (db, world) => {
    await become(db, world.patient);
    return book(db, { slotId: nth(world.otherSlotIds, 0), patientId: nth(world.patientIds, 0) });
  },
} satisfies Record<string, Act>;

type ActName = keyof typeof acts;
const names = Object.keys(acts) as ActName[];
const answers: readonly ActName[] = [
  'the doctor accepts',
  'reception accepts without naming a slot',
  'the doctor declines',
  'reception proposes the second slot',
];
const withdrawal = 'the patient withdraws';
const accepts: readonly ActName[] = answers.slice(0, 2);
const books = {
  first: 'another patient books the first slot',
  second: 'another patient books the second slot',
  elsewhere: 'the patient books the other doctor then',
} as const;
const proposal = 'reception proposes the second slot';

/** What may come of the second act, by what the first one did. */
function allowed(first: ActName, second: ActName): readonly string[] {
  const isAnswer = answers.includes(second);
  if (answers.includes(first) || first === withdrawal) {
    // Answered or withdrawn once is answered; a patient may still cancel what was accepted or proposed.
    if (isAnswer) return ['illegal_transition'];
    const isOver = first === 'the doctor declines' || first === withdrawal;
    if (second === withdrawal) return [isOver ? 'illegal_transition' : 'done'];
  }
  if (accepts.includes(first)) {
    if (second === books.first) return ['slot_booked'];
    if (second === books.elsewhere) return ['patient_double_booked'];
  }
  if (first === proposal && second === books.second) return ['slot_booked'];
  if (first === books.first) {
    if (accepts.includes(second)) return ['slot_booked'];
    if (second === books.first) return ['patient_double_booked'];
    return ['done'];
  }
  if (first === books.second) {
    if (second === proposal) return ['slot_booked'];
    if (second === books.second) return ['patient_double_booked'];
    return ['done'];
  }
  if (first === books.elsewhere) {
    if (accepts.includes(second) || second === books.elsewhere) return ['patient_double_booked'];
    return ['done'];
  }
  return ['done'];
}

test.each(names.flatMap((first) => names.map((second) => [first, second] as const)))(
  '%s, and meanwhile: %s',
  (first, second) =>
    race(ownerPool, async (start) => {
      const world = await prepare();
      const [one, other] = [await start(), await start()];
      expect(await outcomeOf(acts[first](one.db, world))).toBe('done');

      const attempt = outcomeOf(acts[second](other.db, world));
      await Promise.race([attempt, untilBlocked(ownerPool, other.pid, attempt).catch(() => [])]);
      await one.commit();
      const outcome = await attempt;
      if (outcome === 'done') await other.commit();
      await other.end();

      // The other patient's two bookings are of two times.
      const isApart =
        [first, second].includes(books.first) && [first, second].includes(books.second);
      expect(isApart ? ['done'] : allowed(first, second)).toContain(outcome);
      await expectInvariants(ownerPool);
    }),
);

test('all at once, again and again', async () => {
  for (let round = 0; round < 10; round += 1) {
    const world = await prepare();
    const outcomes = await Promise.all(
      names.map((name) =>
        outcomeOf(committedAs(ownerPool, world.receptionist, (db) => acts[name](db, world))),
      ),
    );
    const known = ['done', 'illegal_transition', 'slot_booked', 'patient_double_booked'];
    expect(known).toEqual(expect.arrayContaining(outcomes));
    expect(answers.filter((name) => outcomes[names.indexOf(name)] === 'done').length).toBeLessThan(
      2,
    );
    await expectInvariants(ownerPool);
  }
});

test('many ask for the last seat: one gets it, the others leave a request, and nobody an error', async () => {
  const hospital = await openHospital(ownerPool, { horizonDays: 2, patientCount: 24 });
  const startsAt = await startOfSlot(nth(hospital.slotIds, 0));
  const placed = await Promise.all(
    hospital.patientIds.map((patientId) =>
      committedAs(ownerPool, hospital.receptionist, (db) =>
        request(db, { doctorId: hospital.doctorIds[0], startsAt, patientId }),
      ),
    ),
  );
  const statuses = placed.map(({ status }) => status).sort();
  expect(statuses).toEqual([...Array(23).fill('requested'), 'scheduled']);
  await expectInvariants(ownerPool);
});

test('two ask for the last seat at the same moment: the second waits for the slot, then leaves a request', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 2 });
    const startsAt = await startOfSlot(nth(hospital.slotIds, 0));
    const wish = (patient: number) => ({
      doctorId: hospital.doctorIds[0],
      startsAt,
      patientId: nth(hospital.patientIds, patient),
    });
    const [one, other] = [await start(hospital.patient), await start(hospital.otherPatient)];
    expect(await request(one.db, wish(0))).toMatchObject({ status: 'scheduled' });
    const attempt = request(other.db, wish(1));
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toMatchObject({ status: 'requested' });
    await other.commit();
    await expectInvariants(ownerPool);
  }));

test('if the first one gives up, the second gets the seat', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 2 });
    const startsAt = await startOfSlot(nth(hospital.slotIds, 0));
    const [one, other] = [await start(hospital.patient), await start(hospital.otherPatient)];
    const wish = { doctorId: hospital.doctorIds[0], startsAt };
    await request(one.db, { ...wish, patientId: nth(hospital.patientIds, 0) });
    const attempt = request(other.db, { ...wish, patientId: nth(hospital.patientIds, 1) });
    await untilBlocked(ownerPool, other.pid, attempt);
    await one.end();
    expect(await attempt).toMatchObject({ status: 'scheduled' });
    await other.commit();
  }));

test('the same wish twice at once is one request: the second is told of the first', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 2 });
    const startsAt = new Date((await startOfSlot(nth(hospital.slotIds, 0))).getTime() + 600_000);
    const wish = {
      doctorId: hospital.doctorIds[0],
      startsAt,
      patientId: nth(hospital.patientIds, 0),
    };
    const [one, other] = [await start(hospital.patient), await start(hospital.receptionist)];
    await request(one.db, wish);
    const attempt = outcomeOf(request(other.db, wish));
    expect(await untilBlocked(ownerPool, other.pid, attempt)).toEqual([one.pid]);
    await one.commit();
    expect(await attempt).toBe('request_already_made');
  }));

test('a day without rows is cut once, however many ask for it at once', async () => {
  const hospital = await createHospital(ownerPool, { patientCount: 8 });
  const { rows } = await ownerPool.query<{ starts_at: Date }>(
    `select ((now() at time zone $1)::date + 5 + time '09:00') at time zone $1
       + number * interval '30 minutes' as starts_at from generate_series(0, 7) as number`,
    [hospital.timeZone],
  );
  const placed = await Promise.all(
    hospital.patientIds.map((patientId, index) =>
      committedAs(ownerPool, hospital.receptionist, (db) =>
        request(db, {
          doctorId: hospital.doctorIds[0],
          startsAt: nth(rows, index).starts_at,
          patientId,
        }),
      ),
    ),
  );
  expect(placed.map(({ status }) => status)).toEqual(Array(8).fill('scheduled'));
  const { rows: slots } = await ownerPool.query(
    'select count(*)::int as count from app_public.slot where hospital_id = $1',
    [hospital.id],
  );
  expect(slots).toEqual([{ count: 14 }]);
  await expectInvariants(ownerPool);
});

// The clock belongs to the database, so each of these races has one of its own.
test.each(['accepted', 'withdrawn'] as const)(
  'the sweep does not wait for a request that is just being %s',
  (answer) =>
    inThePast(async (pool, world) => {
      await race(pool, async (start) => {
        const [answering, sweeping] = [await start(), await start()];
        await lockRow(answering, { table: 'appointment', where: { id: world.requestId } });
        await asWorker(sweeping.db);
        const { rows } = await sweeping.db.query<{ count: number }>(
          'select app_private.expire_lapsed_requests($1) as count',
          [world.id],
        );
        expect(rows).toEqual([{ count: 0 }]);
        await sweeping.commit();
        await become(answering.db, answer === 'accepted' ? world.receptionist : world.patient);
        const outcome = await outcomeOf(
          answer === 'accepted'
            ? accept(answering.db, world.requestId, nth(world.slotIds, 0))
            : cancel(answering.db, world.requestId),
        );
        expect(outcome).toBe(answer === 'accepted' ? 'slot_in_past' : 'done');
        if (outcome === 'done') await answering.commit();
      });
      await expectInvariants(pool);
    }),
);

test('who answers while the sweep expires the request waits, and finds it expired', () =>
  inThePast(async (pool, world) => {
    await race(pool, async (start) => {
      const [sweeping, answering] = [await start(), await start(world.receptionist)];
      await asWorker(sweeping.db);
      await sweeping.db.query('select app_private.expire_lapsed_requests($1)', [world.id]);
      const attempt = outcomeOf(accept(answering.db, world.requestId, nth(world.slotIds, 0)));
      expect(await untilBlocked(pool, answering.pid, attempt)).toEqual([sweeping.pid]);
      await sweeping.commit();
      expect(await attempt).toBe('illegal_transition');
    });
    const client = await pool.connect();
    try {
      await client.query('begin');
      expect(await stored(client, world.requestId)).toMatchObject({ status: 'expired' });
    } finally {
      await client.query('rollback');
      client.release();
    }
  }));

test('an acceptance locks the request, then its patient, then its slot', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const slot = { table: 'slot', where: { id: nth(world.slotIds, 0) } };
    const patient = { table: 'patient', where: { id: nth(world.patientIds, 0) } };
    const theRequest = { table: 'appointment', where: { id: world.requestId } };
    const [atPatient, atSlot] = [await start(), await start()];
    const accepting = await start(world.receptionist);
    await lockRow(atPatient, patient);
    await lockRow(atSlot, slot);

    const attempt = accept(accepting.db, world.requestId);
    expect(await untilBlocked(ownerPool, accepting.pid, attempt)).toEqual([atPatient.pid]);
    expect(await isLocked(ownerPool, theRequest)).toBe(true);

    await atPatient.commit();
    let blockers: number[];
    do blockers = await untilBlocked(ownerPool, accepting.pid);
    while (!blockers.includes(atSlot.pid));
    expect(await isLocked(ownerPool, patient)).toBe(true);
    await atSlot.commit();
    expect(await attempt).toMatchObject({ status: 'scheduled' });
    await accepting.commit();
    await expectInvariants(ownerPool);
  }));

test('a seat that is added while a booking waits for the slot is there for it', () =>
  race(ownerPool, async (start) => {
    const world = await prepare();
    const slotId = nth(world.slotIds, 0);
    await committedAs(ownerPool, world.receptionist, (db) =>
      book(db, { slotId, patientId: nth(world.patientIds, 2) }),
    );
    const [adding, booking] = [await start(world.doctor), await start(world.otherPatient)];
    await adding.db.query("select app_public.add_seat($1, 'an emergency')", [slotId]);
    // Until it is committed nobody sees it, and nobody waits for it in vain.
    const moving = await start(world.receptionist);
    const other = await committedAs(ownerPool, world.receptionist, (db) =>
      book(db, { slotId: nth(world.slotIds, 4), patientId: nth(world.patientIds, 3) }),
    );
    const move = outcomeOf(reschedule(moving.db, other.id, slotId));
    expect(await untilBlocked(ownerPool, moving.pid, move)).toEqual([adding.pid]);
    await adding.commit();
    expect(await move).toBe('done');
    await moving.commit();
    const late = () => book(booking.db, { slotId, patientId: nth(world.patientIds, 1) });
    expect(await outcomeOf(late())).toBe('slot_booked');
    await expectInvariants(ownerPool);
  }));

async function startOfSlot(slotId: string, pool = ownerPool): Promise<Date> {
  const client = await pool.connect();
  try {
    return await startOf(client, slotId);
  } finally {
    client.release();
  }
}

async function prepare(pool = ownerPool): Promise<World> {
  const hospital = await openHospital(pool, { horizonDays: 1 });
  const { rows } = await pool.query<{ id: string; starts_at: Date }>(
    `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
     select hospital_id, doctor_id, $2, during, 'requested' from app_public.slot where id = $1
     returning id, starts_at`,
    [nth(hospital.slotIds, 0), nth(hospital.patientIds, 0)],
  );
  const made = nth(rows, 0);
  return { ...hospital, requestId: made.id, startsAt: made.starts_at };
}

/** A database in which the time of the request has passed. */
async function inThePast(
  story: (pool: typeof ownerPool, world: World) => Promise<void>,
): Promise<void> {
  const database = await createDatabase({ dropAfterFile: false });
  try {
    const world = await prepare(database.ownerPool);
    await database.ownerPool.query(
      "insert into app_private.clock_shift (shift) values (interval '3 days')",
    );
    await story(database.ownerPool, world);
  } finally {
    await database.drop();
  }
}
