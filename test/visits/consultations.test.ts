import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { one, setStatus, slotState, stored, transit } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { notificationsIn } from '../helpers/inbox.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { arrive, type ConsultationRecord, consultation, fillIn, start } from './arrivals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 2 });
const foreign = await openHospital(ownerPool, { horizonDays: 1 });
const [doctorId, otherDoctorId] = hospital.doctorIds;
const staff = [hospital.nurse, hospital.receptionist, hospital.admin];

const story = (tell: (db: ClientBase) => Promise<void>) => () => rolledBack(ownerPool, tell);

/** A consultation that was just started, and whoever acts is its doctor. */
async function started(db: ClientBase): Promise<ConsultationRecord> {
  const visit = await arrive(db, hospital);
  return start(db, hospital.doctor, visit.id);
}

/** A completed one. */
async function completed(db: ClientBase): Promise<ConsultationRecord> {
  const { consultation_id } = await started(db);
  await fillIn(db, consultation_id);
  return complete(db, consultation_id);
}

const complete = (db: ClientBase, id: string) =>
  consultation(db, 'complete_consultation($1)', [id]);
const abandon = (db: ClientBase, id: string, reason: string | null = 'fire alarm') =>
  consultation(db, 'abandon_consultation($1, $2)', [id, reason]);
const write = (db: ClientBase, id: string, notes: string) =>
  consultation(db, 'update_consultation($1, notes => $2)', [id, notes]);
const add = (db: ClientBase, id: string, doctor: string, role = 'assisting') =>
  consultation(db, 'add_participant($1, $2, $3)', [id, doctor, role]);
const remove = (db: ClientBase, id: string, doctor: string) =>
  consultation(db, 'remove_participant($1, $2)', [id, doctor]);
const addText = (db: ClientBase, id: string, text: string | null) =>
  consultation(db, 'add_addendum($1, $2)', [id, text]);

describe('starting', () => {
  test(
    'sets the visit in progress in the same breath, with its doctor as the primary one',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      const record = await start(db, hospital.doctor, visit.id);
      expect(record).toMatchObject({
        appointment_id: visit.id,
        status: 'started',
        chief_complaint: null,
        diagnosis: [],
        members: [{ doctor_id: doctorId, role: 'primary' }],
        texts: [],
      });
      expect((await stored(db, visit.id)).status).toBe('in_progress');
    }),
  );

  test(
    'is for the doctor of the visit alone',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      expect(await refusalOf(db, () => start(db, hospital.otherDoctor, visit.id))).toMatchObject({
        code: 'SK403',
        scenario: 'forbidden',
      });
      for (const actor of [...staff, hospital.patient]) {
        const error = await errorOf(db, () => start(db, actor, visit.id));
        expect(error.code, actor.role).toBe('42501');
      }
      expect(await refusalOf(db, () => start(db, foreign.doctor, visit.id))).toMatchObject({
        scenario: 'appointment_not_found',
      });
      expect((await stored(db, visit.id)).status).toBe('checked_in');
    }),
  );

  test.each(['scheduled', 'confirmed', 'completed', 'cancelled', 'no_show'] as const)(
    'is refused for a visit that is %s',
    (status) =>
      rolledBack(ownerPool, async (db) => {
        await asOwner(db);
        const visit = await insert(db, 'appointment', {
          hospital_id: hospital.id,
          slot_id: nth(hospital.slotIds, 0),
          patient_id: nth(hospital.patientIds, 0),
          status: 'scheduled',
        });
        if (status !== 'scheduled') await setStatus(db, visit, status);
        expect(await refusalOf(db, () => start(db, hospital.doctor, visit))).toMatchObject({
          scenario: 'illegal_transition',
          details: { from: status, to: 'in_progress' },
        });
      }),
  );

  test(
    'a second one is refused, and told which is open',
    story(async (db) => {
      const { appointment_id, consultation_id } = await started(db);
      expect(await refusalOf(db, () => start(db, hospital.doctor, appointment_id))).toMatchObject({
        code: 'SK409',
        scenario: 'consultation_open',
        details: { appointment_id, consultation_id },
      });
    }),
  );

  test(
    'meets the same wall in psql, where the index is the last line',
    story(async (db) => {
      const { appointment_id } = await started(db);
      await asOwner(db);
      const row = { hospital_id: hospital.id, appointment_id };
      expect(await refusalOf(db, () => insert(db, 'consultation', row))).toMatchObject({
        scenario: 'consultation_open',
      });
      await db.query('alter table app_public.consultation disable trigger user');
      const error = await errorOf(db, () =>
        insert(db, 'consultation', {
          ...row,
          patient_id: hospital.patientIds[0],
          doctor_id: doctorId,
          started_at: '2026-01-01',
          updated_at: '2026-01-01',
        }),
      );
      expect(error.constraint).toBe('one_open_consultation_of_an_appointment');
    }),
  );
});

