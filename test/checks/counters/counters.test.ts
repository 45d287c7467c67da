// What is counted from appointments and from the log of missed visits.
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { unguarded, withoutConstraint } from '../../../drill/damage.ts';
import { asOwner, asWorker, become, rolledBack } from '../../helpers/actors.ts';
import { appointmentIn, setStatus } from '../../helpers/booking.ts';
import { changeTimeZone } from '../../helpers/calendar.ts';
import { setClock } from '../../helpers/clock.ts';
import { createDatabase } from '../../helpers/database.ts';
import { insert, type OpenHospital, openHospital } from '../../helpers/hospital.ts';
import { nth } from '../../helpers/nth.ts';
import { refusalOf } from '../../helpers/refusals.ts';
import { openedLongAgo, run } from '../../retention/long-ago.ts';
import { rowsOf } from '../findings.ts';
import { expectNamed, repairAgain, repairAll, story } from '../repairing.ts';

const { ownerPool } = await createDatabase();

describe('slots', () => {
  test('over_capacity_slot counts the further seats of long visits', () =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 1);
      const visit = await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await appointmentIn(db, hospital, 'scheduled', slotId, nth(hospital.patientIds, 1));
      await unguarded(db, () =>
        db.query(
          `insert into app_public.appointment_seat
           select hospital_id, $1, id, doctor_id, location_id from app_public.slot where id = $2`,
          [visit.id, slotId],
        ),
      );
      await expectNamed(db, 'over_capacity_slot', slotId);
      const [row] = await rowsOf(db, 'over_capacity_slot');
      expect(row?.metadata).toMatchObject({
        slot_id: slotId,
        capacity: 1,
        booked_count: 1,
        seated: 2,
      });
    }));

  test('over_capacity_slot is silent about a slot that is full with three', () =>
    story(
      ownerPool,
      async (db, hospital) => {
        for (const patientId of hospital.patientIds.slice(0, 3)) {
          await appointmentIn(db, hospital, 'scheduled', nth(hospital.slotIds, 0), patientId);
        }
        await expectNamed(db, 'over_capacity_slot');
        await expectNamed(db, 'full_slot_not_marked');
      },
      { slotCapacity: 3 },
    ));

  test.each([
    ['withdrawn', 'withdrawn_at = now()'],
    ['blocked', "blocked_at = now(), blocked_reason = 'x'"],
    ['booked', 'booked_count = capacity'],
    ['available', 'booked_count = 0'],
  ])('full_slot_not_marked tells that a slot is %s, and writes it anew once', (status, change) =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 0);
      await unguarded(db, async () => {
        await db.query(`update app_public.slot set ${change} where id = $1`, [slotId]);
        await expectNamed(db, 'full_slot_not_marked');
        await makeGenerated(db, '');
        await db.query('update app_public.slot set status = $2 where id = $1', [
          slotId,
          status === 'blocked' ? 'booked' : 'blocked',
        ]);
        await makeGenerated(db, 's');
      });
      await expectNamed(db, 'full_slot_not_marked', slotId);
      expect(await repairAll(db, 'full_slot_not_marked')).toMatchObject([{ isGone: true }]);
      const { rows } = await db.query('select status from app_public.slot where id = $1', [slotId]);
      expect(rows).toEqual([{ status }]);
      expect(await repairAgain(db, 'full_slot_not_marked')).toEqual([
        `Nothing to do: the slot is ${status}.`,
      ]);
    }),
  );

  test('full_slot_not_marked is for people where the column is not generated any more', () =>
    story(ownerPool, async (db, hospital) => {
      await db.query('alter table app_public.slot alter column status drop expression');
      const { id } = await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      expect(id).toBeTruthy();
      await expectNamed(db, 'full_slot_not_marked', nth(hospital.slotIds, 0));
      expect(await repairAll(db, 'full_slot_not_marked')).toMatchObject([
        { isGone: false, isForPeople: true },
      ]);
    }));

  async function makeGenerated(db: ClientBase, kind: '' | 's'): Promise<void> {
    await db.query(
      `update pg_catalog.pg_attribute set attgenerated = $1
        where attrelid = 'app_public.slot'::regclass and attname = 'status'`,
      [kind],
    );
  }
});

