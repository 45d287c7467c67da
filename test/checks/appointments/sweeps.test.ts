// What the sweeps should have ended: when it counts as late, and what is done about it.
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { unguarded, withoutConstraint } from '../../../drill/damage.ts';
import { rolledBack } from '../../helpers/actors.ts';
import { appointmentIn, setStatus, slotState, stored } from '../../helpers/booking.ts';
import { moveClock, moveClockTo, setClock } from '../../helpers/clock.ts';
import { createDatabase } from '../../helpers/database.ts';
import { type OpenHospital, openHospital } from '../../helpers/hospital.ts';
import { nth } from '../../helpers/nth.ts';
import { expectNamed, named, repairAgain, repairAll, story } from '../repairing.ts';

const { ownerPool } = await createDatabase();

/** Writes a visit at a time of the hospital at which nobody works, as an import could. */
async function visitAt(
  db: ClientBase,
  hospital: OpenHospital,
  localTime: string,
  status = 'scheduled',
): Promise<string> {
  const { rows } = await unguarded(db, () =>
    db.query<{ id: string }>(
      `insert into app_public.appointment
         (hospital_id, slot_id, doctor_id, location_id, patient_id, during, status, source, created_at, updated_at)
       select hospital_id, id, doctor_id, location_id, $2,
         tstzrange($3::timestamp at time zone $4, $3::timestamp at time zone $4 + interval '30 minutes'), $5, 'staff',
         app_private.clock(), app_private.clock()
         from app_public.slot where id = $1 returning id`,
      [nth(hospital.slotIds, 0), nth(hospital.patientIds, 0), localTime, hospital.timeZone, status],
    ),
  );
  return rows[0]?.id ?? '';
}

async function isStaleAt(
  db: ClientBase,
  hospital: OpenHospital,
  localTime: string,
): Promise<boolean> {
  const { rows } = await db.query<{ instant: Date }>(
    'select $1::timestamp at time zone $2 as instant',
    [localTime, hospital.timeZone],
  );
  await setClock(db, rows[0]?.instant ?? '');
  return (await named(db, 'stale_active_appointment')).length > 0;
}

