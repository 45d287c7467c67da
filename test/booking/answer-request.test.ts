import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import {
  type Appointment,
  appointmentIn,
  appointmentStatuses,
  book,
  cancel,
  dayCount,
  one,
  slotState,
  stored,
  transit,
} from '../helpers/booking.ts';
import { clockOf, moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { accept, decline, notificationsOf, propose, request } from '../helpers/requests.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool);
const stranger = await openHospital(ownerPool);
const slotId = nth(hospital.slotIds, 0);
const nextSlotId = nth(hospital.slotIds, 1);
const patientId = nth(hospital.patientIds, 0);
const otherPatientId = nth(hospital.patientIds, 1);
const answerers = [hospital.doctor, hospital.receptionist, hospital.admin];
const onlookers = [hospital.patient, hospital.nurse];

/** An open request of the first patient for the time of the first slot. */
async function asked(db: ClientBase, slot = slotId): Promise<Appointment> {
  return appointmentIn(db, hospital, 'requested', slot, patientId);
}

/** What becomes of the request when it is answered with the slot, each way. */
const answers = {
  accept: (db: ClientBase, id: string, slot = slotId) => accept(db, id, slot),
  decline: (db: ClientBase, id: string) => decline(db, id),
  propose: (db: ClientBase, id: string, slot = slotId) => propose(db, id, slot),
};

describe('the inbox', () => {
  test('of a doctor holds their own open requests, of reception and admins all, oldest wish first', () =>
    rolledBack(ownerPool, async (db) => {
      const second = await asked(db, nextSlotId);
      await moveClock(db, '1 minute');
      const first = await asked(db, slotId);
      await moveClock(db, '1 minute');
      const elsewhere = await asked(db, nth(hospital.otherSlotIds, 0));
      await appointmentIn(db, hospital, 'scheduled', nth(hospital.slotIds, 5), patientId);
      await asOwner(db);
      await appointmentIn(
        db,
        stranger,
        'requested',
        nth(stranger.slotIds, 0),
        nth(stranger.patientIds, 0),
      );

      const inbox = async () =>
        (await db.query<Appointment>('select * from app_public.requests_to_answer()')).rows.map(
          ({ id }) => id,
        );
      await become(db, hospital.doctor);
      expect(await inbox()).toEqual([second.id, first.id]);
      await become(db, hospital.otherDoctor);
      expect(await inbox()).toEqual([elsewhere.id]);
      for (const actor of [hospital.receptionist, hospital.admin]) {
        await become(db, actor);
        expect(await inbox(), actor.role).toEqual([second.id, first.id, elsewhere.id]);
      }
      for (const actor of onlookers) {
        await become(db, actor);
        expect(await errorOf(db, inbox), actor.role).toMatchObject({ code: '42501' });
      }
    }));

  test('leaves out what is answered and what nobody can accept any more', () =>
    rolledBack(ownerPool, async (db) => {
      const answered = await asked(db);
      await asked(db, nextSlotId);
      await decline(await as(db, hospital.doctor), answered.id);
      const inbox = () => db.query('select id from app_public.requests_to_answer()');
      expect((await inbox()).rows).toHaveLength(1);
      await moveClock(db, '2 days');
      expect((await inbox()).rows).toEqual([]);
    }));
});

describe('accepting', () => {
  test.each(answerers)('$role accepts a request into its slot', (actor) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      const accepted = await accept(await as(db, actor), id, slotId);
      expect(accepted).toMatchObject({ id, status: 'scheduled', slot_id: slotId });
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1 });
      expect(await dayCount(db, slotId)).toBe(1);
      expect(await notificationsOf(db, id)).toMatchObject([
        { event: 'request_received', to: 'doctor' },
        { event: 'request_accepted', to: 'patient' },
      ]);
    }),
  );

  test('without a slot, into that of the doctor in which its time begins', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db, nextSlotId);
      await become(db, hospital.doctor);
      expect(await accept(db, id)).toMatchObject({ slot_id: nextSlotId });
    }));

  test('without a slot, on a day that has no rows yet, the day is made real', () =>
    rolledBack(ownerPool, async (db) => {
      const bare = await createHospital(db);
      const { id } = await one(
        db,
        `insert into app_public.appointment (hospital_id, doctor_id, patient_id, during, status)
         select $1, $2, $3, tstzrange(wish.starts_at, wish.starts_at + interval '1 hour'), 'requested'
         from (select ((app_private.clock() at time zone $4)::date + 3 + time '09:30') at time zone $4 as starts_at) as wish
         returning *`,
        [bare.id, bare.doctorIds[0], nth(bare.patientIds, 0), bare.timeZone],
      );
      await become(db, bare.doctor);
      expect(await accept(db, id)).toMatchObject({
        status: 'scheduled',
        doctor_id: bare.doctorIds[0],
      });
    }));

  test('a time at which the doctor has no slot needs one to be named', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await asOwner(db);
      await db.query('update app_public.slot set withdrawn_at = now() where id = $1', [slotId]);
      await become(db, hospital.doctor);
      expect(await refusalOf(db, () => accept(db, id))).toMatchObject({
        code: 'SK404',
        scenario: 'slot_not_found',
      });
    }));

  test('the time that was asked for is kept, and must lie in the slot', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query("update app_public.service set duration = '20 minutes' where id = $1", [
        hospital.serviceId,
      ]);
      const { rows } = await db.query<{ starts_at: Date }>(
        "select starts_at + interval '5 minutes' as starts_at from app_public.slot where id = $1",
        [slotId],
      );
      const startsAt = nth(rows, 0).starts_at;
      const { id } = await request(await as(db, hospital.patient), {
        doctorId: hospital.doctorIds[0],
        startsAt,
        patientId,
        serviceId: hospital.serviceId,
      });
      await become(db, hospital.doctor);
      expect(await refusalOf(db, () => accept(db, id, nextSlotId))).toMatchObject({
        code: 'SK422',
        scenario: 'time_outside_slot',
      });
      expect(await accept(db, id)).toMatchObject({ slot_id: slotId, starts_at: startsAt });
    }));

  test('all rules are judged', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await book(await as(db, hospital.receptionist), { slotId, patientId: otherPatientId });
      expect(await refusalOf(db, () => accept(db, id))).toMatchObject({
        scenario: 'slot_booked',
        details: { violations: [{ scenario: 'slot_booked' }] },
      });
      await book(db, { slotId: nth(hospital.otherSlotIds, 0), patientId });
      expect(await refusalOf(db, () => accept(db, id))).toMatchObject({
        scenario: 'patient_double_booked',
      });
      expect(await stored(db, id)).toMatchObject({ status: 'requested', slot_id: null });
    }));

  test('a request whose time has passed is not accepted any more', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await moveClock(db, '3 days');
      await become(db, hospital.receptionist);
      expect(await refusalOf(db, () => accept(db, id, slotId))).toMatchObject({
        scenario: 'slot_in_past',
      });
    }));

  test('reception may accept it for another doctor, a doctor not', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      const elsewhere = nth(hospital.otherSlotIds, 0);
      await become(db, hospital.doctor);
      expect(await refusalOf(db, () => accept(db, id, elsewhere))).toMatchObject({
        code: 'SK403',
        scenario: 'forbidden',
      });
      await become(db, hospital.receptionist);
      expect(await accept(db, id, elsewhere)).toMatchObject({ doctor_id: hospital.doctorIds[1] });
    }));
});

