import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { aside, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { setStatus, stored, transit } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type HospitalOptions, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { brokenInvariantsIn } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { bookVisit, isDue, logOf, recordOf, sweep } from './visits.ts';

const { ownerPool } = await createDatabase();

const story =
  (
    tell: (db: ClientBase, hospital: OpenHospital) => Promise<void>,
    options: HospitalOptions = {},
  ) =>
  () =>
    rolledBack(ownerPool, async (db) => {
      await tell(db, await openHospital(db, { horizonDays: 3, ...options }));
      await asOwner(db);
      expect(await brokenInvariantsIn(db)).toEqual({});
    });

const goTo = (db: ClientBase, { starts_at }: { starts_at: Date }, milliseconds: number) =>
  setClock(db, new Date(starts_at.getTime() + milliseconds));
const minutes = 60_000;
const hours = 60 * minutes;

test.each([15, 30, 60])(
  'a visit counts as missed when a slot of %i minutes has gone by, and not a moment before',
  (slotMinutes) =>
    story(
      async (db, hospital) => {
        const visit = await bookVisit(db, hospital);
        await goTo(db, visit, slotMinutes * minutes - 1);
        expect(await isDue(db, hospital)).toBe(false);
        expect(await sweep(db, hospital)).toBe(0);
        // The worker does not get round its own time-out.
        expect((await refusalOf(db, () => setStatus(db, visit.id, 'no_show'))).scenario).toBe(
          'no_show_too_early',
        );
        await goTo(db, visit, slotMinutes * minutes);
        expect(await isDue(db, hospital)).toBe(true);
        expect(await sweep(db, hospital)).toBe(1);
        expect(await logOf(db, visit.id)).toMatchObject([
          { reason: 'auto_timeout', timeout_minutes: slotMinutes, marked_by: null },
        ]);
        expect(await isDue(db, hospital)).toBe(false);
        expect(await sweep(db, hospital)).toBe(0);
        expect(await recordOf(db, visit.patient_id)).toMatchObject({ no_show_count: 1 });
      },
      { slotMinutes },
    )(),
);

test(
  'scheduled and confirmed visits are swept, and nobody else',
  story(async (db, hospital) => {
    const expected = await bookVisit(db, hospital, 0, 0);
    const confirmed = await bookVisit(db, hospital, 1, 1);
    await transit(db, 'confirm_appointment', confirmed.id);
    const here = await bookVisit(db, hospital, 2, 2);
    const cancelled = await bookVisit(db, hospital, 3, 3);
    await setStatus(db, cancelled.id, 'cancelled');
    const later = await bookVisit(db, hospital, 6, 3);
    await goTo(db, here, 0);
    await transit(db, 'check_in_appointment', here.id);
    await goTo(db, here, 90 * minutes);
    expect(await sweep(db, hospital)).toBe(2);
    const states = [];
    for (const { id } of [expected, confirmed, here, cancelled, later])
      states.push((await stored(db, id)).status);
    expect(states).toEqual(['no_show', 'no_show', 'checked_in', 'cancelled', 'scheduled']);
  }),
);

test(
  'the oldest come first, batch by batch, and one patient who missed three is blocked on the way',
  story(async (db, hospital) => {
    const visits = [];
    for (const slot of [2, 0, 1, 3]) visits.push(await bookVisit(db, hospital, slot));
    await goTo(db, nth(visits, 3), 30 * minutes);
    expect([
      await sweep(db, hospital, 1),
      await sweep(db, hospital, 1),
      await sweep(db, hospital, 1),
      await sweep(db, hospital, 2),
      await sweep(db, hospital, 2),
    ]).toEqual([1, 1, 1, 1, 0]);
    const logs = [];
    for (const { id } of visits) logs.push(...(await logOf(db, id)));
    expect(
      logs
        .sort((one, other) => one.slot_starts_at.getTime() - other.slot_starts_at.getTime())
        .map(({ has_blocked_patient }) => has_blocked_patient),
    ).toEqual([false, false, true, false]);
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({
      status: 'blocked',
      no_show_count: 4,
    });
  }),
);

test(
  'a worker that was down for a day and more makes up for it; what is older than two days stays',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital, 0, 0);
    await goTo(db, visit, 48 * hours);
    expect(await isDue(db, hospital)).toBe(false);
    expect(await sweep(db, hospital)).toBe(0);
    await goTo(db, visit, 48 * hours - 1);
    expect(await isDue(db, hospital)).toBe(true);
    expect(await sweep(db, hospital)).toBe(1);
  }),
);