describe('writing', () => {
  test(
    'keeps what is left out, clears what is empty, and trims',
    story(async (db) => {
      const { consultation_id } = await started(db);
      expect(await fillIn(db, consultation_id)).toMatchObject({
        status: 'in_progress',
        chief_complaint: 'a cough',
        diagnosis: ['a cold'],
        notes: 'sleeps badly',
      });
      const next = await consultation(
        db,
        "update_consultation($1, diagnosis => array[' flu ', 'a cold'], notes => ' ')",
        [consultation_id],
      );
      expect(next).toMatchObject({
        chief_complaint: 'a cough',
        diagnosis: ['flu', 'a cold'],
        notes: null,
      });
      expect(
        await consultation(db, "update_consultation($1, diagnosis => '{}')", [consultation_id]),
      ).toMatchObject({ diagnosis: [] });
    }),
  );

  test(
    'tells every fault of the input at once',
    story(async (db) => {
      const { consultation_id } = await started(db);
      const refusal = await refusalOf(db, () =>
        consultation(
          db,
          "update_consultation($1, repeat('x', 2001), array['a', ' '], repeat('x', 20001))",
          [consultation_id],
        ),
      );
      expect(refusal).toMatchObject({
        scenario: 'invalid_input',
        details: {
          chief_complaint: 'at most 2000 characters',
          diagnosis: 'none may be empty',
          notes: 'at most 20000 characters',
        },
      });
    }),
  );

  test(
    'is for its doctor: others are refused, those of other hospitals find nothing',
    story(async (db) => {
      const { consultation_id } = await started(db);
      await add(db, consultation_id, otherDoctorId);
      const writes = [
        () => write(db, consultation_id, 'mine'),
        () => complete(db, consultation_id),
        () => abandon(db, consultation_id),
        () => add(db, consultation_id, otherDoctorId),
        () => remove(db, consultation_id, otherDoctorId),
      ];
      await become(db, hospital.otherDoctor);
      for (const attempt of writes) {
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'forbidden' });
      }
      await become(db, foreign.doctor);
      for (const attempt of writes) {
        expect((await refusalOf(db, attempt)).scenario).toMatch(
          /^(consultation|participant)_not_found$/,
        );
      }
      for (const actor of [...staff, hospital.patient]) {
        await become(db, actor);
        for (const attempt of writes) {
          expect((await errorOf(db, attempt)).code, actor.role).toBe('42501');
        }
      }
    }),
  );

  test(
    'leaves in the log who wrote which column when, and not what',
    story(async (db) => {
      const { consultation_id } = await started(db);
      await fillIn(db, consultation_id);
      await become(db, hospital.admin);
      const { rows } = await db.query(
        `select operation, actor_account_id, new_state, changed_columns from app_public.audit_entry
         where record_id = $1 order by id`,
        [consultation_id],
      );
      expect(rows).toMatchObject([
        { operation: 'insert' },
        {
          operation: 'update',
          actor_account_id: hospital.doctor.accountId,
          changed_columns: {
            status: 'in_progress',
            chief_complaint: '[withheld]',
            diagnosis: '[withheld]',
            notes: '[withheld]',
          },
        },
      ]);
      expect(JSON.stringify(rows)).not.toMatch(/cough|cold|sleeps/);
    }),
  );
});

