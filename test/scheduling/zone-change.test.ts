import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, setStatus, stored } from '../helpers/booking.ts';
import { changeTimeZone, previewTimeZone, slotsOn } from '../helpers/calendar.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, insert, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

// A hospital that moves to another zone: instants stay, local time moves.

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool, { horizonDays: 5 });
const stranger = await createHospital(ownerPool, { horizonDays: 2 });
const standing = await openHospital(ownerPool, { horizonDays: 2 });
const [doctorId] = hospital.doctorIds;
const monday = '2027-02-01';

/** Sunday noon in Kolkata, with all slots ahead; acts as the admin. */
function story(tell: (db: ClientBase) => Promise<void>) {
  return rolledBack(ownerPool, async (db) => {
    await setClock(db, '2027-01-31T12:00:00+05:30');
    await generateSlots(db, hospital);
    await generateSlots(db, stranger);
    await become(db, hospital.admin);
    await tell(db);
  });
}

/** Counted days of the first doctor. */
async function days(db: ClientBase): Promise<{ day: string; booked_count: number }[]> {
  const { rows } = await db.query<{ day: string; booked_count: number }>(
    `select day::text, booked_count from app_public.doctor_day
     where doctor_id = $1 and booked_count > 0 order by day`,
    [doctorId],
  );
  return rows;
}

test('appointments keep their instants; slots are cut anew from the local hours', () =>
  story(async (db) => {
    const [first, , , , , , , , , , , , , last] = await slotsOn(db, hospital, monday);
    const early = await book(db, {
      slotId: first?.id ?? '',
      patientId: nth(hospital.patientIds, 0),
    });
    const late = await book(db, { slotId: last?.id ?? '', patientId: nth(hospital.patientIds, 1) });
    await asOwner(db);
    const other = await slotsOn(db, stranger, monday);
    await become(db, hospital.admin);

    // Half an hour ahead: 09:00 becomes 09:30, 16:30 becomes 17:00.
    const change = await changeTimeZone(db, 'Asia/Dhaka');
    expect(change).toMatchObject({
      kept_slots: 1,
      notified_patients: 1,
      cancelled_appointments: 0,
      affected: [{ appointment_id: late.id, status: 'scheduled' }],
    });
    for (const { id, starts_at, ends_at } of [early, late]) {
      expect(await stored(db, id)).toMatchObject({ starts_at, ends_at, status: 'scheduled' });
    }
    const slots = await slotsOn(db, hospital, monday);
    expect(slots.filter((slot) => !slot.is_retired).map(({ start }) => start)).toEqual([
      '09:00',
      '09:30',
      '10:00',
      '10:30',
      '11:00',
      '11:30',
      '12:00',
      '12:30',
      '14:00',
      '14:30',
      '15:00',
      '15:30',
      '16:00',
      '16:30',
    ]);
    expect(slots.find(({ id }) => id === first?.id)).toMatchObject({
      start: '09:30',
      status: 'booked',
    });
    expect(slots.find(({ id }) => id === last?.id)).toMatchObject({
      start: '17:00',
      is_retired: true,
    });

    await asOwner(db);
    const { rows: told } = await db.query(
      "select patient_id, priority, body from app_public.notification where event = 'time_zone_changed'",
    );
    expect(told).toMatchObject([{ patient_id: hospital.patientIds[1], priority: 'high' }]);
    expect(told[0].body).toContain('17:00');
    expect(await slotsOn(db, stranger, monday)).toEqual(other);
  }));

