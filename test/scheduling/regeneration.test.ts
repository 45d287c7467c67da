import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, hold, one, reschedule } from '../helpers/booking.ts';
import { type CalendarChange, regenerate, slotsOn } from '../helpers/calendar.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, insert } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

// What becomes of each slot when the hours under it change by whatever hand.

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 10, patientCount: 6 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const sundayEvening = '2027-01-31T18:00:00+05:30';
const monday = '2027-02-01';

/** A transaction on a Sunday evening with all slots; `slot(n)` is the n-th of Monday. */
function story(tell: (db: ClientBase, slot: (place: number) => string) => Promise<void>) {
  return rolledBack(ownerPool, async (db) => {
    await setClock(db, sundayEvening);
    await generateSlots(db, hospital);
    const slots = await slotsOn(db, hospital, monday);
    await become(db, hospital.receptionist);
    await tell(db, (place) => slots[place]?.id ?? '');
  });
}

/** The doctor works no more on Mondays, says a hand in psql; then the slots follow. */
async function leaveMondays(db: ClientBase): Promise<CalendarChange> {
  await asOwner(db);
  await db.query(
    'update app_public.schedule set is_active = false where doctor_id = $1 and weekday = 1',
    [doctorId],
  );
  return regenerate(db, hospital, monday);
}

async function stateOf(db: ClientBase, slotId: string) {
  const { rows } = await db.query<{ state: string }>(
    `select case when withdrawn_at is not null then 'withdrawn' when is_retired then 'retired' else 'offered' end as state
     from app_public.slot where id = $1`,
    [slotId],
  );
  return rows[0]?.state ?? 'deleted';
}

const patient = (place: number) => nth(hospital.patientIds, place);

describe('a slot that the hours no longer have', () => {
  test('goes when nobody ever had to do with it', () =>
    story(async (db, slot) => {
      // Two Mondays.
      expect(await leaveMondays(db)).toMatchObject({ deleted_slots: 28, kept_slots: 0 });
      expect(await stateOf(db, slot(0))).toBe('deleted');
    }));

  const histories: Readonly<
    Record<string, (db: ClientBase, slot: (place: number) => string) => Promise<unknown>>
  > = {
    'an appointment that was cancelled': async (db, slot) =>
      cancel(db, (await book(db, { slotId: slot(0), patientId: patient(0) })).id),
    'an appointment that moved away': async (db, slot) =>
      reschedule(db, (await book(db, { slotId: slot(0), patientId: patient(0) })).id, slot(1)),
    'an appointment that moved in and was cancelled': async (db, slot) => {
      const { id } = await book(db, { slotId: slot(1), patientId: patient(0) });
      await reschedule(db, id, slot(0));
      await cancel(db, id);
    },
    'a seat that staff added': async (db, slot) => {
      await asOwner(db);
      await insert(db, 'added_seat', {
        hospital_id: hospital.id,
        slot_id: slot(0),
        doctor_id: doctorId,
        reason: 'twins',
        added_at: sundayEvening,
      });
    },
    'an offer from the waitlist': async (db, slot) => {
      const held = await hold(db, { slotId: slot(1), patientId: patient(0) });
      await asOwner(db);
      const entryId = await insert(db, 'waitlist_entry', {
        hospital_id: hospital.id,
        patient_id: patient(0),
        doctor_id: doctorId,
        first_day: monday,
        last_day: monday,
      });
      // As one whose appointment has moved on since.
      await db.query('set local session_replication_role = replica');
      await insert(db, 'waitlist_offer', {
        hospital_id: hospital.id,
        entry_id: entryId,
        patient_id: patient(0),
        doctor_id: doctorId,
        slot_id: slot(0),
        appointment_id: held.id,
        offered_at: sundayEvening,
      });
      await db.query('set local session_replication_role = origin');
    },
  };
  test.each(Object.entries(histories))('is withdrawn with %s', (_, happen) =>
    story(async (db, slot) => {
      await happen(db, slot);
      await leaveMondays(db);
      expect(await stateOf(db, slot(0))).toBe('withdrawn');
      expect(await stateOf(db, slot(5))).toBe('deleted');
    }),
  );

  test('stays, retired, while somebody sits in it, also with a further seat of a long visit', () =>
    story(async (db, slot) => {
      await asOwner(db);
      const serviceId = await insert(db, 'service', {
        hospital_id: hospital.id,
        name: 'Long',
        duration: '1 hour',
      });
      await become(db, hospital.receptionist);
      const { id } = await book(db, { slotId: slot(3), patientId: patient(0), serviceId });
      const held = await hold(db, { slotId: slot(6), patientId: patient(1) });
      const change = await leaveMondays(db);
      expect(change).toMatchObject({ kept_slots: 3, notified_patients: 2, deleted_slots: 25 });
      expect(change.affected.map(({ appointment_id }) => appointment_id)).toEqual([id, held.id]);
      for (const place of [3, 4, 6]) expect(await stateOf(db, slot(place))).toBe('retired');
      const { rows } = await db.query(
        "select appointment_id from app_public.notification where event = 'schedule_changed' order by appointment_id",
      );
      expect(rows.map((row) => row.appointment_id).sort()).toEqual([id, held.id].sort());
      // Once more changes nothing and tells nobody.
      expect(await regenerate(db, hospital, monday)).toMatchObject({
        kept_slots: 0,
        notified_patients: 0,
        affected: [],
        deleted_slots: 0,
      });
    }));

  test('tells nobody of a hold that has lapsed', () =>
    story(async (db, slot) => {
      await hold(db, { slotId: slot(6), patientId: patient(1) });
      await asOwner(db);
      await setClock(db, '2027-01-31T19:00:00+05:30');
      expect(await leaveMondays(db)).toMatchObject({
        kept_slots: 1,
        notified_patients: 0,
        affected: [],
      });
      expect(await stateOf(db, slot(6))).toBe('retired');
    }));

  test('counts those who come only once for each of them, patients by person', () =>
    story(async (db, slot) => {
      await book(db, { slotId: slot(3), patientId: patient(0) });
      await book(db, { slotId: slot(5), patientId: patient(0) });
      const change = await leaveMondays(db);
      expect(change.affected).toHaveLength(2);
      expect(change.notified_patients).toBe(1);
    }));
});