describe('doctor_day_mismatch', () => {
  const check = 'doctor_day_mismatch';

  async function days(db: ClientBase, hospital: OpenHospital) {
    const { rows } = await db.query<{ day: string; booked_count: number }>(
      `select day::text, booked_count from app_public.doctor_day
        where hospital_id = $1 and doctor_id = $2 and booked_count > 0 order by day`,
      [hospital.id, hospital.doctorIds[0]],
    );
    return rows;
  }

  test.each([
    [
      'too high',
      'update app_public.doctor_day set booked_count = booked_count + 3 where doctor_id = $1',
    ],
    ['too low', 'update app_public.doctor_day set booked_count = 0 where doctor_id = $1'],
    ['gone', 'delete from app_public.doctor_day where doctor_id = $1'],
    ['on another day', 'update app_public.doctor_day set day = day + 1 where doctor_id = $1'],
  ])('a count that is %s is found, and counted anew once', (_, statement) =>
    story(ownerPool, async (db, hospital) => {
      await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await appointmentIn(
        db,
        hospital,
        'held',
        nth(hospital.slotIds, 1),
        nth(hospital.patientIds, 1),
      );
      await appointmentIn(
        db,
        hospital,
        'no_show',
        nth(hospital.slotIds, 2),
        nth(hospital.patientIds, 2),
      );
      const before = await days(db, hospital);
      await unguarded(db, () => db.query(statement, [hospital.doctorIds[0]]));
      const rows = await rowsOf(db, check);
      expect(rows.map(({ entity_id }) => entity_id)).toContain(hospital.doctorIds[0]);
      const repaired = await repairAll(db, check);
      expect(repaired.map(({ isGone }) => isGone)).toEqual(rows.map(() => true));
      expect(await days(db, hospital)).toEqual(before);
      const { rows: audit } = await db.query(
        "select distinct actor_role from app_public.audit_entry where table_name = 'doctor_day'",
      );
      expect(audit).toEqual([{ actor_role: `repair:${check}` }]);
      for (const did of await repairAgain(db, check)) expect(did).toMatch(/^Nothing to do/);
    }),
  );

  test('two days of one doctor are two findings', () =>
    story(ownerPool, async (db, hospital) => {
      await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 20),
        nth(hospital.patientIds, 0),
      );
      await unguarded(db, () => db.query('update app_public.doctor_day set booked_count = 0'));
      await expectNamed(db, check, hospital.doctorIds[0], hospital.doctorIds[0]);
      const rows = await rowsOf(db, check);
      expect(new Set(rows.map(({ cache_key }) => cache_key)).size).toBe(2);
    }));

  test('a long visit counts once, two patients of one slot twice, whoever left not at all', () =>
    story(
      ownerPool,
      async (db, hospital) => {
        const serviceId = await insert(db, 'service', {
          hospital_id: hospital.id,
          name: 'hour',
          duration: '1 hour',
        });
        await insert(db, 'appointment', {
          hospital_id: hospital.id,
          slot_id: nth(hospital.slotIds, 0),
          service_id: serviceId,
          patient_id: nth(hospital.patientIds, 0),
          status: 'scheduled',
        });
        await appointmentIn(
          db,
          hospital,
          'scheduled',
          nth(hospital.slotIds, 0),
          nth(hospital.patientIds, 1),
        );
        for (const status of ['cancelled', 'completed', 'expired', 'requested'] as const) {
          await appointmentIn(
            db,
            hospital,
            status,
            nth(hospital.slotIds, 4),
            nth(hospital.patientIds, 2),
          );
        }
        await expectNamed(db, check);
        expect((await days(db, hospital)).map(({ booked_count }) => booked_count)).toEqual([2]);
      },
      { slotCapacity: 2 },
    ));

  test('a visit in the night belongs to the day on which its slot begins, in the hospital’s zone', () =>
    story(ownerPool, async (db, hospital) => {
      await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 13),
        nth(hospital.patientIds, 1),
      );
      for (const zone of ['Pacific/Honolulu', 'Pacific/Kiritimati', 'Europe/Berlin']) {
        await become(db, hospital.admin);
        await changeTimeZone(db, zone);
        await asOwner(db);
        await expectNamed(db, check);
        await expectNamed(db, 'daily_limit_exceeded');
      }
    }));

  test('a request that is accepted into a slot over midnight counts on the day of the slot', () =>
    story(ownerPool, async (db, hospital) => {
      const slotId = nth(hospital.slotIds, 0);
      await db.query('delete from app_public.slot where doctor_id = $1 and id <> $2', [
        hospital.doctorIds[0],
        slotId,
      ]);
      await unguarded(db, () =>
        db.query(
          `update app_public.slot set during = tstzrange(midnight - interval '30 minutes', midnight + interval '30 minutes')
             from (select ((starts_at at time zone $2)::date + 1)::timestamp at time zone $2 as midnight
                     from app_public.slot where id = $1) as night
            where id = $1`,
          [slotId, hospital.timeZone],
        ),
      );
      const request = await appointmentIn(
        db,
        hospital,
        'requested',
        slotId,
        nth(hospital.patientIds, 0),
      );
      await unguarded(db, () =>
        db.query(
          `update app_public.appointment set during = tstzrange(starts_at + interval '40 minutes', starts_at + interval '60 minutes') where id = $1`,
          [request.id],
        ),
      );
      await unguarded(db, async () => {
        await db.query(
          `update app_public.appointment set status = 'scheduled', slot_id = $2, location_id = slot.location_id
             from app_public.slot where appointment.id = $1 and slot.id = $2`,
          [request.id, slotId],
        );
        await db.query('update app_public.slot set booked_count = 1 where id = $1', [slotId]);
        await db.query(
          `insert into app_public.doctor_day (hospital_id, doctor_id, day, booked_count, max_patients)
           select hospital_id, doctor_id, (starts_at at time zone $2)::date, 1, 30 from app_public.slot where id = $1`,
          [slotId, hospital.timeZone],
        );
      });
      await expectNamed(db, check);
      // Taken for missed, and back: the same day is counted.
      await setStatus(db, request.id, 'no_show');
      await expectNamed(db, check);
      await setStatus(db, request.id, 'scheduled');
      await expectNamed(db, check);
    }));

  test('days on which the clock changes are days like others', () =>
    rolledBack(ownerPool, async (db) => {
      for (const [day, zone] of [
        ['2026-03-27', 'Europe/Berlin'],
        ['2026-10-23', 'Europe/Berlin'],
      ]) {
        await setClock(db, `${day}T10:00:00Z`);
        const hospital = await openHospital(db, { timeZone: zone ?? '', horizonDays: 4 });
        for (const [index, slotId] of hospital.slotIds.entries()) {
          if (index % 5 === 0) {
            await appointmentIn(db, hospital, 'scheduled', slotId, nth(hospital.patientIds, 0));
          }
        }
        await expectNamed(db, check);
        await expectNamed(db, 'overlapping_patient_appointments');
      }
    }));

  test('days that were removed with the past are missed by nobody', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openedLongAgo(db, '2022-06-13');
      await setClock(db, '2026-06-15T03:00:00Z');
      await asWorker(db);
      await run(db, 'archive_appointments', hospital.id);
      expect(await run(db, 'remove_past_days', hospital.id)).toBeGreaterThanOrEqual(0);
      await expectNamed(db, check);
    }));
});