describe('declining', () => {
  test.each(answerers)('$role declines a request, and the patient hears why', (actor) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      expect(await decline(await as(db, actor), id, 'on tour')).toMatchObject({
        status: 'cancelled',
        cancellation_cause: 'declined',
        cancellation_reason: 'on tour',
        cancelled_by: actor.accountId,
      });
      expect((await notificationsOf(db, id)).at(-1)).toMatchObject({
        event: 'request_declined',
        to: 'patient',
        body: expect.stringContaining('on tour'),
      });
    }),
  );

  test.each([null, '', '  '])('a reason is required: %j', (reason) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await become(db, hospital.doctor);
      expect(await refusalOf(db, () => decline(db, id, reason))).toMatchObject({
        code: 'SK400',
        scenario: 'invalid_input',
      });
    }),
  );

  test('a patient withdraws their own request by cancelling it', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await become(db, hospital.patient);
      expect(await cancel(db, id)).toMatchObject({
        status: 'cancelled',
        cancellation_cause: 'patient',
      });
    }));
});

describe('proposing another slot', () => {
  test.each(answerers)('$role proposes; its seat is held for the patient', (actor) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      const proposed = await propose(await as(db, actor), id, nextSlotId, 'Would this do?');
      const until = new Date((await clockOf(db)).getTime() + 2 * 60 * 60_000);
      expect(proposed).toMatchObject({ status: 'held', slot_id: nextSlotId, held_until: until });
      const { rows } = await db.query(
        `select appointment.during = slot.during as is_in_it from app_public.appointment, app_public.slot
         where appointment.id = $1 and slot.id = $2`,
        [id, nextSlotId],
      );
      expect(rows).toEqual([{ is_in_it: true }]);
      expect(await slotState(db, nextSlotId)).toMatchObject({ booked_count: 1 });
      expect((await notificationsOf(db, id)).at(-1)).toMatchObject({
        event: 'time_proposed',
        to: 'patient',
        body: expect.stringMatching(
          /held for you until .*: confirm or cancel it\. Would this do\?$/,
        ),
      });
    }),
  );

  test('a message is for this proposal only', () =>
    rolledBack(ownerPool, async (db) => {
      const first = await asked(db);
      const second = await asked(db, nth(hospital.slotIds, 4));
      await become(db, hospital.doctor);
      await propose(db, first.id, nextSlotId, 'Only you');
      await propose(db, second.id, nth(hospital.slotIds, 5));
      expect((await notificationsOf(db, second.id)).at(-1)?.body).not.toContain('Only you');
      const third = await asked(db, nth(hospital.slotIds, 6));
      await become(db, hospital.doctor);
      const attempt = () => propose(db, third.id, slotId, 'x'.repeat(2001));
      expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'invalid_input' });
    }));

  test('the patient confirms it, or gives it back', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await propose(await as(db, hospital.doctor), id, nextSlotId);
      await become(db, hospital.patient);
      await db.query('savepoint proposed');
      expect(await transit(db, 'confirm_hold', id)).toMatchObject({ status: 'scheduled' });
      await db.query('rollback to savepoint proposed');
      expect(await cancel(db, id)).toMatchObject({ status: 'cancelled' });
      expect(await slotState(db, nextSlotId)).toMatchObject({ booked_count: 0 });
    }));

  test('a proposal that has lapsed is not confirmed, and its seat is anybody’s', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await propose(await as(db, hospital.doctor), id, nextSlotId);
      await moveClock(db, '2 hours');
      await become(db, hospital.patient);
      expect(await refusalOf(db, () => transit(db, 'confirm_hold', id))).toMatchObject({
        code: 'SK409',
        scenario: 'hold_expired',
      });
      await become(db, hospital.otherPatient);
      expect(await book(db, { slotId: nextSlotId, patientId: otherPatientId })).toMatchObject({
        status: 'scheduled',
      });
      expect(await stored(db, id)).toMatchObject({ status: 'expired' });
    }));

  test('all rules are judged', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await book(await as(db, hospital.receptionist), {
        slotId: nextSlotId,
        patientId: otherPatientId,
      });
      expect(await refusalOf(db, () => propose(db, id, nextSlotId))).toMatchObject({
        scenario: 'slot_booked',
      });
      expect(await stored(db, id)).toMatchObject({ status: 'requested' });
    }));
});