describe('what stands in the way, and what stays', () => {
  test('where a retired slot stays nothing is generated, around it everything', () =>
    story(async (db, slot) => {
      await book(db, { slotId: slot(2), patientId: patient(0) });
      await asOwner(db);
      await db.query("update app_public.doctor set slot_duration = '20 minutes' where id = $1", [
        doctorId,
      ]);
      await regenerate(db, hospital, monday);
      expect((await slotsOn(db, hospital, monday)).map(({ start }) => start).slice(0, 5)).toEqual([
        '09:00',
        '09:20',
        '09:40',
        '10:00',
        '10:40',
      ]);
    }));

  test('what was blocked by hand stays blocked in the slots that come instead', () =>
    story(async (db, slot) => {
      await db.query("select app_public.block_slot($1, 'cleaning')", [slot(2)]);
      await asOwner(db);
      await db.query("update app_public.doctor set slot_duration = '15 minutes' where id = $1", [
        doctorId,
      ]);
      await regenerate(db, hospital, monday);
      const blocked = (await slotsOn(db, hospital, monday)).filter(
        ({ status }) => status === 'blocked',
      );
      expect(blocked.map(({ start }) => start)).toEqual(['10:00', '10:15']);
      // The block that somebody made is in the log, the slots that nobody touched are not.
      const { rows } = await db.query(
        "select record_id from app_public.audit_entry where table_name = 'slot' and operation = 'delete'",
      );
      expect(rows).toEqual([{ record_id: slot(2) }]);
    }));

  test('the other doctor, the days before and the slots that have begun are left alone', () =>
    story(async (db, slot) => {
      await asOwner(db);
      await setClock(db, `${monday}T10:10:00+05:30`);
      await db.query('update app_public.schedule set is_active = false where hospital_id = $1', [
        hospital.id,
      ]);
      const change = await regenerate(db, hospital, monday, monday);
      expect(change.deleted_slots).toBe(11);
      for (const place of [0, 1, 2]) expect(await stateOf(db, slot(place))).toBe('offered');
      expect(await slotsOn(db, hospital, monday, otherDoctorId)).toHaveLength(14);
      expect(await slotsOn(db, hospital, '2027-02-02')).toHaveLength(14);
    }));

  test('nothing overlaps a slot that has begun', () =>
    story(async (db) => {
      await asOwner(db);
      await setClock(db, `${monday}T10:10:00+05:30`);
      await db.query("update app_public.doctor set slot_duration = '20 minutes' where id = $1", [
        doctorId,
      ]);
      await regenerate(db, hospital, monday, monday);
      expect((await slotsOn(db, hospital, monday)).map(({ start }) => start).slice(0, 5)).toEqual([
        '09:00',
        '09:30',
        '10:00',
        '10:40',
        '11:00',
      ]);
    }));

  test('slots follow absences and holidays as they stand', () =>
    story(async (db) => {
      await asOwner(db);
      await insert(db, 'absence', {
        hospital_id: hospital.id,
        doctor_id: doctorId,
        type: 'training',
        first_day: monday,
        last_day: monday,
        start_time: '09:00',
        end_time: '10:15',
        during: `[${monday} 09:00+05:30, ${monday} 10:15+05:30)`,
      });
      await insert(db, 'holiday', { hospital_id: hospital.id, name: 'Feast', date: '2027-02-02' });
      // As if they had been entered while nobody was looking.
      await db.query('update app_public.slot set absence_id = null, holiday_id = null');
      expect(await regenerate(db, hospital, monday)).toMatchObject({
        closed_slots: 3 + 14,
        opened_slots: 0,
      });
      expect((await slotsOn(db, hospital, monday)).map(({ status }) => status).slice(0, 4)).toEqual(
        ['blocked', 'blocked', 'blocked', 'available'],
      );
      await db.query("update app_public.absence set status = 'cancelled'");
      await db.query('update app_public.holiday set is_active = false');
      await db.query(
        `update app_public.slot set absence_id = (select id from app_public.absence)
        where doctor_id = $1 and starts_at < '${monday} 10:30+05:30'`,
        [doctorId],
      );
      expect(await regenerate(db, hospital, monday)).toMatchObject({
        closed_slots: 0,
        opened_slots: 3,
      });
    }));
});