describe('completing', () => {
  test(
    'completes the visit in the same transaction, and frees its seat',
    story(async (db) => {
      const { consultation_id, appointment_id } = await started(db);
      await fillIn(db, consultation_id);
      await moveClock(db, '10 minutes');
      expect(await complete(db, consultation_id)).toMatchObject({
        status: 'completed',
        ended_at: expect.any(Date),
      });
      expect((await stored(db, appointment_id)).status).toBe('completed');
      expect((await slotState(db, nth(hospital.slotIds, 0))).booked_count).toBe(0);
    }),
  );

  test(
    'lists everything that is missing at once',
    story(async (db) => {
      const { consultation_id, appointment_id } = await started(db);
      const missing = async () => {
        const refusal = await refusalOf(db, () => complete(db, consultation_id));
        expect(refusal).toMatchObject({ code: 'SK422', scenario: 'consultation_incomplete' });
        return refusal.details.missing;
      };
      expect(await missing()).toEqual(['chief_complaint', 'diagnosis']);
      await consultation(db, "update_consultation($1, diagnosis => '{flu}')", [consultation_id]);
      expect(await missing()).toEqual(['chief_complaint']);
      await consultation(db, "update_consultation($1, 'cough', '{}')", [consultation_id]);
      expect(await missing()).toEqual(['diagnosis']);
      expect((await stored(db, appointment_id)).status).toBe('in_progress');
    }),
  );

  test(
    'is the only way to end a visit with an open consultation, for everybody',
    story(async (db) => {
      const { appointment_id, consultation_id } = await started(db);
      expect(
        await refusalOf(db, () => transit(db, 'complete_appointment', appointment_id)),
      ).toMatchObject({
        code: 'SK409',
        scenario: 'consultation_open',
        details: { appointment_id, consultation_id },
      });
      await asOwner(db);
      expect(await refusalOf(db, () => setStatus(db, appointment_id, 'completed'))).toMatchObject({
        scenario: 'consultation_open',
      });
      for (const status of ['cancelled', 'no_show', 'confirmed'] as const) {
        expect(await refusalOf(db, () => setStatus(db, appointment_id, status))).toMatchObject({
          scenario: 'illegal_transition',
        });
      }
    }),
  );

  test(
    'is for good: nothing changes afterwards, for anybody',
    story(async (db) => {
      const { consultation_id } = await completed(db);
      for (const attempt of [
        () => write(db, consultation_id, 'better'),
        () => complete(db, consultation_id),
        () => abandon(db, consultation_id),
        () => add(db, consultation_id, otherDoctorId),
        () => remove(db, consultation_id, doctorId),
      ]) {
        expect(await refusalOf(db, attempt)).toMatchObject({
          code: 'SK409',
          scenario: 'consultation_is_final',
          details: { consultation_id, status: 'completed' },
        });
      }
      await asOwner(db);
      for (const change of [
        "notes = 'better'",
        "status = 'in_progress', ended_at = null",
        "diagnosis = array['[erased]']",
        "chief_complaint = '[erased]', diagnosis = array['[erased]'], notes = '[erased]'",
        'ended_at = now()',
      ]) {
        const attempt = () =>
          db.query(`update app_public.consultation set ${change} where id = $1`, [consultation_id]);
        expect(await refusalOf(db, attempt), change).toMatchObject({
          scenario: 'consultation_is_final',
        });
      }
    }),
  );
});

describe('abandoning', () => {
  test(
    'needs a reason, and the patient waits again: another consultation may be started',
    story(async (db) => {
      const { consultation_id, appointment_id } = await started(db);
      for (const reason of [null, '  ']) {
        expect(await refusalOf(db, () => abandon(db, consultation_id, reason))).toMatchObject({
          scenario: 'invalid_input',
          details: { reason: 'is required' },
        });
      }
      expect(await abandon(db, consultation_id)).toMatchObject({
        status: 'abandoned',
        abandon_reason: 'fire alarm',
        ended_at: expect.any(Date),
      });
      expect((await stored(db, appointment_id)).status).toBe('checked_in');
      expect(await refusalOf(db, () => write(db, consultation_id, 'x'))).toMatchObject({
        scenario: 'consultation_is_final',
        details: { status: 'abandoned' },
      });
      const again = await start(db, hospital.doctor, appointment_id);
      expect(again.consultation_id).not.toBe(consultation_id);
      await fillIn(db, again.consultation_id);
      await complete(db, again.consultation_id);
      expect((await stored(db, appointment_id)).status).toBe('completed');
    }),
  );

  test(
    'is the only way back to the waiting room: no role and no hand goes there by itself',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      await asOwner(db);
      await setStatus(db, visit.id, 'in_progress');
      for (const actor of [hospital.doctor, ...staff]) {
        await become(db, actor);
        expect(
          await refusalOf(db, () => transit(db, 'check_in_appointment', visit.id)),
          actor.role,
        ).toMatchObject({ scenario: 'illegal_transition' });
      }
      await asOwner(db);
      expect(await refusalOf(db, () => setStatus(db, visit.id, 'checked_in'))).toMatchObject({
        scenario: 'illegal_transition',
        details: { from: 'in_progress', to: 'checked_in' },
      });
    }),
  );
});

