import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { race, untilBlocked } from '../helpers/races.ts';
import { errorOf, refusalOf, scenarioOf } from '../helpers/refusals.ts';
import { type Entry, entryOf, join, leave, offerSeats, offersIn, type Wish } from './waitlist.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { patientCount: 6 });
const foreign = await openHospital(ownerPool);
const { patient, receptionist } = hospital;
const [patientId, otherId] = [nth(hospital.patientIds, 0), nth(hospital.patientIds, 1)];

test('patients wait for themselves, and all of the staff enter patients', () =>
  rolledBack(ownerPool, async (db) => {
    const own = await join(await as(db, patient), hospital, { patientId });
    expect(own).toMatchObject({ status: 'waiting', created_by: patient.accountId, ended_at: null });
    for (const [index, actor] of [
      hospital.doctor,
      hospital.nurse,
      receptionist,
      hospital.admin,
    ].entries()) {
      const wish = { patientId: nth(hospital.patientIds, index + 1), reason: 'headache' };
      const entry = await join(await as(db, actor), hospital, wish);
      expect(entry).toMatchObject({ created_by: actor.accountId, patient_id: wish.patientId });
    }
    await become(db, patient);
    const refusal = await refusalOf(db, () => join(db, hospital, { patientId: otherId }));
    expect(refusal.scenario).toBe('forbidden');
  }));

test('an entry says who waits since when, whatever a hand in psql writes', () =>
  rolledBack(ownerPool, async (db) => {
    const entry = await one(
      db,
      `insert into app_public.waitlist_entry
         (hospital_id, patient_id, doctor_id, first_day, last_day, status, created_at, ended_at, created_by)
       values ($1, $2, $3, current_date + 1, current_date + 2, 'booked', '2000-01-01', '2000-01-01', $4)
       returning status, created_by, ended_at, created_at = app_private.clock() as is_now`,
      [hospital.id, patientId, hospital.doctorIds[0], hospital.admin.accountId],
    );
    expect(entry).toEqual({ status: 'waiting', created_by: null, ended_at: null, is_now: true });
  }));

const change = {
  blocked: `update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'no-shows'
            where id = '${patientId}'`,
  inactive: `update app_public.patient set is_active = false where id = '${patientId}'`,
  goneDoctor: `update app_public.doctor set is_active = false where id = '${hospital.doctorIds[0]}'`,
  goneDoctors: `update app_public.doctor set is_active = false where hospital_id = '${hospital.id}'`,
  closedService: `update app_public.service set is_active = false where id = '${hospital.serviceId}'`,
  closedLocation: `update app_public.location set is_active = false where id = '${hospital.locationIds[0]}'`,
};
const specialty = 'general medicine';

test.each<[string, Partial<Wish>, string | undefined, string]>([
  ['a patient who is not here', { patientId: randomUUID() }, undefined, 'patient_not_found'],
  [
    'a patient of elsewhere',
    { patientId: nth(foreign.patientIds, 0) },
    undefined,
    'patient_not_found',
  ],
  ['an inactive patient', {}, change.inactive, 'patient_inactive'],
  ['a blocked patient', {}, change.blocked, 'patient_blocked'],
  ['neither doctor nor specialty', { doctorId: null }, undefined, 'invalid_input'],
  ['both', { specialty, doctorId: hospital.doctorIds[0] }, undefined, 'invalid_input'],
  ['a doctor who is not here', { doctorId: randomUUID() }, undefined, 'doctor_not_found'],
  ['a doctor of elsewhere', { doctorId: foreign.doctorIds[0] }, undefined, 'doctor_not_found'],
  ['a doctor who has left', {}, change.goneDoctor, 'doctor_inactive'],
  ['a specialty that nobody has', { specialty: 'alchemy' }, undefined, 'doctor_not_found'],
  ['a specialty that nobody has any more', { specialty }, change.goneDoctors, 'doctor_not_found'],
  ['a service of elsewhere', { serviceId: foreign.serviceId }, undefined, 'service_not_found'],
  [
    'a service that is closed',
    { serviceId: hospital.serviceId },
    change.closedService,
    'service_not_found',
  ],
  [
    'a location of elsewhere',
    { locationId: foreign.locationIds[0] },
    undefined,
    'location_not_found',
  ],
  [
    'a location that is closed',
    { locationId: hospital.locationIds[0] },
    change.closedLocation,
    'location_not_found',
  ],
  ['days that have passed', { firstDay: -3, lastDay: -1 }, undefined, 'waitlist_days_in_past'],
  ['days in reverse', { firstDay: 5, lastDay: 4 }, undefined, 'invalid_range'],
  ['days in more than a year', { firstDay: 360, lastDay: 367 }, undefined, 'invalid_range'],
  ['more days than a year has', { firstDay: -200, lastDay: 200 }, undefined, 'invalid_range'],
  ['hours in reverse', { earliest: '12:00', latest: '12:00' }, undefined, 'invalid_range'],
])('nobody waits with %s', (_, wish, before, scenario) =>
  rolledBack(ownerPool, async (db) => {
    if (before) await db.query(before);
    await become(db, receptionist);
    const refusal = await refusalOf(db, () => join(db, hospital, { patientId, ...wish }));
    expect(refusal.scenario).toBe(scenario);
  }),
);