test(
  'the sweep sees its own hospital only',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    const other = await aside(db, () => openHospital(db, { horizonDays: 1 }));
    await goTo(db, visit, 30 * minutes);
    expect(await sweep(db, other)).toBe(0);
    expect(await stored(db, visit.id)).toMatchObject({ status: 'scheduled' });
  }),
);

test.each(['receptionist', 'admin', 'doctor', 'patient'] as const)('a %s cannot sweep', (role) =>
  story(async (db, hospital) => {
    await become(db, hospital[role]);
    await db.query('savepoint sweep');
    await expect(
      db.query('select app_private.mark_no_shows($1)', [hospital.id]),
    ).rejects.toMatchObject({ code: '42501' });
    await db.query('rollback to savepoint sweep');
  })(),
);

test(
  'the claims of whoever sweeps are as before afterwards',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit, 30 * minutes);
    await asWorker(db);
    await db.query("select set_config('claims.account_id', $1, true)", [hospital.admin.accountId]);
    await db.query('select app_private.mark_no_shows($1)', [hospital.id]);
    const { rows } = await db.query(
      "select current_setting('claims.role') as role, current_setting('claims.account_id') as account",
    );
    expect(rows).toEqual([{ role: 'worker', account: hospital.admin.accountId }]);
    expect((await logOf(db, visit.id))[0]?.marked_by).toBeNull();
  }),
);

describe('the window', () => {
  /** Whether a visit that is due is looked for at this local time of its day (or so many days later). */
  async function isLookedFor(db: ClientBase, hospital: OpenHospital, local: string) {
    await setClock(db, await instantOf(db, hospital, local));
    return isDue(db, hospital);
  }

  async function instantOf(db: ClientBase, { timeZone }: OpenHospital, local: string) {
    const { rows } = await aside(db, () =>
      db.query('select $1::timestamp at time zone $2 as at', [local, timeZone]),
    );
    return rows[0].at as Date;
  }

  test.each(['Asia/Kolkata', 'America/Los_Angeles', 'Pacific/Kiritimati'])(
    'is read on the wall clock of the hospital: %s',
    (timeZone) =>
      rolledBack(ownerPool, async (db) => {
        await setClock(db, '2026-05-05T00:00:00Z');
        const hospital = await openHospital(db, { timeZone, horizonDays: 3 });
        const visit = await bookVisit(db, hospital, 13);
        const { rows } = await db.query(
          'select ($1::timestamptz at time zone $2)::date::text as day, (($1::timestamptz at time zone $2)::date + 1)::text as next',
          [visit.starts_at, timeZone],
        );
        const [{ day, next }] = rows as [{ day: string; next: string }];
        expect(await isLookedFor(db, hospital, `${day} 16:59:59`)).toBe(false);
        expect(await isLookedFor(db, hospital, `${day} 17:00`)).toBe(true);
        expect(await isLookedFor(db, hospital, `${day} 21:59:59`)).toBe(true);
        expect(await isLookedFor(db, hospital, `${day} 22:00`)).toBe(false);
        expect(await isLookedFor(db, hospital, `${next} 06:59:59`)).toBe(false);
        expect(await isLookedFor(db, hospital, `${next} 07:00`)).toBe(true);
      }),
  );

  test('is the hospital’s own to set', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openHospital(db, { horizonDays: 3 });
      const visit = await bookVisit(db, hospital, 0);
      await become(db, hospital.admin);
      await db.query(
        "select app_public.update_hospital_settings(no_show_window_start => '10:00', no_show_window_end => '11:00')",
      );
      // The first slot of a day is that of 09:00.
      for (const [after, isOpen] of [
        [30 * minutes, false],
        [60 * minutes, true],
        [120 * minutes, false],
      ] as const) {
        await goTo(db, visit, after);
        expect(await isDue(db, hospital)).toBe(isOpen);
      }
    }));

  // 2026-03-29 in Berlin: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00 again.
  test.each([
    ['2026-03-27T00:00:00Z', '2026-03-29', '2026-03-29T05:00:00Z', '2026-03-29T20:00:00Z'],
    ['2026-10-23T00:00:00Z', '2026-10-25', '2026-10-25T06:00:00Z', '2026-10-25T21:00:00Z'],
  ])(
    'keeps its local hours on a day on which the clocks change (from %s: %s)',
    (from, day, opens, closes) =>
      rolledBack(ownerPool, async (db) => {
        await setClock(db, from);
        const hospital = await openHospital(db, { timeZone: 'Europe/Berlin', horizonDays: 3 });
        const { rows } = await db.query(
          `select number from (
           select row_number() over (order by starts_at) - 1 as number, starts_at from app_public.slot
            where doctor_id = $1 and starts_at >= $2::timestamp at time zone 'Europe/Berlin') as slot
          where (starts_at at time zone 'Europe/Berlin')::date = $3 order by number limit 1`,
          [hospital.doctorIds[0], `${from.slice(0, 8)}${Number(from.slice(8, 10)) + 1}`, day],
        );
        // The evening before the change, so that it is due all day.
        await bookVisit(db, hospital, Number(rows[0].number) - 1);
        for (const [instant, isOpen] of [
          [Date.parse(opens) - 1, false],
          [Date.parse(opens), true],
          [Date.parse(closes) - 1, true],
          [Date.parse(closes), false],
        ] as const) {
          await setClock(db, new Date(instant));
          expect(await isDue(db, hospital), new Date(instant).toISOString()).toBe(isOpen);
        }
      }),
  );
});