describe('taking part', () => {
  test(
    'the doctor added is told at once, urgently, and the others are not',
    story(async (db) => {
      const { consultation_id, appointment_id } = await started(db);
      const before = (await notificationsIn(db, hospital.id)).length;
      expect((await add(db, consultation_id, otherDoctorId, 'supervising')).members).toMatchObject([
        { doctor_id: doctorId, role: 'primary' },
        { doctor_id: otherDoctorId, role: 'supervising' },
      ]);
      expect((await notificationsIn(db, hospital.id)).slice(before)).toMatchObject([
        {
          doctor_id: otherDoctorId,
          event: 'participant_added',
          priority: 'high',
          appointment_id,
          body: expect.stringMatching(/consultation of Patient 1, .*: supervising\.$/),
        },
      ]);
    }),
  );

  test(
    'nobody twice, not the primary one again, nobody unknown, inactive or of another hospital',
    story(async (db) => {
      const { consultation_id } = await started(db);
      const refused = async (doctor: string, role = 'assisting') =>
        (await refusalOf(db, () => add(db, consultation_id, doctor, role))).scenario;
      expect(await refused(doctorId)).toBe('already_participating');
      expect(await refused(doctorId, 'primary')).toBe('already_participating');
      expect(await refused(otherDoctorId, 'primary')).toBe('one_primary_doctor');
      await add(db, consultation_id, otherDoctorId);
      expect(await refused(otherDoctorId)).toBe('already_participating');
      expect(await refused(otherDoctorId, 'consulting')).toBe('already_participating');
      expect(await refused(foreign.doctorIds[0])).toBe('doctor_not_found');
      await remove(db, consultation_id, otherDoctorId);
      await asOwner(db);
      await db.query('update app_public.doctor set is_active = false where id = $1', [
        otherDoctorId,
      ]);
      await become(db, hospital.doctor);
      expect(await refused(otherDoctorId)).toBe('doctor_inactive');
    }),
  );

  test(
    'others leave, the primary one never; the log keeps that they were there',
    story(async (db) => {
      const { consultation_id } = await started(db);
      await add(db, consultation_id, otherDoctorId);
      expect((await remove(db, consultation_id, otherDoctorId)).members).toMatchObject([
        { doctor_id: doctorId },
      ]);
      expect(await refusalOf(db, () => remove(db, consultation_id, otherDoctorId))).toMatchObject({
        code: 'SK404',
        scenario: 'participant_not_found',
      });
      expect(await refusalOf(db, () => remove(db, consultation_id, doctorId))).toMatchObject({
        scenario: 'one_primary_doctor',
      });
      await asOwner(db);
      const { rows } = await db.query(
        `select operation from app_public.audit_entry
         where table_name = 'consultation_participant' and coalesce(new_state, old_state) ->> 'doctor_id' = $1
         order by id`,
        [otherDoctorId],
      );
      expect(rows).toEqual([{ operation: 'insert' }, { operation: 'delete' }]);
      expect(
        await refusalOf(db, () =>
          db.query('delete from app_public.consultation_participant where consultation_id = $1', [
            consultation_id,
          ]),
        ),
      ).toMatchObject({ scenario: 'one_primary_doctor' });
    }),
  );
});

describe('an addendum', () => {
  test(
    'is added by who took part, to what is completed, and stays as it is',
    story(async (db) => {
      const { consultation_id } = await started(db);
      expect(await refusalOf(db, () => addText(db, consultation_id, 'x'))).toMatchObject({
        scenario: 'consultation_not_completed',
        details: { status: 'started' },
      });
      await add(db, consultation_id, otherDoctorId);
      await fillIn(db, consultation_id);
      await complete(db, consultation_id);
      await addText(await as(db, hospital.otherDoctor), consultation_id, ' the lab agrees ');
      await moveClock(db, '1 hour');
      const record = await addText(await as(db, hospital.doctor), consultation_id, 'recovered');
      expect(record).toMatchObject({
        status: 'completed',
        texts: [
          { text: 'the lab agrees', doctor_name: 'Dr. Two' },
          { text: 'recovered', doctor_name: 'Dr. One' },
        ],
      });
      for (const text of [null, ' ']) {
        expect(await refusalOf(db, () => addText(db, consultation_id, text))).toMatchObject({
          scenario: 'invalid_input',
        });
      }
      await asOwner(db);
      for (const statement of [
        "update app_public.consultation_addendum set text = 'never'",
        "update app_public.consultation_addendum set text = '[erased]'",
        'delete from app_public.consultation_addendum',
      ]) {
        expect(await refusalOf(db, () => db.query(statement)), statement).toMatchObject({
          scenario: 'consultation_is_final',
        });
      }
    }),
  );

  test(
    'is not for who took no part',
    story(async (db) => {
      const { consultation_id } = await completed(db);
      await become(db, hospital.otherDoctor);
      expect(await refusalOf(db, () => addText(db, consultation_id, 'x'))).toMatchObject({
        scenario: 'forbidden',
      });
      await become(db, foreign.doctor);
      expect(await refusalOf(db, () => addText(db, consultation_id, 'x'))).toMatchObject({
        scenario: 'consultation_not_found',
      });
    }),
  );
});

test(
  'a patient with an open consultation is not erased',
  story(async (db) => {
    const { consultation_id } = await started(db);
    await moveClock(db, '1 day');
    await become(db, hospital.admin);
    const erase = () =>
      one(db, 'select * from app_public.erase_patient($1)', [nth(hospital.patientIds, 0)]);
    expect(await refusalOf(db, erase)).toMatchObject({
      scenario: 'consultation_open',
      details: { consultation_id },
    });
    await abandon(await as(db, hospital.doctor), consultation_id);
    await become(db, hospital.admin);
    await erase();
  }),
);
