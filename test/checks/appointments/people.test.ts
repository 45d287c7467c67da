// Appointments and the people and places that they name: nobody there, the same one twice, the wrong one.
import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { unguarded, withoutConstraint } from '../../../drill/damage.ts';
import { asOwner, become } from '../../helpers/actors.ts';
import { appointmentIn, cancel, hold, setStatus, transit } from '../../helpers/booking.ts';
import { moveClock, moveClockTo } from '../../helpers/clock.ts';
import { setAvailability } from '../../helpers/closures.ts';
import { createDatabase } from '../../helpers/database.ts';
import { insert, type OpenHospital } from '../../helpers/hospital.ts';
import { nth } from '../../helpers/nth.ts';
import { markNoShow, undoNoShow } from '../../visits/visits.ts';
import { join, offerSeats, offersIn } from '../../waitlist/waitlist.ts';
import { rowsOf } from '../findings.ts';
import { expectNamed, repairAgain, repairAll, story } from '../repairing.ts';

const { ownerPool } = await createDatabase();

describe('appointment_of_missing_or_inactive_party', () => {
  const check = 'appointment_of_missing_or_inactive_party';

  test.each([
    ['doctor_id', 'doctor_missing'],
    ['patient_id', 'patient_missing'],
    ['location_id', 'location_missing'],
    ['created_by', 'account_missing'],
  ])('a %s that does not exist is found, even of a visit that is over', (column, problem) =>
    story(ownerPool, async (db, hospital) => {
      const ids: string[] = [];
      for (const [index, status] of (['scheduled', 'completed'] as const).entries()) {
        const { id } = await appointmentIn(
          db,
          hospital,
          status,
          nth(hospital.slotIds, index),
          nth(hospital.patientIds, 0),
        );
        ids.push(id);
      }
      await unguarded(db, () =>
        db.query(`update app_public.appointment set ${column} = $2 where id = any ($1)`, [
          ids,
          randomUUID(),
        ]),
      );
      await expectNamed(db, check, ...ids);
      const rows = await rowsOf(db, check);
      expect(rows.map(({ metadata }) => metadata.problems)).toEqual([[problem], [problem]]);
    }),
  );

  test.each([
    ['doctor', 'is_active = false', 'doctor_inactive'],
    ['patient', 'is_active = false', 'patient_inactive'],
    [
      'patient',
      `is_active = false, erased_at = now(), name = 'Erased patient', medical_record_number = 'erased-' || id,
       phone = null, email = null, date_of_birth = null`,
      'patient_erased',
    ],
  ])(
    'a %s that has left (%s) is found while the visit or request is ahead',
    (table, change, problem) =>
      story(ownerPool, async (db, hospital) => {
        const slot = (index: number) => nth(hospital.slotIds, index);
        const patientId = nth(hospital.patientIds, 0);
        const ahead = [];
        for (const [index, status] of (['scheduled', 'requested', 'held'] as const).entries()) {
          ahead.push(await appointmentIn(db, hospital, status, slot(index), patientId));
        }
        await appointmentIn(db, hospital, 'cancelled', slot(4), patientId);
        await unguarded(db, () =>
          db.query(`update app_public.${table} set ${change} where id = $1`, [
            table === 'doctor' ? hospital.doctorIds[0] : patientId,
          ]),
        );
        await expectNamed(db, check, ...ahead.map(({ id }) => id));
        expect((await rowsOf(db, check)).map(({ metadata }) => metadata.problems)).toEqual(
          Array(3).fill([problem]),
        );
        // The hold lapses first, and what has begun belongs to those who were there.
        await moveClock(db, '6 minutes');
        await expectNamed(db, check, ...ahead.slice(0, 2).map(({ id }) => id));
        await moveClockTo(db, slot(1));
        await expectNamed(db, check);
      }),
  );

  test('everything wrong with one appointment is one finding', () =>
    story(ownerPool, async (db, hospital) => {
      const { id } = await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await unguarded(db, () =>
        db.query(
          'update app_public.appointment set doctor_id = $2, location_id = $2 where id = $1',
          [id, randomUUID()],
        ),
      );
      await expectNamed(db, check, id);
      const [row] = await rowsOf(db, check);
      expect(row?.detail).toBe(
        'The appointment is scheduled, but: doctor missing, location missing.',
      );
    }));

  test('who has left the right way, a closed place, a blocked patient and a gone receptionist are no fault', () =>
    story(ownerPool, async (db, hospital) => {
      const [patientId, otherId] = [nth(hospital.patientIds, 0), nth(hospital.patientIds, 1)];
      await appointmentIn(db, hospital, 'completed', nth(hospital.slotIds, 0), patientId);
      await appointmentIn(db, hospital, 'no_show', nth(hospital.slotIds, 1), patientId);
      await appointmentIn(db, hospital, 'cancelled', nth(hospital.slotIds, 2), patientId);
      await db.query('update app_public.patient set is_active = false where id = $1', [patientId]);
      await db.query('update app_public.doctor set is_active = false where id = $1', [
        hospital.doctorIds[0],
      ]);
      await become(db, hospital.receptionist);
      await hold(db, { slotId: nth(hospital.otherSlotIds, 0), patientId: otherId });
      await asOwner(db);
      await db.query('update app_public.account set is_active = false where id = $1', [
        hospital.receptionist.accountId,
      ]);
      await db.query('update app_public.location set is_active = false where id = $1', [
        hospital.locationIds[0],
      ]);
      await db.query(
        "update app_public.patient set status = 'blocked', blocked_reason = 'x' where id = $1",
        [otherId],
      );
      await expectNamed(db, check);
    }));

  test('a visit that was no no-show after all comes back to a doctor who takes nobody new', () =>
    story(ownerPool, async (db, hospital) => {
      const { id } = await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await become(db, hospital.receptionist);
      await markNoShow(db, id, 'patient_called');
      await become(db, hospital.admin);
      await setAvailability(db, hospital.doctorIds[0], false);
      await undoNoShow(db, id);
      await expectNamed(db, check);
    }));
});

