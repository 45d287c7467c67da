import { expect, test } from 'vitest';
import { as, asOwner, asWorker, become } from '../helpers/actors.ts';
import { cancel, dayCount, one, slotState, stored } from '../helpers/booking.ts';
import { clockOf, moveClock, moveClockTo, onTheEve, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import {
  type Entry,
  entryOf,
  join,
  leaveFree,
  occupied,
  offerSeats,
  offersIn,
  type Wish,
} from './waitlist.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { patientCount: 8 });
const foreign = await openHospital(ownerPool);
const { receptionist, slotIds, patientIds } = hospital;
const [first, second, third] = [nth(patientIds, 0), nth(patientIds, 1), nth(patientIds, 2)];
// Tomorrow at 09:00 and 09:30; the day after at 09:00. 14 slots a day.
const [tomorrow9, tomorrow930, after9] = [nth(slotIds, 0), nth(slotIds, 1), nth(slotIds, 14)];
const specialty = 'general medicine';

test('the seat that is free is held for whoever waits, who is told', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await leaveFree(db, hospital, tomorrow930);
    const { id } = await join(await as(db, receptionist), hospital, {
      patientId: first,
      serviceId: hospital.serviceId,
      reason: 'headache',
    });
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(await entryOf(db, id)).toMatchObject({ status: 'offered', ended_at: null });
    const [offer] = await offersIn(db, hospital);
    expect(offer).toMatchObject({
      entry_id: id,
      patient_id: first,
      doctor_id: hospital.doctorIds[0],
      slot_id: tomorrow930,
      outcome: 'open',
      decided_at: null,
    });
    expect(await stored(db, offer?.appointment_id ?? '')).toMatchObject({
      status: 'held',
      source: 'patient',
      patient_id: first,
      service_id: hospital.serviceId,
      reason: 'headache',
      created_by: null,
    });
    expect(await slotState(db, tomorrow930)).toMatchObject({ booked_count: 1 });
    expect(await dayCount(db, tomorrow930)).toBe(1);
    await asOwner(db);
    const { rows: notes } = await db.query(
      `select notification.patient_id, event, priority, body,
         to_char(appointment.held_until at time zone $2, 'FMDay, FMDD FMMonth YYYY, HH24:MI') as until
         from app_public.notification
         join app_public.appointment on appointment.id = notification.appointment_id
        where event = 'seat_offered' and appointment.id = $1`,
      [offer?.appointment_id, hospital.timeZone],
    );
    expect(notes).toMatchObject([{ patient_id: first, priority: 'high' }]);
    expect(notes[0].body).toContain(`until ${notes[0].until}`);
    expect(notes[0].body).not.toContain('{');
    const { rows: actors } = await db.query(
      `select distinct actor_role from app_public.audit_entry
        where hospital_id = $1 and (record_id = $2 or record_id = $3)`,
      [hospital.id, offer?.id, offer?.appointment_id],
    );
    expect(actors).toEqual([{ actor_role: 'worker' }]);
  }));

test('an offer lasts as long as the hospital says, and never beyond the start', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { starts_at } = await one<{ starts_at: Date }>(
      db,
      'select starts_at from app_public.slot where id = $1',
      [tomorrow9],
    );
    await leaveFree(db, hospital, tomorrow9, after9);
    await setClock(db, new Date(starts_at.getTime() - 30 * 60_000));
    await become(db, receptionist);
    await join(db, hospital, { patientId: first, firstDay: 0, lastDay: 0 });
    await join(db, hospital, { patientId: second });
    expect(await offerSeats(db, hospital)).toBe(2);
    const offers = await offersIn(db, hospital);
    const heldUntil = async (slotId: string) => {
      const offer = offers.find(({ slot_id }) => slot_id === slotId);
      return (await stored(db, offer?.appointment_id ?? '')).held_until;
    };
    expect(await heldUntil(tomorrow9)).toEqual(starts_at);
    const twoHours = new Date((await clockOf(db)).getTime() + 2 * 3_600_000);
    expect(await heldUntil(after9)).toEqual(twoHours);
  }));