describe('daily_limit_exceeded', () => {
  const check = 'daily_limit_exceeded';

  test('closes the day at its limit and leaves the rest to people, who may raise it', () =>
    story(
      ownerPool,
      async (db, hospital) => {
        for (const index of [0, 1]) {
          await appointmentIn(
            db,
            hospital,
            'scheduled',
            nth(hospital.slotIds, index),
            nth(hospital.patientIds, index),
          );
        }
        await unguarded(db, async () => {
          await db.query('update app_public.doctor_day set booked_count = 0');
        });
        await appointmentIn(
          db,
          hospital,
          'scheduled',
          nth(hospital.slotIds, 2),
          nth(hospital.patientIds, 2),
        );
        await expectNamed(db, check, hospital.doctorIds[0]);
        expect(await repairAll(db, check)).toMatchObject([{ isGone: false, isForPeople: true }]);
        expect(
          await refusalOf(db, () =>
            appointmentIn(
              db,
              hospital,
              'scheduled',
              nth(hospital.slotIds, 3),
              nth(hospital.patientIds, 3),
            ),
          ),
        ).toMatchObject({ scenario: 'daily_limit_reached' });
        await db.query('update app_public.doctor set max_patients_per_day = 5 where id = $1', [
          hospital.doctorIds[0],
        ]);
        await expectNamed(db, check);
        expect(await repairAll(db, 'doctor_day_mismatch')).toMatchObject([{ isGone: true }]);
      },
      { maxPatientsPerDay: 2 },
    ));

  test('counts a day without a row against the doctor’s own limit', () =>
    story(ownerPool, async (db, hospital) => {
      for (const index of [0, 1]) {
        await appointmentIn(
          db,
          hospital,
          'scheduled',
          nth(hospital.slotIds, index),
          nth(hospital.patientIds, index),
        );
      }
      await unguarded(db, async () => {
        await db.query('delete from app_public.doctor_day');
        await db.query('update app_public.doctor set max_patients_per_day = 1');
      });
      await expectNamed(db, check, hospital.doctorIds[0]);
    }));

  test('a count beyond the limit that nobody sits in is counted anew', () =>
    story(ownerPool, async (db, hospital) => {
      await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await withoutConstraint(
        db,
        'app_public.doctor_day',
        'a_day_never_holds_more_than_its_limit',
        () => unguarded(db, () => db.query('update app_public.doctor_day set booked_count = 99')),
      );
      await expectNamed(db, check, hospital.doctorIds[0]);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }]);
      await expectNamed(db, 'doctor_day_mismatch');
    }));
});