test('days count what falls into them by the new dates, and stay right when appointments end', () =>
  story(async (db) => {
    const slots = await slotsOn(db, hospital, monday);
    const ids = [];
    for (const [place, patient] of [
      [0, 0],
      [1, 1],
      [13, 2],
    ] as const) {
      const { id } = await book(db, {
        slotId: slots[place]?.id ?? '',
        patientId: nth(hospital.patientIds, patient),
      });
      ids.push(id);
    }
    expect(await days(db)).toEqual([{ day: monday, booked_count: 3 }]);
    // 09:00 in Kolkata is the evening before in Honolulu, 16:30 is 01:00 of the day.
    await changeTimeZone(db, 'Pacific/Honolulu');
    expect(await days(db)).toEqual([
      { day: '2027-01-31', booked_count: 2 },
      { day: monday, booked_count: 1 },
    ]);
    await cancel(db, nth(ids, 0));
    await cancel(db, nth(ids, 2));
    expect(await days(db)).toEqual([{ day: '2027-01-31', booked_count: 1 }]);
  }));

test('a visit of the past that has not ended is counted in its new day', () =>
  story(async (db) => {
    const [slot] = await slotsOn(db, hospital, monday);
    const { id } = await book(db, {
      slotId: slot?.id ?? '',
      patientId: nth(hospital.patientIds, 0),
    });
    await setClock(db, '2027-02-03T12:00:00+05:30');
    await changeTimeZone(db, 'Pacific/Honolulu');
    expect(await days(db)).toEqual([{ day: '2027-01-31', booked_count: 1 }]);
    await asOwner(db);
    await setStatus(db, id, 'no_show');
    expect(await days(db)).toEqual([]);
  }));

test('a day that comes out fuller than the limit keeps what it has and takes no more', () =>
  story(async (db) => {
    await db.query('select app_public.update_doctor($1, max_patients_per_day => 1)', [doctorId]);
    const [, , , , , , , , , , , , , mondayLast] = await slotsOn(db, hospital, monday);
    const [tuesdayFirst] = await slotsOn(db, hospital, '2027-02-02');
    await book(db, { slotId: mondayLast?.id ?? '', patientId: nth(hospital.patientIds, 0) });
    await book(db, { slotId: tuesdayFirst?.id ?? '', patientId: nth(hospital.patientIds, 1) });
    // 16:30 of Monday is 01:00, 09:00 of Tuesday is 17:30 of Monday.
    await changeTimeZone(db, 'Pacific/Honolulu');
    expect(await days(db)).toEqual([{ day: monday, booked_count: 2 }]);
    const [free] = (await slotsOn(db, hospital, monday)).filter(
      ({ status }) => status === 'available',
    );
    const refusal = await refusalOf(db, () =>
      book(db, { slotId: free?.id ?? '', patientId: nth(hospital.patientIds, 2) }),
    );
    expect(refusal.scenario).toBe('daily_limit_reached');
  }));

test('absences keep their local dates and hours, also neighbours; their slots follow', () =>
  story(async (db) => {
    await asOwner(db);
    const absence = (
      first: string,
      last: string,
      hours: readonly [string, string] | null,
      during: string,
    ) =>
      insert(db, 'absence', {
        hospital_id: hospital.id,
        doctor_id: doctorId,
        type: 'conference',
        first_day: first,
        last_day: last,
        start_time: hours?.[0] ?? null,
        end_time: hours?.[1] ?? null,
        during,
      });
    await absence(
      '2027-02-02',
      '2027-02-02',
      null,
      '[2027-02-02 00:00+05:30, 2027-02-03 00:00+05:30)',
    );
    await absence(
      '2027-02-03',
      '2027-02-03',
      null,
      '[2027-02-03 00:00+05:30, 2027-02-04 00:00+05:30)',
    );
    await absence(
      '2027-02-04',
      '2027-02-04',
      ['09:00', '11:00'],
      '[2027-02-04 09:00+05:30, 2027-02-04 11:00+05:30)',
    );
    await insert(db, 'holiday', { hospital_id: hospital.id, name: 'Feast', date: '2027-02-05' });
    // By hand no absence moves: its time follows its days.
    const refusal = await refusalOf(db, () =>
      db.query("update app_public.absence set during = '[2027-02-06, 2027-02-07)'"),
    );
    expect(refusal).toMatchObject({ scenario: 'immutable_column', details: { column: 'during' } });
    for (const zone of ['Pacific/Honolulu', 'Pacific/Kiritimati', 'Asia/Kolkata']) {
      await become(db, hospital.admin);
      await changeTimeZone(db, zone);
      await asOwner(db);
      const { rows } = await db.query(
        `select lower(during) = (first_day + coalesce(start_time, '00:00')) at time zone $2
           and upper(during) = coalesce(last_day + end_time, (last_day + 1)::timestamp) at time zone $2 as is_local
         from app_public.absence where hospital_id = $1`,
        [hospital.id, zone],
      );
      expect(rows, zone).toEqual([{ is_local: true }, { is_local: true }, { is_local: true }]);
      const statuses = async (day: string) =>
        (await slotsOn(db, hospital, day)).map(({ status }) => status);
      expect(await statuses('2027-02-02'), zone).toEqual(Array(14).fill('blocked'));
      expect((await statuses('2027-02-04')).slice(0, 5), zone).toEqual([
        ...Array(4).fill('blocked'),
        'available',
      ]);
      // Where slots were there before it became the holiday's day, they are closed.
      expect(await statuses('2027-02-05'), zone).not.toContain('available');
    }
  }));