describe.each(Object.entries(answers))('who may %s', (_, answer) => {
  test.each(onlookers)('not a $role', (actor) =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await become(db, actor);
      expect(await errorOf(db, () => answer(db, id))).toMatchObject({ code: '42501' });
    }),
  );

  test('not another doctor, whatever its state', () =>
    rolledBack(ownerPool, async (db) => {
      for (const status of ['requested', 'cancelled'] as const) {
        const { id } = await appointmentIn(db, hospital, status, nextSlotId, patientId);
        await become(db, hospital.otherDoctor);
        expect(await refusalOf(db, () => answer(db, id)), status).toMatchObject({
          code: 'SK403',
          scenario: 'forbidden',
          details: { appointment_id: id },
        });
      }
    }));

  test('nobody of another hospital: there it does not exist', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await become(db, stranger.admin);
      for (const unknown of [id, randomUUID()]) {
        const refusal = await refusalOf(db, () => answer(db, unknown));
        expect(refusal).toMatchObject({
          code: 'SK404',
          scenario: 'appointment_not_found',
          details: { appointment_id: unknown },
        });
      }
    }));

  test.each(appointmentStatuses.filter((status) => status !== 'requested'))(
    'nobody, when it is %s',
    (status) =>
      rolledBack(ownerPool, async (db) => {
        const { id } = await appointmentIn(db, hospital, status, slotId, patientId);
        await become(db, hospital.receptionist);
        expect(await refusalOf(db, () => answer(db, id))).toMatchObject({
          code: 'SK409',
          scenario: 'illegal_transition',
          details: { from: status },
        });
        expect(await stored(db, id)).toMatchObject({ status });
      }),
  );
});

