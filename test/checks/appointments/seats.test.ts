// Appointments and the slots that they sit in, or think they do.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { unguarded, withoutConstraint } from '../../../drill/damage.ts';
import { asOwner, rolledBack } from '../../helpers/actors.ts';
import { appointmentIn, setStatus } from '../../helpers/booking.ts';
import { setClock } from '../../helpers/clock.ts';
import { createDatabase } from '../../helpers/database.ts';
import { insert } from '../../helpers/hospital.ts';
import { nth } from '../../helpers/nth.ts';
import { openedLongAgo, run } from '../../retention/long-ago.ts';
import { expectNamed, repairAgain, repairAll, story } from '../repairing.ts';

const { ownerPool } = await createDatabase();

describe('appointment_without_slot', () => {
  const check = 'appointment_without_slot';

  test('speaks of a slot that is gone, whatever became of the visit', () =>
    story(ownerPool, async (db, hospital) => {
      const visits: Awaited<ReturnType<typeof appointmentIn>>[] = [];
      for (const [index, status] of (['scheduled', 'cancelled', 'completed'] as const).entries()) {
        visits.push(
          await appointmentIn(
            db,
            hospital,
            status,
            nth(hospital.slotIds, index),
            nth(hospital.patientIds, 0),
          ),
        );
      }
      await unguarded(db, () =>
        db.query('delete from app_public.slot where id = any ($1)', [
          visits.map(({ slot_id }) => slot_id),
        ]),
      );
      await expectNamed(db, check, ...visits.map(({ id }) => id));
      await expectNamed(db, 'doctor_day_mismatch');
    }));

  test('speaks of a visit that names no slot, and of one that took place in none', () =>
    story(ownerPool, async (db, hospital) => {
      const [patientId] = hospital.patientIds;
      const held = await appointmentIn(
        db,
        hospital,
        'held',
        nth(hospital.slotIds, 0),
        patientId ?? '',
      );
      const done = await appointmentIn(
        db,
        hospital,
        'completed',
        nth(hospital.slotIds, 1),
        patientId ?? '',
      );
      await withoutConstraint(db, 'app_public.appointment', 'a_seat_is_held_in_a_slot', () =>
        unguarded(db, () =>
          db.query('update app_public.appointment set slot_id = null where id = any ($1)', [
            [held.id, done.id],
          ]),
        ),
      );
      await expectNamed(db, check, held.id, done.id);
    }));

  test('is silent about requests, whatever became of them', () =>
    story(ownerPool, async (db, hospital) => {
      for (const [index, status] of (['cancelled', 'requested'] as const).entries()) {
        const { id } = await appointmentIn(
          db,
          hospital,
          'requested',
          nth(hospital.slotIds, index),
          nth(hospital.patientIds, 0),
        );
        if (status !== 'requested') await setStatus(db, id, status);
      }
      await expectNamed(db, check);
    }));

  test('is silent about the archive, whose slots are removed', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openedLongAgo(db, '2022-06-13');
      await asOwner(db);
      await setStatus(db, hospital.stuck.id, 'cancelled');
      await setClock(db, '2026-06-15T03:00:00Z');
      expect(await run(db, 'archive_appointments', hospital.id)).toBeGreaterThan(0);
      expect(await run(db, 'remove_past_slots', hospital.id)).toBeGreaterThan(0);
      for (const each of [
        check,
        'no_show_log_mismatch',
        'patient_no_show_count_mismatch',
        'doctor_day_mismatch',
      ]) {
        await expectNamed(db, each);
      }
    }));
});