describe('appointments of one patient', () => {
  async function withoutWall(db: ClientBase, ...statement: [string, unknown[]]): Promise<void> {
    await withoutConstraint(
      db,
      'app_public.appointment',
      'a_patient_is_in_one_place_at_a_time',
      () =>
        withoutConstraint(
          db,
          'app_public.appointment',
          'a_patient_asks_a_doctor_once_for_a_time',
          () => unguarded(db, () => db.query(...statement)),
        ),
    );
  }

  test('with one doctor at one time are the same twice, in whatever slots and states', () =>
    story(ownerPool, async (db, hospital) => {
      const [patientId, otherId] = [nth(hospital.patientIds, 0), nth(hospital.patientIds, 1)];
      const one = await appointmentIn(
        db,
        hospital,
        'confirmed',
        nth(hospital.slotIds, 0),
        patientId,
      );
      const other = await appointmentIn(db, hospital, 'held', nth(hospital.slotIds, 1), otherId);
      await withoutWall(
        db,
        'update app_public.appointment set patient_id = $2, during = $3 where id = $1',
        [other.id, patientId, `[${one.starts_at.toISOString()},${one.ends_at.toISOString()})`],
      );
      await expectNamed(db, 'duplicate_appointment', one.id, other.id);
      await expectNamed(db, 'overlapping_patient_appointments');
      await setStatus(db, other.id, 'cancelled');
      await expectNamed(db, 'duplicate_appointment');
    }));

  test('that are both requests for one time are the same twice', () =>
    story(ownerPool, async (db, hospital) => {
      const one = await appointmentIn(
        db,
        hospital,
        'requested',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      const other = await appointmentIn(
        db,
        hospital,
        'requested',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 1),
      );
      await expectNamed(db, 'duplicate_appointment');
      await withoutWall(db, 'update app_public.appointment set patient_id = $2 where id = $1', [
        other.id,
        one.patient_id,
      ]);
      await expectNamed(db, 'duplicate_appointment', one.id, other.id);
    }));

  test('that overlap are found with three of them, each pair', () =>
    story(ownerPool, async (db, hospital) => {
      const patientId = nth(hospital.patientIds, 0);
      const long = await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.slotIds, 0),
        patientId,
      );
      const during = await appointmentIn(
        db,
        hospital,
        'scheduled',
        nth(hospital.otherSlotIds, 1),
        patientId,
      );
      const late = await appointmentIn(
        db,
        hospital,
        'checked_in',
        nth(hospital.otherSlotIds, 2),
        patientId,
      );
      await expectNamed(db, 'overlapping_patient_appointments');
      await withoutWall(
        db,
        "update app_public.appointment set during = tstzrange(starts_at, starts_at + interval '75 minutes') where id = $1",
        [long.id],
      );
      await expectNamed(
        db,
        'overlapping_patient_appointments',
        long.id,
        long.id,
        during.id,
        late.id,
      );
      await expectNamed(db, 'duplicate_appointment');
    }));

  test('are right one after the other, as request and visit, and where one has ended', () =>
    story(ownerPool, async (db, hospital) => {
      const patientId = nth(hospital.patientIds, 0);
      await appointmentIn(db, hospital, 'cancelled', nth(hospital.slotIds, 0), patientId);
      await appointmentIn(db, hospital, 'no_show', nth(hospital.slotIds, 0), patientId);
      await appointmentIn(db, hospital, 'requested', nth(hospital.slotIds, 0), patientId);
      await appointmentIn(db, hospital, 'scheduled', nth(hospital.otherSlotIds, 0), patientId);
      await appointmentIn(db, hospital, 'scheduled', nth(hospital.slotIds, 1), patientId);
      await expectNamed(db, 'duplicate_appointment');
      await expectNamed(db, 'overlapping_patient_appointments');
    }));
});