test.each(['Asia/Dhaka', 'Pacific/Honolulu', 'Pacific/Kiritimati', 'Asia/Kolkata'])(
  'the preview of %s says what the change then does, and changes nothing',
  (zone) =>
    story(async (db) => {
      const slots = await slotsOn(db, hospital, monday);
      await book(db, { slotId: slots[0]?.id ?? '', patientId: nth(hospital.patientIds, 0) });
      const { id } = await book(db, {
        slotId: slots[3]?.id ?? '',
        patientId: nth(hospital.patientIds, 1),
      });
      await cancel(db, id);
      const preview = await previewTimeZone(db, zone);
      expect(await slotsOn(db, hospital, monday)).toEqual(
        slots.map((slot, place) =>
          place === 0 ? { ...slot, status: 'booked', booked_count: 1 } : slot,
        ),
      );
      const change = await changeTimeZone(db, zone);
      expect(change).toEqual(preview);
      // The same zone is no change.
      expect(change.deleted_slots > 0).toBe(zone !== 'Asia/Kolkata');
    }),
);

test('an unknown zone is refused, by the change and by its preview', () =>
  story(async (db) => {
    for (const call of [changeTimeZone, previewTimeZone]) {
      expect(await refusalOf(db, () => call(db, 'Mars/Olympus'))).toMatchObject({
        scenario: 'unknown_time_zone',
        details: { time_zone: 'Mars/Olympus' },
      });
    }
  }));

test('a bare update stays refused, also for who holds the calendar of one doctor, or of another hospital', () =>
  rolledBack(ownerPool, async (db) => {
    const bare = () =>
      db.query("update app_public.hospital set time_zone = 'UTC' where id = $1", [standing.id]);
    for (const lock of [
      'select',
      `select app_private.lock_calendar('${standing.id}', '${standing.doctorIds[0]}')`,
      `select app_private.lock_calendar('${stranger.id}')`,
      `select pg_advisory_xact_lock_shared(hashtextextended(concat('calendar', '${standing.id}'), 0))`,
    ]) {
      await db.query(lock);
      expect(await refusalOf(db, bare), lock).toMatchObject({ scenario: 'time_zone_in_use' });
    }
    await db.query('select app_private.lock_calendar($1)', [standing.id]);
    await bare();
  }));

test('only admins', () =>
  story(async (db) => {
    for (const actor of [
      hospital.receptionist,
      hospital.doctor,
      hospital.nurse,
      hospital.patient,
    ]) {
      await become(db, actor);
      for (const call of [changeTimeZone, previewTimeZone]) {
        expect((await errorOf(db, () => call(db, 'UTC'))).code, actor.role).toBe('42501');
      }
    }
    await become(db, stranger.admin);
    const refusal = await refusalOf(db, () =>
      db.query("select app_private.move_to_time_zone($1, 'UTC')", [hospital.id]),
    );
    expect(refusal.scenario).toBe('forbidden');
  }));