test.each<[string, Partial<Wish>]>([
  ['days that end before', { firstDay: 0, lastDay: 1 }],
  ['days that begin after', { firstDay: 3, lastDay: 9 }],
  ['hours that end before', { latest: '08:59' }],
  ['hours that begin after', { earliest: '09:01' }],
  ['another location', { locationId: hospital.locationIds[1] }],
  ['another doctor', { doctorId: hospital.doctorIds[1] }],
  ['another specialty', { specialty: 'dermatology' }],
])('a seat is not offered to who waits for %s', (_, wish) =>
  onTheEve(ownerPool, hospital, async (db) => {
    await db.query(
      `insert into app_public.doctor (hospital_id, display_name, specialty) values ($1, 'Dr. Skin', 'dermatology')`,
      [hospital.id],
    );
    await leaveFree(db, hospital, after9);
    const { id } = await join(await as(db, receptionist), hospital, { patientId: first, ...wish });
    expect(await offerSeats(db, hospital)).toBe(0);
    expect(await entryOf(db, id)).toMatchObject({ status: 'waiting' });
  }),
);

test.each<[string, Partial<Wish>]>([
  ['exactly this day', { firstDay: 2, lastDay: 2 }],
  ['days since long ago', { firstDay: -100, lastDay: 2 }],
  ['exactly this hour', { earliest: '09:00', latest: '09:00:01' }],
  ['this location', { locationId: hospital.locationIds[0] }],
  ['this specialty', { specialty }],
  ['days beyond the horizon as well', { firstDay: 2, lastDay: 300 }],
])('a seat is offered to who waits for %s', (_, wish) =>
  onTheEve(ownerPool, hospital, async (db) => {
    await leaveFree(db, hospital, after9);
    const { id } = await join(await as(db, receptionist), hospital, { patientId: first, ...wish });
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(await entryOf(db, id)).toMatchObject({ status: 'offered' });
  }),
);

const broken: Record<string, string> = {
  'is blocked': `update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'x' where id = '${first}'`,
  'is inactive': `update app_public.patient set is_active = false where id = '${first}'`,
  'is elsewhere at this time': `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
    values ('${hospital.id}', '${nth(hospital.otherSlotIds, 14)}', '${first}', 'scheduled')`,
  'waits for a service that is closed': `update app_public.service set is_active = false where id = '${hospital.serviceId}'`,
  'waits for a service that takes longer than the slot': `update app_public.service set duration = '8 hours' where id = '${hospital.serviceId}'`,
};

test.each(Object.entries(broken))(
  'nobody is offered what they could not book, and the next is: the first %s',
  (name, change) =>
    onTheEve(ownerPool, hospital, async (db) => {
      await become(db, receptionist);
      const serviceId = name.includes('service') ? hospital.serviceId : undefined;
      const entries = [
        await join(db, hospital, { patientId: first, ...(serviceId && { serviceId }) }),
        await join(db, hospital, { patientId: second }),
      ];
      await asOwner(db);
      await db.query(change);
      await leaveFree(db, hospital, after9);
      expect(await offerSeats(db, hospital)).toBe(1);
      expect(await statesOf(entries)).toEqual(['waiting', 'offered']);
      async function statesOf(all: Entry[]) {
        const states: string[] = [];
        for (const { id } of all) states.push((await entryOf(db, id)).status);
        return states;
      }
    }),
);

test.each([
  ['takes no appointments', 'update app_public.doctor set is_available = false where id = $1'],
  ['has left', 'update app_public.doctor set is_active = false where id = $1'],
  ['has a full day', 'update app_public.doctor set max_patients_per_day = 1 where id = $1'],
])('a doctor who %s has nothing to offer', (name, change) =>
  onTheEve(ownerPool, hospital, async (db) => {
    if (name === 'has a full day') await occupied(db, hospital, tomorrow9, third);
    await leaveFree(db, hospital, tomorrow930);
    await join(await as(db, receptionist), hospital, { patientId: first });
    await asOwner(db);
    await db.query(change, [hospital.doctorIds[0]]);
    expect(await offerSeats(db, hospital)).toBe(0);
  }),
);