test.each<[string, Partial<Wish>]>([
  ['today', { firstDay: 0, lastDay: 0 }],
  ['since yesterday until today', { firstDay: -1, lastDay: 0 }],
  ['the last day of a year', { firstDay: 366, lastDay: 366 }],
  ['a whole year', { firstDay: 0, lastDay: 366 }],
])('days that are right: %s', (_, wish) =>
  rolledBack(ownerPool, async (db) => {
    await become(db, receptionist);
    expect(await join(db, hospital, { patientId, ...wish })).toMatchObject({ status: 'waiting' });
  }),
);

test('the days are those of the hospital, not of the server', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2026-11-21T20:00:00Z'); // 22 November, 01:30 in Kolkata
    await become(db, receptionist);
    const call = (day: string) =>
      db.query('select app_public.join_waitlist($1, $2, $2, $3)', [
        patientId,
        day,
        hospital.doctorIds[0],
      ]);
    const refusal = await refusalOf(db, () => call('2026-11-21'));
    expect(refusal).toMatchObject({
      scenario: 'waitlist_days_in_past',
      details: { today: '2026-11-22' },
    });
    await call('2026-11-22');
  }));

test('a doctor who takes nobody at present may be waited for', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('update app_public.doctor set is_available = false where id = $1', [
      hospital.doctorIds[0],
    ]);
    await become(db, receptionist);
    expect(await join(db, hospital, { patientId })).toMatchObject({ status: 'waiting' });
  }));

test('who waits already is told where', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, patient);
    const first = await join(db, hospital, { patientId, firstDay: 1, lastDay: 10 });
    const again = await refusalOf(db, () =>
      join(db, hospital, { patientId, firstDay: 10, lastDay: 12 }),
    );
    expect(again).toMatchObject({
      scenario: 'already_waiting',
      details: { waitlist_entry_id: first.id },
    });
    await join(db, hospital, { patientId, firstDay: 11, lastDay: 12 });
    await join(db, hospital, { patientId, specialty, firstDay: 1, lastDay: 10 });
    await join(db, hospital, {
      patientId,
      doctorId: hospital.doctorIds[1],
      firstDay: 1,
      lastDay: 10,
    });
    await leave(db, first.id);
    await join(db, hospital, { patientId, firstDay: 1, lastDay: 10 });
  }));

test('of two wishes at once the second is told of the first', () =>
  race(ownerPool, async (start) => {
    const [one, two] = [await start(patient), await start(receptionist)];
    const first = await join(one.db, hospital, { patientId });
    const second = join(two.db, hospital, { patientId });
    const outcome = second.then(() => 'done', scenarioOf);
    expect(await untilBlocked(ownerPool, two.pid, outcome)).toEqual([one.pid]);
    await one.commit();
    expect(await outcome).toBe('already_waiting');
    await two.end();
    await ownerPool.query('delete from app_public.waitlist_entry where id = $1', [first.id]);
  }));

test('leaving ends the wait, once', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, patient);
    const { id } = await join(db, hospital, { patientId });
    expect(await leave(db, id)).toMatchObject({ status: 'cancelled', ended_at: expect.any(Date) });
    const again = await refusalOf(db, () => leave(db, id));
    expect(again).toMatchObject({
      scenario: 'no_longer_waiting',
      details: { status: 'cancelled' },
    });
  }));