describe('active_appointment_on_available_slot', () => {
  const check = 'active_appointment_on_available_slot';

  test('speaks of both who sit in a slot for two that counts one', () =>
    story(
      ownerPool,
      async (db, hospital) => {
        const slotId = nth(hospital.slotIds, 0);
        const one = await appointmentIn(
          db,
          hospital,
          'confirmed',
          slotId,
          nth(hospital.patientIds, 0),
        );
        const other = await appointmentIn(
          db,
          hospital,
          'held',
          slotId,
          nth(hospital.patientIds, 1),
        );
        await expectNamed(db, check);
        await unguarded(db, () =>
          db.query('update app_public.slot set booked_count = 1 where id = $1', [slotId]),
        );
        await expectNamed(db, check, one.id, other.id);
      },
      { slotCapacity: 2 },
    ));

  test('counts the further seats of long visits too', () =>
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
        const next = await appointmentIn(
          db,
          hospital,
          'scheduled',
          nth(hospital.slotIds, 1),
          nth(hospital.patientIds, 1),
        );
        await unguarded(db, () =>
          db.query('update app_public.slot set booked_count = 1 where id = $1', [
            nth(hospital.slotIds, 1),
          ]),
        );
        await expectNamed(db, check, next.id);
      },
      { slotCapacity: 2 },
    ));

  test('is silent while there is room, and about what has ended', () =>
    story(
      ownerPool,
      async (db, hospital) => {
        const slotId = nth(hospital.slotIds, 0);
        await appointmentIn(db, hospital, 'scheduled', slotId, nth(hospital.patientIds, 0));
        await appointmentIn(db, hospital, 'cancelled', slotId, nth(hospital.patientIds, 1));
        await appointmentIn(db, hospital, 'no_show', slotId, nth(hospital.patientIds, 2));
        await expectNamed(db, check);
      },
      { slotCapacity: 2 },
    ));
});

describe('further_seat_of_inactive_appointment', () => {
  const check = 'further_seat_of_inactive_appointment';

  test('is repaired, and its slot counted anew, whether it was counted or not', () =>
    story(ownerPool, async (db, hospital) => {
      const visit = await appointmentIn(
        db,
        hospital,
        'cancelled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await unguarded(db, async () => {
        await db.query(
          `insert into app_public.appointment_seat
           select hospital_id, $1, id, doctor_id, location_id from app_public.slot where id = any ($2)`,
          [visit.id, [nth(hospital.slotIds, 1), nth(hospital.slotIds, 2)]],
        );
        await db.query('update app_public.slot set booked_count = 1 where id = $1', [
          nth(hospital.slotIds, 1),
        ]);
      });
      await expectNamed(db, check, visit.id, visit.id);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }, { isGone: true }]);
      const { rows } = await db.query(
        'select booked_count, status from app_public.slot where id = any ($1)',
        [hospital.slotIds.slice(1, 3)],
      );
      expect(rows).toEqual(Array(2).fill({ booked_count: 0, status: 'available' }));
      const { rows: audit } = await db.query(
        "select actor_role, operation from app_public.audit_entry where table_name = 'appointment_seat'",
      );
      expect(audit).toEqual(Array(2).fill({ actor_role: `repair:${check}`, operation: 'update' }));
      for (const did of await repairAgain(db, check)) expect(did).toMatch(/^Nothing to do/);
    }));

  test('of an appointment that does not exist is found and given back', () =>
    story(ownerPool, async (db, hospital) => {
      const gone = randomUUID();
      await unguarded(db, () =>
        db.query(
          `insert into app_public.appointment_seat
           select hospital_id, $1, id, doctor_id, location_id from app_public.slot where id = $2`,
          [gone, nth(hospital.slotIds, 1)],
        ),
      );
      await expectNamed(db, check, gone);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }]);
    }));

  test('of a long visit that is active stays, and nobody else may remove one', () =>
    story(ownerPool, async (db, hospital) => {
      const serviceId = await insert(db, 'service', {
        hospital_id: hospital.id,
        name: 'hour',
        duration: '1 hour',
      });
      const id = await insert(db, 'appointment', {
        hospital_id: hospital.id,
        slot_id: nth(hospital.slotIds, 0),
        service_id: serviceId,
        patient_id: nth(hospital.patientIds, 0),
        status: 'scheduled',
      });
      await expectNamed(db, check);
      await db.query("select set_config('slotkeeper.repair', 'x', true)");
      await expect(
        db.query('delete from app_public.appointment_seat where appointment_id = $1', [id]),
      ).rejects.toMatchObject({ code: 'SK403' });
    }));
});