test('a slot that has begun, is beyond the horizon, blocked or withdrawn is not offered', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await leaveFree(db, hospital, tomorrow9, tomorrow930, after9);
    await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [after9]);
    await join(await as(db, receptionist), hospital, {
      patientId: first,
      firstDay: 0,
      lastDay: 30,
    });
    await asOwner(db);
    await db.query('savepoint before_the_slots');
    await moveClockTo(db, tomorrow930);
    expect(await offerSeats(db, hospital)).toBe(0);
    await db.query('rollback to savepoint before_the_slots');
    await db.query('update app_public.hospital set booking_horizon_days = 1 where id = $1', [
      hospital.id,
    ]);
    await db.query(
      "update app_public.slot set blocked_at = now(), blocked_reason = 'x' where id in ($1, $2)",
      [tomorrow9, tomorrow930],
    );
    await db.query(
      'update app_public.slot set blocked_at = null, blocked_reason = null where id = $1',
      [nth(slotIds, 28)],
    );
    expect(await offerSeats(db, hospital)).toBe(0);
    await db.query('update app_public.hospital set booking_horizon_days = 30 where id = $1', [
      hospital.id,
    ]);
    expect(await offerSeats(db, hospital)).toBe(1);
  }));

test('first come, first offered: by entry, and the soonest seat first', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await leaveFree(db, hospital, after9, tomorrow930);
    await become(db, receptionist);
    const wishes: Partial<Wish>[] = [{}, { specialty, doctorId: null }, {}];
    const entries: Entry[] = [];
    for (const [index, wish] of wishes.entries()) {
      entries.push(await join(db, hospital, { patientId: nth(patientIds, index), ...wish }));
    }
    entries.sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(await offerSeats(db, hospital)).toBe(2);
    const offers = await offersIn(db, hospital);
    const slotOf = (entry: Entry) => offers.find(({ entry_id }) => entry_id === entry.id)?.slot_id;
    expect(entries.map(slotOf)).toEqual([tomorrow930, after9, undefined]);
    expect(await offerSeats(db, hospital)).toBe(0);
  }));

test('the days of one who waits are not those of another', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await leaveFree(db, hospital, after9);
    await become(db, receptionist);
    const before = await join(db, hospital, { patientId: first, firstDay: 0, lastDay: 1 });
    const after = await join(db, hospital, { patientId: second, firstDay: 3, lastDay: 9 });
    expect(await offerSeats(db, hospital)).toBe(0);
    const fitting = await join(db, hospital, { patientId: third, firstDay: 2, lastDay: 2 });
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(await entryOf(db, before.id)).toMatchObject({ status: 'waiting' });
    expect(await entryOf(db, after.id)).toMatchObject({ status: 'waiting' });
    expect(await entryOf(db, fitting.id)).toMatchObject({ status: 'offered' });
  }));

test('a slot of three seats is offered to three', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await db.query('update app_public.slot set capacity = 3 where id = $1', [after9]);
    await leaveFree(db, hospital, after9);
    await become(db, receptionist);
    for (const patientId of patientIds) await join(db, hospital, { patientId });
    await occupied(db, hospital, after9, nth(patientIds, 7));
    expect(await offerSeats(db, hospital)).toBe(2);
    expect(await slotState(db, after9)).toMatchObject({ booked_count: 3, status: 'booked' });
    expect(await offerSeats(db, hospital)).toBe(0);
  }));

test('long visits are offered one behind the other', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await db.query("update app_public.service set duration = '1 hour' where id = $1", [
      hospital.serviceId,
    ]);
    await leaveFree(db, hospital, ...slotIds.slice(0, 5));
    await become(db, receptionist);
    for (const patientId of patientIds.slice(0, 3)) {
      await join(db, hospital, { patientId, serviceId: hospital.serviceId });
    }
    let rounds = 0;
    while ((await offerSeats(db, hospital)) > 0) rounds += 1;
    expect(rounds).toBeLessThan(4);
    const slots = (await offersIn(db, hospital)).map(({ slot_id }) => slot_id);
    expect(slots).toEqual([nth(slotIds, 0), nth(slotIds, 2)]);
    for (const slotId of slotIds.slice(0, 4)) {
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1 });
    }
  }));

test('the daily limit ends the offers of a day, not of the next', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
      hospital.doctorIds[0],
    ]);
    await leaveFree(db, hospital, tomorrow9, tomorrow930, after9);
    await become(db, receptionist);
    for (const patientId of patientIds.slice(0, 3)) await join(db, hospital, { patientId });
    const rounds = [await offerSeats(db, hospital), await offerSeats(db, hospital)];
    expect(rounds[0]).toBeGreaterThan(0);
    const slots = (await offersIn(db, hospital)).map(({ slot_id }) => slot_id).sort();
    expect(slots).toEqual([tomorrow9, after9].sort());
    expect(await offerSeats(db, hospital)).toBe(0);
  }));