describe('days beyond those that are stored', () => {
  test('a day with rows gets all of its rows, one without gets none', () =>
    story(async (db) => {
      await asOwner(db);
      await db.query(
        'update app_public.hospital set generated_days = 2, booking_horizon_days = 20 where id = $1',
        [hospital.id],
      );
      await db.query(
        "delete from app_public.slot where doctor_id = $1 and starts_at > '2027-02-03'",
        [doctorId],
      );
      await db.query('select app_private.materialise_day($1, $2, $3)', [
        hospital.id,
        doctorId,
        '2027-02-15',
      ]);
      await db.query("update app_public.doctor set slot_duration = '1 hour' where id = $1", [
        doctorId,
      ]);
      await regenerate(db, hospital, monday);
      expect(await slotsOn(db, hospital, '2027-02-02')).toHaveLength(7);
      expect(await slotsOn(db, hospital, '2027-02-15')).toHaveLength(7);
      expect(await slotsOn(db, hospital, '2027-02-16')).toEqual([]);
    }));
});

describe('who is told to bring slots in line', () => {
  const changes: Readonly<Record<string, [string, readonly (string | null)[]]>> = {
    'a new slot duration': [
      "update app_public.doctor set slot_duration = '15 minutes' where id = $1",
      [doctorId],
    ],
    'a doctor who left': [
      'update app_public.doctor set is_active = false where id = $1',
      [doctorId],
    ],
    'the same slot duration': [
      "update app_public.doctor set slot_duration = '30 minutes' where id = $1",
      [],
    ],
    'another name': ["update app_public.doctor set display_name = 'Dr. New' where id = $1", []],
    'a place that closes': [
      'update app_public.location set is_active = false where id = (select location_id from app_public.schedule where doctor_id = $1 limit 1)',
      [doctorId, otherDoctorId],
    ],
    'more days': [
      'update app_public.hospital set booking_horizon_days = 30 where id = (select hospital_id from app_public.doctor where id = $1)',
      [null],
    ],
    'fewer days': [
      'update app_public.hospital set booking_horizon_days = 3 where id = (select hospital_id from app_public.doctor where id = $1)',
      [],
    ],
  };
  test.each(Object.entries(changes))('%s', (_, [statement, told]) =>
    rolledBack(ownerPool, async (db) => {
      await db.query('delete from app_private.outbox');
      await db.query(statement, [doctorId]);
      const { rows } = await db.query<{ doctor_id: string | null }>(
        "select payload ->> 'doctor_id' as doctor_id from app_private.outbox where topic = 'schedule'",
      );
      expect(rows.map((row) => row.doctor_id).sort()).toEqual([...told].sort());
    }),
  );

  test('the job may do it, for any hospital', () =>
    story(async (db) => {
      await asOwner(db);
      await db.query('update app_public.schedule set slot_capacity = 2 where doctor_id = $1', [
        doctorId,
      ]);
      await asWorker(db);
      await db.query('select app_private.follow_schedule($1, $2)', [hospital.id, doctorId]);
      await asOwner(db);
      const { capacity } = await one<{ capacity: number }>(
        db,
        'select min(capacity) as capacity from app_public.slot where doctor_id = $1',
        [doctorId],
      );
      expect(capacity).toBe(2);
    }));
});