test('nobody ends the wait of another patient or of another hospital', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await join(await as(db, receptionist), hospital, { patientId });
    for (const actor of [
      hospital.otherPatient,
      foreign.patient,
      foreign.receptionist,
      foreign.admin,
    ]) {
      await become(db, actor);
      const refusal = await refusalOf(db, () => leave(db, id));
      expect(refusal.scenario).toBe('waitlist_entry_not_found');
    }
    expect(await entryOf(db, id)).toMatchObject({ status: 'waiting' });
  }));

test('leaving frees the seat that was offered', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await join(await as(db, patient), hospital, { patientId });
    await offerSeats(db, hospital);
    const [offer] = await offersIn(db, hospital);
    expect(await leave(db, id)).toMatchObject({ status: 'cancelled' });
    expect(await offersIn(db, hospital)).toMatchObject([{ outcome: 'declined' }]);
    await asOwner(db);
    expect(
      await one(
        db,
        `select appointment.status, slot.booked_count
           from app_public.appointment join app_public.slot on slot.id = appointment.slot_id
          where appointment.id = $1`,
        [offer?.appointment_id],
      ),
    ).toEqual({ status: 'cancelled', booked_count: 0 });
  }));

test('a doctor does not end a wait whose open offer is in the calendar of another', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await join(await as(db, patient), hospital, { patientId });
    await offerSeats(db, hospital);
    await become(db, hospital.otherDoctor);
    expect(await refusalOf(db, () => leave(db, id))).toMatchObject({ scenario: 'forbidden' });
    await become(db, hospital.doctor);
    expect(await leave(db, id)).toMatchObject({ status: 'cancelled' });
  }));

test('nobody sets the state of a wait, in psql neither: it follows its offers', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await join(await as(db, patient), hospital, { patientId });
    const set = (status: string) =>
      refusalOf(db, () =>
        db.query('update app_public.waitlist_entry set status = $2 where id = $1', [id, status]),
      );
    for (const actor of [patient, receptionist, undefined]) {
      if (actor) await become(db, actor);
      else await asOwner(db);
      for (const status of ['waiting', 'offered', 'booked', 'expired']) {
        expect((await set(status)).scenario, status).toBe('waitlist_follows_offers');
      }
    }
    await offerSeats(db, hospital);
    for (const status of ['waiting', 'offered', 'booked', 'cancelled', 'expired']) {
      expect((await set(status)).scenario, status).toBe('waitlist_follows_offers');
    }
    await leave(await as(db, patient), id);
    for (const status of ['waiting', 'offered', 'booked', 'cancelled', 'expired']) {
      expect((await set(status)).scenario, status).toBe('no_longer_waiting');
    }
  }));

test('nobody who logs in writes an offer', () =>
  rolledBack(ownerPool, async (db) => {
    for (const actor of [patient, hospital.doctor, hospital.nurse, receptionist, hospital.admin]) {
      await become(db, actor);
      for (const statement of [
        "update app_public.waitlist_offer set outcome = 'accepted'",
        'insert into app_public.waitlist_offer (hospital_id) values (null)',
        'select app_private.offer_free_seats(null, null)',
        'select app_private.expire_waits(null)',
      ]) {
        expect((await errorOf(db, () => db.query(statement))).code, statement).toBe('42501');
      }
    }
  }));

test('the position counts those who came before, and tells nothing else', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, receptionist);
    const entries: Entry[] = [];
    for (const each of hospital.patientIds) {
      entries.push(await join(db, hospital, { patientId: each }));
    }
    entries.sort((a, b) => (a.id < b.id ? -1 : 1));
    const elsewhere = await join(db, hospital, { patientId, specialty });
    const position = async ({ id }: Entry) =>
      (
        await one<{ position: number }>(db, 'select app_public.waitlist_position($1) as position', [
          id,
        ])
      ).position;
    expect(await position(nth(entries, 0))).toBe(1);
    expect(await position(nth(entries, 4))).toBe(5);
    expect(await position(elsewhere)).toBe(1);
    await leave(db, nth(entries, 1).id);
    expect(await position(nth(entries, 4))).toBe(4);
    expect(await position(nth(entries, 1))).toBeNull();
    await become(db, patient);
    for (const entry of entries.slice(2)) {
      if (entry.patient_id === patientId) continue;
      const refusal = await refusalOf(db, () => position(entry));
      expect(refusal.scenario).toBe('waitlist_entry_not_found');
    }
    expect(await position(elsewhere)).toBe(1);
  }));