describe('patients', () => {
  const check = 'patient_no_show_count_mismatch';

  test.each([
    ['no_show_count', 'update app_public.patient set no_show_count = 5 where id = $1'],
    ['no_show_count, to nothing', 'update app_public.patient set no_show_count = 0 where id = $1'],
    ['no_shows_forgiven', 'update app_public.patient set no_shows_forgiven = 1 where id = $1'],
    ['the log', 'update app_public.no_show_log set is_forgiven = true where patient_id = $1'],
    ['the log, emptied', 'delete from app_public.no_show_log where patient_id = $1'],
  ])('a change of %s is found, and counted anew once', (_, statement) =>
    story(ownerPool, async (db, hospital) => {
      const patientId = nth(hospital.patientIds, 0);
      await appointmentIn(db, hospital, 'no_show', nth(hospital.slotIds, 0), patientId);
      await expectNamed(db, check);
      await unguarded(db, () => db.query(statement, [patientId]));
      await expectNamed(db, check, patientId);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }]);
      const { rows } = await db.query(
        `select actor_role from app_public.audit_entry where record_id = $1 order by id desc limit 1`,
        [patientId],
      );
      expect(rows).toEqual([{ actor_role: `repair:${check}` }]);
      expect(await repairAgain(db, check)).toEqual([
        "Nothing to do: the patient's missed visits are counted rightly.",
      ]);
    }),
  );

  test('nobody else may write the counts, whatever they call themselves', () =>
    story(ownerPool, async (db, hospital) => {
      await db.query("select set_config('slotkeeper.repair', 'x', true)");
      expect(
        await refusalOf(db, () =>
          db.query('update app_public.patient set no_show_count = 5 where id = $1', [
            nth(hospital.patientIds, 0),
          ]),
        ),
      ).toMatchObject({ scenario: 'counter_is_derived' });
    }));

  test('what was missed and archived, forgiven or erased still counts', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openedLongAgo(db, '2022-06-13');
      await asOwner(db);
      await setStatus(db, hospital.stuck.id, 'no_show');
      const patientId = nth(hospital.patientIds, 0);
      await db.query(
        "update app_public.patient set status = 'blocked', blocked_reason = 'x' where id = $1",
        [patientId],
      );
      await db.query("update app_public.patient set status = 'active' where id = $1", [patientId]);
      await db.query(
        "update app_public.patient set status = 'blocked', blocked_reason = 'y' where id = $1",
        [patientId],
      );
      await setClock(db, '2026-06-15T03:00:00Z');
      expect(await run(db, 'archive_appointments', hospital.id)).toBeGreaterThan(0);
      await become(db, hospital.admin);
      await db.query('select app_public.erase_patient($1)', [patientId]);
      await expectNamed(db, check);
      await expectNamed(db, 'patient_block_mismatch');
      await expectNamed(db, 'no_show_log_mismatch');
    }));

  test('a block that is not written down is, and never lifted by a count', () =>
    story(ownerPool, async (db, hospital) => {
      const patientId = nth(hospital.patientIds, 0);
      await unguarded(db, () =>
        db.query(
          "update app_public.patient set status = 'blocked', blocked_at = now(), blocked_reason = 'rude' where id = $1",
          [patientId],
        ),
      );
      await expectNamed(db, 'patient_block_mismatch', patientId);
      expect(await repairAll(db, 'patient_block_mismatch')).toMatchObject([{ isGone: true }]);
      const { rows } = await db.query(
        'select reason, is_automatic from app_public.patient_block where patient_id = $1',
        [patientId],
      );
      expect(rows).toEqual([{ reason: 'rude', is_automatic: false }]);
      expect(await repairAgain(db, 'patient_block_mismatch')).toEqual([
        'Nothing to do: the patient and the record of blocks agree.',
      ]);
    }));

  test('an open block of a patient who is active is for people', () =>
    story(ownerPool, async (db, hospital) => {
      const patientId = nth(hospital.patientIds, 0);
      await db.query(
        "update app_public.patient set status = 'blocked', blocked_reason = 'x' where id = $1",
        [patientId],
      );
      await unguarded(db, () =>
        db.query(
          "update app_public.patient set status = 'active', blocked_at = null, blocked_reason = null where id = $1",
          [patientId],
        ),
      );
      await expectNamed(db, 'patient_block_mismatch', patientId);
      expect(await repairAll(db, 'patient_block_mismatch')).toMatchObject([
        { isGone: false, isForPeople: true },
      ]);
    }));
});
