// Two at once in the waiting room: at the row the second one waits, and finds what the first has left.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asWorker, committedAs } from '../helpers/actors.ts';
import { book, stored, transit } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { outcomeOf, race, untilBlocked } from '../helpers/races.ts';
import { alertsIn, consultation, fillIn } from '../visits/arrivals.ts';

const { ownerPool } = await createDatabase();

/** A hospital with one patient who has arrived, on the clock of everybody, which is `minutes` later now. */
async function arrived(minutes = 0): Promise<{ hospital: OpenHospital; visit: string }> {
  await ownerPool.query('delete from app_private.clock_shift');
  const hospital = await openHospital(ownerPool, { horizonDays: 1 });
  const { id, starts_at } = await committedAs(ownerPool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, 0), patientId: nth(hospital.patientIds, 0) }),
  );
  const shift = async (after: number) => {
    await ownerPool.query(
      `insert into app_private.clock_shift (shift) values ($1::timestamptz + $2::interval - now())
       on conflict (is_single) do update set shift = excluded.shift`,
      [starts_at, `${after} minutes`],
    );
  };
  await shift(0);
  await committedAs(ownerPool, hospital.nurse, (db) => transit(db, 'check_in_appointment', id));
  await shift(minutes);
  return { hospital, visit: id };
}

/** The same with a consultation that only has to be completed. */
async function calledIn(): Promise<{ hospital: OpenHospital; visit: string; id: string }> {
  const { hospital, visit } = await arrived();
  const id = await committedAs(ownerPool, hospital.doctor, async (db) => {
    const { consultation_id } = await startOne(db, visit);
    await fillIn(db, consultation_id);
    return consultation_id;
  });
  return { hospital, visit, id };
}

const startOne = (db: ClientBase, visit: string) =>
  consultation(db, 'start_consultation($1)', [visit]);
const deeds = {
  update: (db: ClientBase, id: string) =>
    consultation(db, "update_consultation($1, notes => 'one more')", [id]),
  complete: (db: ClientBase, id: string) => consultation(db, 'complete_consultation($1)', [id]),
  abandon: (db: ClientBase, id: string) =>
    consultation(db, "abandon_consultation($1, 'fire alarm')", [id]),
};

async function raiseAlerts(db: ClientBase, hospital: OpenHospital): Promise<number> {
  await asWorker(db);
  const { rows } = await db.query('select app_private.raise_stage_alerts($1) as count', [
    hospital.id,
  ]);
  return rows[0].count;
}

async function inspect<T>(look: (db: ClientBase) => Promise<T>): Promise<T> {
  const db = await ownerPool.connect();
  try {
    return await look(db);
  } finally {
    db.release();
  }
}

test('of two who call a patient in, one does', async () => {
  const { hospital, visit } = await arrived();
  const outcomes = await race(ownerPool, async (begin) => {
    const first = await begin(hospital.doctor);
    const second = await begin(hospital.doctor);
    await startOne(first.db, visit);
    const attempt = outcomeOf(startOne(second.db, visit));
    await untilBlocked(ownerPool, second.pid, attempt);
    await first.commit();
    return attempt;
  });
  expect(outcomes).toBe('consultation_open');
  const { rows } = await ownerPool.query(
    'select status from app_public.consultation where appointment_id = $1',
    [visit],
  );
  expect(rows).toEqual([{ status: 'started' }]);
});

test.each([
  { first: 'complete', second: 'update', outcome: 'consultation_is_final', visit: 'completed' },
  { first: 'update', second: 'complete', outcome: 'done', visit: 'completed' },
  { first: 'abandon', second: 'complete', outcome: 'consultation_is_final', visit: 'checked_in' },
  { first: 'complete', second: 'abandon', outcome: 'consultation_is_final', visit: 'completed' },
  { first: 'complete', second: 'complete', outcome: 'consultation_is_final', visit: 'completed' },
] as const)('$first, and $second meanwhile: $outcome', async (each) => {
  const { hospital, visit, id } = await calledIn();
  const outcome = await race(ownerPool, async (begin) => {
    const first = await begin(hospital.doctor);
    const second = await begin(hospital.doctor);
    await deeds[each.first](first.db, id);
    const attempt = outcomeOf(deeds[each.second](second.db, id));
    await untilBlocked(ownerPool, second.pid, attempt);
    await first.commit();
    const result = await attempt;
    if (result === 'done') await second.commit();
    return result;
  });
  expect(outcome).toBe(each.outcome);
  expect((await inspect((db) => stored(db, visit))).status).toBe(each.visit);
  const { rows } = await ownerPool.query(
    'select notes from app_public.consultation where id = $1',
    [id],
  );
  expect(rows).toEqual([{ notes: each.first === 'update' ? 'one more' : 'sleeps badly' }]);
});

test('nobody is added to a consultation that is just being completed', async () => {
  const { hospital, id } = await calledIn();
  const outcome = await race(ownerPool, async (begin) => {
    const first = await begin(hospital.doctor);
    const second = await begin(hospital.doctor);
    await deeds.complete(first.db, id);
    const attempt = outcomeOf(
      consultation(second.db, "add_participant($1, $2, 'assisting')", [id, hospital.doctorIds[1]]),
    );
    await untilBlocked(ownerPool, second.pid, attempt);
    await first.commit();
    return attempt;
  });
  expect(outcome).toBe('consultation_is_final');
});