test('a patient answers one offer before the next, however often they wait', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await become(db, receptionist);
    const wishes: Wish[] = [
      { patientId: first },
      { patientId: first, specialty },
      { patientId: first, doctorId: hospital.doctorIds[1] },
    ];
    for (const wish of wishes) await join(db, hospital, wish);
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(await offerSeats(db, hospital)).toBe(0);
    expect(await offerSeats(db, hospital, hospital.doctorIds[1])).toBe(0);
  }));

test('what was declined is offered to others, and never again to the same entry', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await leaveFree(db, hospital, after9);
    await become(db, receptionist);
    const { id } = await join(db, hospital, { patientId: first });
    await offerSeats(db, hospital);
    const [offer] = await offersIn(db, hospital);
    await cancel(db, offer?.appointment_id ?? '');
    expect(await entryOf(db, id)).toMatchObject({ status: 'waiting' });
    expect(await offerSeats(db, hospital)).toBe(0);
    await asOwner(db);
    await db.query(
      'update app_public.slot set blocked_at = null, blocked_reason = null where id = $1',
      [tomorrow930],
    );
    expect(await offerSeats(db, hospital)).toBe(1);
    expect(
      (await offersIn(db, hospital)).map(({ slot_id, outcome }) => [slot_id, outcome]),
    ).toEqual([
      [after9, 'declined'],
      [tomorrow930, 'open'],
    ]);
  }));

test('many who wait are served in as many rounds as it takes', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const { rows } = await db.query<{ id: string }>(
      `insert into app_public.patient (hospital_id, medical_record_number, name)
       select $1, 'W-' || number, 'Waiter ' || number from generate_series(1, 70) as number returning id`,
      [hospital.id],
    );
    await db.query(
      `insert into app_public.waitlist_entry (hospital_id, patient_id, doctor_id, first_day, last_day)
       select $1, id, $2, current_date + 2, current_date + 20 from unnest($3::uuid[]) as id`,
      [hospital.id, hospital.doctorIds[0], rows.map(({ id }) => id)],
    );
    expect(await offerSeats(db, hospital)).toBe(25);
    expect(await offerSeats(db, hospital)).toBe(25);
    expect(await offerSeats(db, hospital)).toBe(20);
    expect(await offerSeats(db, hospital)).toBe(0);
  }));

test('a lapsed hold in the way is no obstacle, once it has expired', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await leaveFree(db, hospital, after9);
    await become(db, receptionist);
    await db.query('select app_public.hold_slot($1, $2, gen_random_uuid())', [after9, second]);
    await join(db, hospital, { patientId: first });
    expect(await offerSeats(db, hospital)).toBe(0);
    await moveClock(db, '6 minutes');
    await asWorker(db);
    await db.query('select app_private.expire_lapsed_holds($1)', [hospital.id]);
    expect(await offerSeats(db, hospital)).toBe(1);
  }));

test('who waits in another hospital is offered nothing here', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    const entry = await join(await as(db, foreign.receptionist), foreign, {
      patientId: nth(foreign.patientIds, 0),
    });
    expect(await offerSeats(db, hospital)).toBe(0);
    expect(await offerSeats(db, { ...hospital, id: foreign.id })).toBe(0);
    expect(await offerSeats(db, { ...foreign, id: hospital.id })).toBe(0);
    expect(await entryOf(db, entry.id)).toMatchObject({ status: 'waiting' });
    expect(await offerSeats(db, foreign)).toBe(1);
  }));

test('the claims of the caller are as they were', () =>
  onTheEve(ownerPool, hospital, async (db) => {
    await join(await as(db, receptionist), hospital, { patientId: first });
    await asOwner(db);
    await db.query("select set_config('claims.account_id', 'x', true)");
    await db.query('select app_private.offer_free_seats($1, $2)', [
      hospital.id,
      hospital.doctorIds[0],
    ]);
    expect(
      await one(
        db,
        "select current_setting('claims.role') as role, current_setting('claims.account_id') as account",
      ),
    ).toEqual({ role: '', account: 'x' });
  }));