describe('requests that nobody answers', () => {
  const expire = async (db: ClientBase, hospitalId = hospital.id) => {
    await asWorker(db);
    const { count } = await one<{ count: number }>(
      db,
      'select app_private.expire_lapsed_requests($1) as count',
      [hospitalId],
    );
    return count;
  };

  test('expire when their time has come, and not before; the patient is told', () =>
    rolledBack(ownerPool, async (db) => {
      const due = await asked(db);
      const ahead = await asked(db, nth(hospital.slotIds, 20));
      const foreign = await appointmentIn(
        db,
        stranger,
        'requested',
        nth(stranger.slotIds, 0),
        nth(stranger.patientIds, 0),
      );
      expect(await expire(db)).toBe(0);

      await asOwner(db);
      await db.query(
        `insert into app_private.clock_shift (shift)
         select starts_at - now() from app_public.slot where id = $1`,
        [slotId],
      );
      expect(await expire(db)).toBe(1);
      expect(await stored(db, due.id)).toMatchObject({ status: 'expired' });
      expect(await stored(db, ahead.id)).toMatchObject({ status: 'requested' });
      expect(await stored(db, foreign.id)).toMatchObject({ status: 'requested' });
      expect((await notificationsOf(db, due.id)).at(-1)).toMatchObject({
        event: 'request_expired',
        to: 'patient',
      });
      expect(await expire(db)).toBe(0);
    }));

  test('expire as the system’s doing, whoever started it', () =>
    rolledBack(ownerPool, async (db) => {
      const { id } = await asked(db);
      await moveClock(db, '3 days');
      await expire(db);
      await asOwner(db);
      const { rows } = await db.query(
        `select actor_role, actor_account_id from app_public.audit_entry
         where record_id = $1 order by id desc limit 1`,
        [id],
      );
      expect(rows).toEqual([{ actor_role: 'worker', actor_account_id: null }]);
      const { role } = await one<{ role: string }>(db, 'select app_private.actor_role() as role');
      expect(role).toBe('operator');
    }));

  test('are found by an index that holds open requests only', () =>
    rolledBack(ownerPool, async (db) => {
      // In an empty table other indexes cost the same. Here one in ten is a request, and few of them are due.
      await db.query('set local session_replication_role = replica');
      await db.query(
        `insert into app_public.appointment
           (hospital_id, doctor_id, patient_id, during, status, source, created_at, updated_at)
         select $1, md5('doctor ' || number % 10)::uuid, md5('patient ' || number)::uuid,
           tstzrange(starts_at, starts_at + interval '30 minutes'),
           case when number % 10 = 0 then 'requested' else 'expired' end::app_public.appointment_status,
           'patient', starts_at, starts_at
         from generate_series(1, 3000) as number, lateral (values (now() + (number - 30) * interval '1 hour')) as at (starts_at)`,
        [hospital.id],
      );
      await db.query('set local session_replication_role = origin');
      await db.query('analyze app_public.appointment');
      await db.query('set local enable_seqscan = off');
      const { rows } = await db.query<{ 'QUERY PLAN': string }>(
        `explain (costs off) select id from app_public.appointment
         where hospital_id = $1 and status = 'requested' and starts_at <= now()
         for no key update skip locked`.replace('$1', `'${hospital.id}'`),
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('appointment_requested');
      expect(plan).toMatch(/Index Cond: .*starts_at <=/);
    }));
});