test('a visit is not completed past a consultation that is just being started', async () => {
  const { hospital, visit } = await arrived();
  const outcome = await race(ownerPool, async (begin) => {
    const first = await begin(hospital.doctor);
    const second = await begin(hospital.doctor);
    await startOne(first.db, visit);
    const attempt = outcomeOf(transit(second.db, 'complete_appointment', visit));
    await untilBlocked(ownerPool, second.pid, attempt);
    await first.commit();
    return attempt;
  });
  expect(outcome).toBe('consultation_open');
});

test('a patient is not called in who is just being let go', async () => {
  const { hospital, visit } = await arrived();
  const outcome = await race(ownerPool, async (begin) => {
    const first = await begin(hospital.doctor);
    const second = await begin(hospital.doctor);
    await transit(first.db, 'complete_appointment', visit);
    const attempt = outcomeOf(startOne(second.db, visit));
    await untilBlocked(ownerPool, second.pid, attempt);
    await first.commit();
    return attempt;
  });
  expect(outcome).toBe('illegal_transition');
});

test('of two sweeps at once one raises the alert, and neither waits', async () => {
  const { hospital } = await arrived(36);
  await race(ownerPool, async (begin) => {
    const first = await begin();
    const second = await begin();
    expect(await raiseAlerts(first.db, hospital)).toBe(1);
    expect(await raiseAlerts(second.db, hospital)).toBe(0);
    await second.commit();
    await first.commit();
  });
  expect(await inspect((db) => alertsIn(db, hospital))).toHaveLength(1);
  await race(ownerPool, async (begin) => {
    expect(await raiseAlerts((await begin()).db, hospital)).toBe(0);
  });
});

test('no alert is raised for a patient who is just being called in', async () => {
  const { hospital, visit } = await arrived(36);
  await race(ownerPool, async (begin) => {
    const doctor = await begin(hospital.doctor);
    const sweep = await begin();
    await startOne(doctor.db, visit);
    expect(await raiseAlerts(sweep.db, hospital)).toBe(0);
    await doctor.commit();
    await sweep.commit();
  });
  expect(await inspect((db) => alertsIn(db, hospital))).toEqual([]);
});

test('an alert that is just being raised ends with the wait that ends meanwhile', async () => {
  const { hospital, visit } = await arrived(36);
  await race(ownerPool, async (begin) => {
    const sweep = await begin();
    const doctor = await begin(hospital.doctor);
    expect(await raiseAlerts(sweep.db, hospital)).toBe(1);
    const attempt = startOne(doctor.db, visit);
    await untilBlocked(ownerPool, doctor.pid, attempt);
    await sweep.commit();
    await attempt;
    await doctor.commit();
  });
  expect(await inspect((db) => alertsIn(db, hospital))).toMatchObject([
    { status: 'resolved', resolution: 'auto' },
  ]);
});

test.each(['auto', 'manual'] as const)(
  'an alert is resolved once, by whoever comes first: %s',
  async (winner) => {
    const { hospital, visit } = await arrived(36);
    await race(ownerPool, async (begin) => {
      const sweep = await begin();
      expect(await raiseAlerts(sweep.db, hospital)).toBe(1);
      await sweep.commit();
    });
    const [alert] = await inspect((db) => alertsIn(db, hospital));
    const resolve = (db: ClientBase) =>
      db.query('select app_public.resolve_stage_alert($1)', [alert?.id]);
    const outcome = await race(ownerPool, async (begin) => {
      const nurse = await begin(hospital.nurse);
      const doctor = await begin(hospital.doctor);
      const [first, second] = winner === 'auto' ? [doctor, nurse] : [nurse, doctor];
      const acts = { auto: () => startOne(doctor.db, visit), manual: () => resolve(nurse.db) };
      await acts[winner]();
      const attempt = outcomeOf(acts[winner === 'auto' ? 'manual' : 'auto']());
      await untilBlocked(ownerPool, second.pid, attempt);
      await first.commit();
      const result = await attempt;
      if (result === 'done') await second.commit();
      return result;
    });
    expect(outcome).toBe(winner === 'auto' ? 'illegal_alert_transition' : 'done');
    expect(await inspect((db) => alertsIn(db, hospital))).toMatchObject([
      { status: 'resolved', resolution: winner },
    ]);
    expect((await inspect((db) => stored(db, visit))).status).toBe('in_progress');
  },
);

test('of two who take care of an alert, the second is told', async () => {
  const { hospital } = await arrived(36);
  await race(ownerPool, async (begin) => {
    const sweep = await begin();
    await raiseAlerts(sweep.db, hospital);
    await sweep.commit();
  });
  const [alert] = await inspect((db) => alertsIn(db, hospital));
  const acknowledge = (db: ClientBase) =>
    db.query('select app_public.acknowledge_stage_alert($1)', [alert?.id]);
  const outcome = await race(ownerPool, async (begin) => {
    const first = await begin(hospital.nurse);
    const second = await begin(hospital.receptionist);
    await acknowledge(first.db);
    const attempt = outcomeOf(acknowledge(second.db));
    await untilBlocked(ownerPool, second.pid, attempt);
    await first.commit();
    return attempt;
  });
  expect(outcome).toBe('illegal_alert_transition');
});

test('erasing and starting a consultation come in turn, without a deadlock', async () => {
  const { hospital, visit } = await arrived(24 * 60);
  const outcome = await race(ownerPool, async (begin) => {
    const admin = await begin(hospital.admin);
    const doctor = await begin(hospital.doctor);
    await admin.db.query('select app_public.erase_patient($1)', [nth(hospital.patientIds, 0)]);
    const attempt = outcomeOf(startOne(doctor.db, visit));
    await untilBlocked(ownerPool, doctor.pid, attempt);
    await admin.commit();
    const result = await attempt;
    await doctor.end();
    return result;
  });
  expect(outcome).toBe('done');
});