test('the time-out is real time, also over the hour that the clocks lose or gain', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2026-10-23T00:00:00Z');
    const hospital = await openHospital(db, {
      timeZone: 'Europe/Berlin',
      horizonDays: 3,
      slotMinutes: 60,
    });
    const { rows } = await db.query(
      `insert into app_public.slot (hospital_id, doctor_id, location_id, during)
       values ($1, $2, $3, '[2026-10-25 00:30+00, 2026-10-25 01:30+00)') returning id`,
      [hospital.id, hospital.doctorIds[0], hospital.locationIds[0]],
    );
    // As an operator: no schedule has a slot in that night.
    await db.query("set local session_replication_role = 'replica'");
    await db.query(
      `insert into app_public.appointment (hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_at, updated_at)
       select hospital_id, id, doctor_id, location_id, $2, during, 'scheduled', 'import', now(), now()
         from app_public.slot where id = $1`,
      [rows[0].id, nth(hospital.patientIds, 0)],
    );
    await db.query('update app_public.slot set booked_count = 1 where id = $1', [rows[0].id]);
    await db.query(
      `insert into app_public.doctor_day (hospital_id, doctor_id, day, booked_count, max_patients)
       values ($1, $2, '2026-10-25', 1, 30)`,
      [hospital.id, hospital.doctorIds[0]],
    );
    await db.query("set local session_replication_role = 'origin'");
    await setClock(db, '2026-10-25T01:29:59Z');
    expect(await sweep(db, hospital)).toBe(0);
    await setClock(db, '2026-10-25T01:30:00Z');
    expect(await sweep(db, hospital)).toBe(1);
  }));

test(
  'a patient who was erased before the sweep came is counted, and never blocked',
  story(async (db, hospital) => {
    await db.query('update app_public.hospital set no_show_block_threshold = 1 where id = $1', [
      hospital.id,
    ]);
    const erased = await bookVisit(db, hospital, 0, 0);
    const other = await bookVisit(db, hospital, 1, 1);
    await goTo(db, other, 35 * minutes);
    await become(db, hospital.admin);
    await db.query('select app_public.erase_patient($1)', [nth(hospital.patientIds, 0)]);
    expect(await sweep(db, hospital)).toBe(2);
    for (const { id } of [erased, other]) {
      expect(await aside(db, () => stored(db, id))).toMatchObject({ status: 'no_show' });
    }
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({
      status: 'active',
      no_show_count: 1,
    });
    expect(await recordOf(db, nth(hospital.patientIds, 1))).toMatchObject({ status: 'blocked' });
  }),
);