describe('no_show_log_mismatch', () => {
  const check = 'no_show_log_mismatch';

  test('speaks of a standing row of a visit that took place, and goes to people', () =>
    story(ownerPool, async (db, hospital) => {
      const { id } = await appointmentIn(
        db,
        hospital,
        'no_show',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await expectNamed(db, check);
      await unguarded(db, () =>
        db.query(
          "update app_public.appointment set status = 'completed', completed_at = now() where id = $1",
          [id],
        ),
      );
      await expectNamed(db, check, id);
      await expectNamed(db, 'patient_no_show_count_mismatch');
    }));

  test('is silent about what was missed, taken back, and missed again', () =>
    story(ownerPool, async (db, hospital) => {
      const { id } = await appointmentIn(
        db,
        hospital,
        'no_show',
        nth(hospital.slotIds, 0),
        nth(hospital.patientIds, 0),
      );
      await setStatus(db, id, 'scheduled');
      await setStatus(db, id, 'no_show');
      await expectNamed(db, check);
    }));
});

describe('waitlist_offer_mismatch', () => {
  const check = 'waitlist_offer_mismatch';

  async function offered(db: ClientBase, hospital: OpenHospital) {
    await become(db, hospital.receptionist);
    const entry = await join(db, hospital, { patientId: nth(hospital.patientIds, 0), lastDay: 2 });
    await offerSeats(db, hospital);
    const offer = nth(await offersIn(db, hospital), 0);
    await asOwner(db);
    return { entry, offer };
  }

  test.each([
    ['scheduled', 'accepted', 'booked'],
    ['cancelled', 'declined', 'waiting'],
    ['expired', 'lapsed', 'waiting'],
  ])('an open offer of a hold that is %s is decided: %s, %s', (status, outcome, entryStatus) =>
    story(ownerPool, async (db, hospital) => {
      const { entry, offer } = await offered(db, hospital);
      await expectNamed(db, check);
      await unguarded(db, () =>
        db.query(
          `update app_public.appointment
              set status = $2::text::app_public.appointment_status, held_until = null,
                  cancelled_at = case when $2 = 'cancelled' then now() end
            where id = $1`,
          [offer.appointment_id, status],
        ),
      );
      await expectNamed(db, check, entry.id);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }]);
      const { rows } = await db.query(
        `select waitlist_offer.outcome, waitlist_entry.status
           from app_public.waitlist_offer join app_public.waitlist_entry on waitlist_entry.id = entry_id
          where entry_id = $1`,
        [entry.id],
      );
      expect(rows).toEqual([{ outcome, status: entryStatus }]);
      expect(await repairAgain(db, check)).toEqual([
        'Nothing to do: the offer and its appointment agree.',
      ]);
    }),
  );

  test('a place that waits for an offer which was answered follows it', () =>
    story(ownerPool, async (db, hospital) => {
      const { entry, offer } = await offered(db, hospital);
      await become(db, hospital.receptionist);
      await cancel(db, offer.appointment_id);
      await asOwner(db);
      await unguarded(db, () =>
        db.query("update app_public.waitlist_entry set status = 'offered' where id = $1", [
          entry.id,
        ]),
      );
      await expectNamed(db, check, entry.id);
      expect(await repairAll(db, check)).toMatchObject([{ isGone: true }]);
    }));

  test('a place that waits for an offer which was never made, and an answer never given, are for people', () =>
    story(ownerPool, async (db, hospital) => {
      const { entry, offer } = await offered(db, hospital);
      await unguarded(db, () =>
        db.query(
          "update app_public.waitlist_offer set outcome = 'declined', decided_at = now() where id = $1",
          [offer.id],
        ),
      );
      await expectNamed(db, check, entry.id, entry.id);
      const repaired = await repairAll(db, check);
      expect(repaired.some(({ isForPeople }) => isForPeople)).toBe(true);
    }));

  test('is silent about an accepted offer, whatever became of the visit', () =>
    story(ownerPool, async (db, hospital) => {
      const { offer } = await offered(db, hospital);
      await become(db, hospital.patient);
      await transit(db, 'confirm_hold', offer.appointment_id);
      await expectNamed(db, check);
      await setStatus(db, offer.appointment_id, 'no_show');
      await expectNamed(db, check);
    }));
});

