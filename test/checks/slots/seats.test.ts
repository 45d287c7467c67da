// Slots and those who sit in them: more ways to break them, what is right all the same, and repairs
// beside people who book.
import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { unguarded } from '../../../drill/damage.ts';
import { addSeat, bookLong, cancel } from '../../../drill/damages/slots/seats.ts';
import { createSubject, type Subject } from '../../../drill/subject.ts';
import { rolledBack } from '../../helpers/actors.ts';
import { moveClock } from '../../helpers/clock.ts';
import { createDatabase } from '../../helpers/database.ts';
import { createHospital } from '../../helpers/hospital.ts';
import { expectInvariants } from '../../helpers/invariants.ts';
import { nth } from '../../helpers/nth.ts';
import { race, untilBlocked } from '../../helpers/races.ts';
import { rowsOf } from '../findings.ts';

const { ownerPool } = await createDatabase();

const seatChecks = [
  'slot_counter_mismatch',
  'booked_slot_without_appointment',
  'available_slot_with_full_appointments',
  'booked_slot_with_inactive_appointment',
  'appointment_outside_slot',
];

test('seats that are taken, left, added, held and long are right', () =>
  story(async (db, subject) => {
    await bookLong(db, subject, 0);
    await cancel(db, subject, await bookLong(db, subject, 4));
    await addSeat(db, subject, 4);
    await subject.book(4, 1);
    await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, idempotency_key)
       values ($1, $2, $3, 'held', $4)`,
      [subject.hospitalId, subject.slotIds[8], subject.patientIds[1], randomUUID()],
    );
    await moveClock(db, '1 hour');
    expect(await spoken(db, subject)).toEqual({});
  }));

test('a full slot of two seats is not booked by one who has left', () =>
  story(async (db, subject) => {
    await addSeat(db, subject, 0);
    await subject.book(0, 0);
    await cancel(db, subject, await subject.book(0, 1));
    expect(await spoken(db, subject)).toEqual({});

    await setCount(db, subject, 0, 2);
    expect(Object.keys(await spoken(db, subject))).toEqual([
      'slot_counter_mismatch',
      'booked_slot_with_inactive_appointment',
    ]);
    expect(await repair(db, 'booked_slot_with_inactive_appointment')).toEqual({
      resolved: 1,
      reviews: 0,
    });
    expect(await spoken(db, subject)).toEqual({});
    expect(await repair(db, 'booked_slot_with_inactive_appointment')).toEqual({
      resolved: 0,
      reviews: 0,
    });
  }));

test('seats that a long visit left behind are given up, and only those', () =>
  story(async (db, subject) => {
    const long = await bookLong(db, subject, 0);
    await unguarded(db, () =>
      db.query(
        `update app_public.appointment set status = 'cancelled', cancelled_at = app_private.clock()
         where hospital_id = $1 and id = $2`,
        [subject.hospitalId, long],
      ),
    );
    const wrong = await rowsOf(db, 'booked_slot_with_inactive_appointment', subject.hospitalId);
    expect(wrong.map(({ entity_id }) => entity_id).toSorted()).toEqual(
      subject.slotIds.slice(0, 2).toSorted(),
    );
    expect(wrong.map(({ metadata }) => metadata.appointment_ids)).toEqual([[long], [long]]);

    await repair(db, 'booked_slot_with_inactive_appointment');
    expect(await spoken(db, subject)).toEqual({});
    const { rows } = await db.query(
      'select from app_public.appointment_seat where hospital_id = $1 and appointment_id = $2',
      [subject.hospitalId, long],
    );
    expect(rows).toEqual([]);
  }));

test('the last seat of a slot that was only kept takes the slot with it', () =>
  story(async (db, subject) => {
    await setSlot(db, subject, 0, 'booked_count = 1, is_retired = true');
    await repair(db, 'slot_counter_mismatch');
    const { rows } = await db.query(
      `select booked_count, withdrawn_at is not null as is_withdrawn from app_public.slot
       where hospital_id = $1 and id = $2`,
      [subject.hospitalId, subject.slotIds[0]],
    );
    expect(rows).toEqual([{ booked_count: 0, is_withdrawn: true }]);
  }));

test('more people than seats are left to people', () =>
  story(async (db, subject) => {
    await addSeat(db, subject, 0);
    await subject.book(0, 0);
    await subject.book(0, 1);
    await setSlot(db, subject, 0, 'booked_count = 0, capacity = 1');
    expect(await repair(db, 'available_slot_with_full_appointments')).toEqual({
      resolved: 0,
      reviews: 1,
    });
    expect(await repair(db, 'available_slot_with_full_appointments')).toEqual({
      resolved: 0,
      reviews: 1,
    });
  }));

test('a recount leaves an audit entry that names its check', () =>
  story(async (db, subject) => {
    await setCount(db, subject, 0, 1);
    await repair(db, 'booked_slot_without_appointment');
    const { rows } = await db.query(
      `select actor_role, old_state, new_state from app_public.audit_entry
       where hospital_id = $1 and record_id = $2 and actor_role like 'repair:%'`,
      [subject.hospitalId, subject.slotIds[0]],
    );
    expect(rows).toEqual([
      {
        actor_role: 'repair:booked_slot_without_appointment',
        old_state: { booked_count: 1 },
        new_state: { booked_count: 0 },
      },
    ]);
  }));

test.each([
  [
    'doctor',
    'doctor_id = (select id from app_public.doctor where hospital_id = $1 and id <> appointment.doctor_id limit 1)',
  ],
  [
    'location',
    'location_id = (select id from app_public.location where hospital_id = $1 and id <> appointment.location_id limit 1)',
  ],
  ['start', "during = tstzrange(starts_at - interval '1 minute', ends_at)"],
  ['end', "during = tstzrange(starts_at, ends_at + interval '1 minute')"],
])('an appointment whose %s is not that of its slot is found', (fault, change) =>
  story(async (db, subject) => {
    const id = await subject.book(0);
    await unguarded(db, () =>
      db.query(`update app_public.appointment set ${change} where hospital_id = $1 and id = $2`, [
        subject.hospitalId,
        id,
      ]),
    );
    const rows = await rowsOf(db, 'appointment_outside_slot', subject.hospitalId);
    expect(rows.map(({ entity_id, metadata }) => [entity_id, metadata.fault])).toEqual([
      [id, fault],
    ]);
  }),
);

test('a long visit is covered by its further seats, and not without them', () =>
  story(async (db, subject) => {
    const id = await bookLong(db, subject, 0);
    expect(await rowsOf(db, 'appointment_outside_slot')).toEqual([]);
    await unguarded(db, () =>
      db.query('delete from app_public.appointment_seat where hospital_id = $1', [
        subject.hospitalId,
      ]),
    );
    const rows = await rowsOf(db, 'appointment_outside_slot');
    expect(rows.map(({ entity_id, metadata }) => [entity_id, metadata.fault])).toEqual([
      [id, 'end'],
    ]);
  }));

test('doctors who share a place never overlap, one doctor at two places does', () =>
  story(async (db, subject) => {
    expect(await rowsOf(db, 'overlapping_slots')).toEqual([]);
    await db.query('alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap');
    await unguarded(db, () =>
      db.query(
        `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
         select hospital_id, doctor_id,
           (select id from app_public.location where hospital_id = $1 and id <> slot.location_id limit 1),
           tstzrange(starts_at - interval '10 minutes', starts_at + interval '10 minutes')
         from app_public.slot where hospital_id = $1 and id = $2`,
        [subject.hospitalId, subject.slotIds[0]],
      ),
    );
    const rows = await rowsOf(db, 'overlapping_slots');
    expect(rows.map(({ metadata }) => metadata.other_slot_ids)).toEqual([[subject.slotIds[0]]]);
    expect(rows.map(({ detail }) => detail)).toEqual([
      'The slot overlaps another slot of the same doctor at another place.',
    ]);
    await moveClock(db, '40 days');
    expect(await rowsOf(db, 'overlapping_slots')).toEqual([]);
  }));

test.each(['the booking first', 'the repair first'])(
  'a recount beside a booking: %s',
  async (order) => {
    const { subject, hospitalId } = await committedSubject();
    const slotId = nth(subject.slotIds, 0);
    // Room for two, and one seat too many in the count.
    await committed(async (db) => {
      await unguarded(db, () =>
        db.query(
          'update app_public.slot set capacity = 3, booked_count = 1 where hospital_id = $1 and id = $2',
          [hospitalId, slotId],
        ),
      );
    });
    const findingId = await findingOf('slot_counter_mismatch', hospitalId);

    await race(ownerPool, async (start) => {
      const booker = await start();
      const repairer = await start();
      const book = () =>
        booker.db.query(
          `insert into app_public.appointment (hospital_id, slot_id, patient_id, status, idempotency_key)
         values ($1, $2, $3, 'scheduled', $4)`,
          [hospitalId, slotId, subject.patientIds[0], randomUUID()],
        );
      const recount = () =>
        repairer.db.query('select app_private.repair_finding($1, $2)', [hospitalId, findingId]);
      const [first, second] =
        order === 'the booking first'
          ? [
              { racer: booker, act: book },
              { racer: repairer, act: recount },
            ]
          : [
              { racer: repairer, act: recount },
              { racer: booker, act: book },
            ];
      await first.act();
      const waiting = second.act();
      expect(await untilBlocked(ownerPool, second.racer.pid, waiting)).toEqual([first.racer.pid]);
      await first.racer.commit();
      await waiting;
      await second.racer.commit();
    });

    const { rows } = await ownerPool.query(
      'select booked_count from app_public.slot where hospital_id = $1 and id = $2',
      [hospitalId, slotId],
    );
    expect(rows).toEqual([{ booked_count: 1 }]);
    await expectInvariants(ownerPool);
  },
);

async function committed<T>(work: (db: ClientBase) => Promise<T>): Promise<T> {
  const client = await ownerPool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } finally {
    client.release();
  }
}

async function committedSubject() {
  return committed(async (db) => {
    const { id } = await createHospital(db, { horizonDays: 3 });
    return { hospitalId: id, subject: await createSubject(db, id) };
  });
}

async function findingOf(check: string, hospitalId: string): Promise<string> {
  return committed(async (db) => {
    await db.query("select app_private.run_checks($1, array[$2], 'manual')", [hospitalId, check]);
    const { rows } = await db.query<{ id: string }>(
      `select id from app_public.finding
       where hospital_id = $1 and check_name = $2 and resolved_at is null`,
      [hospitalId, check],
    );
    return nth(rows, 0).id;
  });
}

async function repair(db: ClientBase, check: string) {
  await db.query("select app_private.run_checks(null, array[$1], 'manual')", [check]);
  const { rows } = await db.query<{ is_resolved: boolean }>(
    `select (app_private.repair_finding(finding.hospital_id, finding.id)).resolved_at is not null as is_resolved
     from app_public.finding where check_name = $1 and resolved_at is null`,
    [check],
  );
  const { rows: reviews } = await db.query(
    "select from app_public.review_item where reason = $1 and status = 'pending'",
    [check],
  );
  return {
    resolved: rows.filter(({ is_resolved }) => is_resolved).length,
    reviews: reviews.length,
  };
}

function setCount(db: ClientBase, subject: Subject, slotIndex: number, count: number) {
  return setSlot(db, subject, slotIndex, `booked_count = ${count}`);
}

function setSlot(db: ClientBase, subject: Subject, slotIndex: number, change: string) {
  return unguarded(db, () =>
    db.query(`update app_public.slot set ${change} where hospital_id = $1 and id = $2`, [
      subject.hospitalId,
      subject.slotIds[slotIndex],
    ]),
  );
}

/** What the checks of seats say, by check. */
async function spoken(db: ClientBase, subject: Subject) {
  const said: Record<string, (string | null)[]> = {};
  for (const check of seatChecks) {
    const rows = await rowsOf(db, check, subject.hospitalId);
    if (rows.length > 0) said[check] = rows.map(({ entity_id }) => entity_id);
  }
  return said;
}

function story(tell: (db: ClientBase, subject: Subject) => Promise<void>): Promise<void> {
  return rolledBack(ownerPool, async (db) => {
    const { id } = await createHospital(db, { horizonDays: 3 });
    await tell(db, await createSubject(db, id));
  });
}