describe('stale_active_appointment', () => {
  const check = 'stale_active_appointment';

  // Half an hour's slots: due half an hour after the start, then the sweep has an hour of its window.
  test.each([
    [
      'by day',
      'Asia/Kolkata',
      '07:00-22:00',
      '2026-06-10 09:00',
      '2026-06-10 10:29',
      '2026-06-10 10:31',
    ],
    [
      'before the window',
      'Asia/Kolkata',
      '07:00-22:00',
      '2026-06-10 05:00',
      '2026-06-10 07:59',
      '2026-06-10 08:01',
    ],
    [
      'at its end',
      'Asia/Kolkata',
      '07:00-22:00',
      '2026-06-10 21:00',
      '2026-06-11 07:59',
      '2026-06-11 08:01',
    ],
    [
      'in the night',
      'Asia/Kolkata',
      '07:00-22:00',
      '2026-06-10 23:00',
      '2026-06-11 07:59',
      '2026-06-11 08:01',
    ],
    [
      'over midnight',
      'America/New_York',
      '07:00-22:00',
      '2026-06-10 23:45',
      '2026-06-11 07:59',
      '2026-06-11 08:01',
    ],
    [
      'with a short window',
      'Asia/Kolkata',
      '08:00-08:10',
      '2026-06-10 09:00',
      '2026-06-11 08:59',
      '2026-06-11 09:01',
    ],
    [
      'in the night that is an hour short',
      'Europe/Berlin',
      '07:00-22:00',
      '2026-03-28 22:30',
      '2026-03-29 07:59',
      '2026-03-29 08:01',
    ],
    [
      'in the night that is an hour long',
      'Europe/Berlin',
      '07:00-22:00',
      '2026-10-24 22:30',
      '2026-10-25 07:59',
      '2026-10-25 08:01',
    ],
    [
      'in a window that begins in the lost hour',
      'Europe/Berlin',
      '02:30-22:00',
      '2026-03-28 23:30',
      '2026-03-29 03:29',
      '2026-03-29 03:31',
    ],
  ])('a visit %s', (_, timeZone, window, startsAt, still, late) =>
    rolledBack(ownerPool, async (db) => {
      await setClock(db, '2026-01-01T03:00:00Z');
      const hospital = await openHospital(db, { timeZone, horizonDays: 2 });
      const [from, until] = window.split('-');
      await db.query(
        'update app_public.hospital set no_show_window_start = $2, no_show_window_end = $3 where id = $1',
        [hospital.id, from, until],
      );
      await visitAt(db, hospital, startsAt);
      expect(await isStaleAt(db, hospital, startsAt)).toBe(false);
      expect(await isStaleAt(db, hospital, still)).toBe(false);
      expect(await isStaleAt(db, hospital, late)).toBe(true);
    }),
  );

  test('a patient is checked in, and with the doctor, for a day', () =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 0);
      await moveClockTo(db, slotId, '10 minutes');
      await db.query('update app_public.slot set capacity = 2 where id = $1', [slotId]);
      const { rows } = await db.query<{ id: string }>(
        `insert into app_public.appointment (hospital_id, slot_id, patient_id, status)
         select hospital_id, id, unnest($2::uuid[]), 'scheduled' from app_public.slot where id = $1 returning id`,
        [nth(hospital.slotIds, 2), hospital.patientIds.slice(0, 1)],
      );
      const id = rows[0]?.id ?? '';
      await setStatus(db, id, 'checked_in');
      await moveClock(db, '1 day');
      await expectNamed(db, check);
      await moveClock(db, '3 hours');
      await expectNamed(db, check, id);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: false, isForPeople: true }]);
      expect(await stored(db, id)).toMatchObject({ status: 'checked_in' });
    }));

  test('who was checked in late, because it was no no-show after all, has a day from then', () =>
    story(ownerPool, async (db, hospital) => {
      const visit = await appointmentIn(
        db,
        hospital,
        'no_show',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await moveClock(db, '5 days');
      await setStatus(db, visit.id, 'checked_in');
      await moveClock(db, '20 hours');
      await expectNamed(db, check);
      await moveClock(db, '5 hours');
      await expectNamed(db, check, visit.id);
    }));

  test('a request expires an hour after its time, and only once', () =>
    story(ownerPool, async (db, hospital) => {
      const { id } = await appointmentIn(
        db,
        hospital,
        'requested',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await moveClockTo(db, nth(hospital.slotIds, 0), '59 minutes');
      await expectNamed(db, check);
      await moveClock(db, '2 minutes');
      await expectNamed(db, check, id);
      expect(await repairAll(db, check)).toEqual([
        { message: 'The request has expired.', isGone: true, isForPeople: false },
      ]);
      expect(await stored(db, id)).toMatchObject({ status: 'expired' });
      expect(await repairAgain(db, check)).toEqual(['Nothing to do: the appointment is expired.']);
    }));

  test('a missed visit is marked as the sweep would, with its count, and its seat is free', () =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 0);
      const { id } = await appointmentIn(
        db,
        hospital,
        'confirmed',
        slotId,
        nth(hospital.patientIds, 0),
      );
      await moveClockTo(db, slotId, '2 hours');
      expect(await repairAll(db, check)).toEqual([
        { message: 'The visit is marked as missed.', isGone: true, isForPeople: false },
      ]);
      expect(await stored(db, id)).toMatchObject({ status: 'no_show' });
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0 });
      const { rows } = await db.query(
        `select no_show_count, (select reason from app_public.no_show_log where appointment_id = $1)
           from app_public.patient where id = $2`,
        [id, nth(hospital.patientIds, 0)],
      );
      expect(rows).toEqual([{ no_show_count: 1, reason: 'auto_timeout' }]);
      const { rows: audit } = await db.query(
        `select actor_role from app_public.audit_entry where record_id = $1 order by id desc limit 1`,
        [id],
      );
      expect(audit).toEqual([{ actor_role: `repair:${check}` }]);
      expect(await repairAgain(db, check)).toEqual(['Nothing to do: the appointment is no_show.']);
    }));

  test('nobody is marked as missing outside the window of the hospital, nor after two days', () =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 0);
      const { id } = await appointmentIn(
        db,
        hospital,
        'scheduled',
        slotId,
        nth(hospital.patientIds, 0),
      );
      await moveClockTo(db, slotId, '14 hours');
      expect(await repairAll(db, check)).toMatchObject([
        {
          message: expect.stringContaining('marks missed visits from 07:00:00 to 22:00:00'),
          isGone: false,
        },
      ]);
      await moveClock(db, '36 hours');
      expect(await repairAll(db, check)).toMatchObject([{ isGone: false, isForPeople: true }]);
      expect(await stored(db, id)).toMatchObject({ status: 'scheduled' });
      await setStatus(db, id, 'completed');
      await expectNamed(db, check);
    }));
});

describe('lapsed_hold', () => {
  const check = 'lapsed_hold';

  test('speaks ten minutes after the hold ended, and gives the seat back', () =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 0);
      const { id } = await appointmentIn(db, hospital, 'held', slotId, nth(hospital.patientIds, 0));
      await moveClock(db, '14 minutes');
      await expectNamed(db, check);
      await moveClock(db, '2 minutes');
      await expectNamed(db, check, id);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }]);
      expect(await stored(db, id)).toMatchObject({ status: 'expired' });
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 0, status: 'available' });
      expect(await repairAgain(db, check)).toEqual(['Nothing to do: the appointment is expired.']);
    }));

  test('speaks of a hold without an end, which lapses', () =>
    story(ownerPool, async (db, hospital) => {
      const { id } = await appointmentIn(
        db,
        hospital,
        'held',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await withoutConstraint(db, 'app_public.appointment', 'a_hold_has_an_end', () =>
        unguarded(db, () =>
          db.query('update app_public.appointment set held_until = null where id = $1', [id]),
        ),
      );
      await expectNamed(db, check, id);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }]);
    }));

  test('leaves a hold that outlives the start of its visit to people', () =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 0);
      const { id } = await appointmentIn(db, hospital, 'held', slotId, nth(hospital.patientIds, 0));
      await unguarded(db, () =>
        db.query(
          "update app_public.appointment set held_until = ends_at + interval '1 year' where id = $1",
          [id],
        ),
      );
      await expectNamed(db, check);
      await moveClockTo(db, slotId, '11 minutes');
      await expectNamed(db, check, id);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: false, isForPeople: true }]);
    }));
});