describe('delivery_to_somebody_else', () => {
  const check = 'delivery_to_somebody_else';

  test.each(['doctor', 'account', 'patient'])('speaks of another %s', (kind) =>
    story(ownerPool, async (db, hospital) => {
      const recipients: Record<string, [string, string]> = {
        doctor: hospital.doctorIds,
        account: [hospital.admin.accountId, hospital.nurse.accountId],
        patient: [nth(hospital.patientIds, 0), nth(hospital.patientIds, 1)],
      };
      const [right, wrong] = recipients[kind] ?? ['', ''];
      const notificationId = await insert(db, 'notification', {
        hospital_id: hospital.id,
        [`${kind}_id`]: right,
        event: 'job_failing',
        priority: 'high',
        channels: ['in_app'],
        title: 'x',
        body: 'x',
        created_at: new Date(),
      });
      const id = await insert(db, 'notification_delivery', {
        hospital_id: hospital.id,
        notification_id: notificationId,
        [`${kind}_id`]: right,
        channel: 'in_app',
        status: 'sent',
        outcome: 'in_inbox',
        planned_at: new Date(),
        ended_at: new Date(),
      });
      await expectNamed(db, check);
      await unguarded(db, () =>
        db.query(`update app_public.notification_delivery set ${kind}_id = $2 where id = $1`, [
          id,
          wrong,
        ]),
      );
      await expectNamed(db, check, id);
    }),
  );
});
