import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { cancel, one, transit } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { arrive, consultation, fillIn, readingsIn, start } from './arrivals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 4 });
const foreign = await openHospital(ownerPool, { horizonDays: 1 });
const patientId = nth(hospital.patientIds, 0);

const story = (tell: (db: ClientBase) => Promise<void>) => () => rolledBack(ownerPool, tell);

type PatientRecord = {
  patient_id: string;
  name: string;
  access_id: string;
  vitals: unknown[];
  visits: { appointment_id: string; status: string; doctor_name: string }[];
  consultations: { consultation_id: string; notes: string; participants: unknown[] }[];
};

const open = (db: ClientBase, patient = patientId, purpose: string | null = 'before the visit') =>
  one<PatientRecord>(
    db,
    `select *, to_jsonb(visits) as visits, to_jsonb(consultations) as consultations
     from app_public.open_patient_record($1, $2)`,
    [patient, purpose],
  );

const openOne = (db: ClientBase, id: string) => consultation(db, 'open_consultation($1)', [id]);

/** A visit of the first patient with the first doctor that was completed with a consultation. */
async function seen(db: ClientBase): Promise<{ visit: string; id: string }> {
  const visit = await arrive(db, hospital);
  const { consultation_id: id } = await start(db, hospital.doctor, visit.id);
  await fillIn(db, id);
  await consultation(db, 'complete_consultation($1)', [id]);
  return { visit: visit.id, id };
}

const refusalFor = async (db: ClientBase, actor: Actor, patient = patientId) =>
  (await refusalOf(await as(db, actor), () => open(db, patient))).scenario;

describe('the record of a patient', () => {
  test(
    'has visits and consultations, and leaves who read it, what for and when in the same breath',
    story(async (db) => {
      const { visit, id } = await seen(db);
      await become(db, hospital.doctor);
      const record = await open(db);
      expect(record).toMatchObject({
        patient_id: patientId,
        name: 'Patient 1',
        vitals: [],
        visits: [{ appointment_id: visit, status: 'completed', doctor_name: 'Dr. One' }],
        consultations: [
          { consultation_id: id, notes: 'sleeps badly', participants: [{ role: 'primary' }] },
        ],
      });
      expect(await readingsIn(db, hospital)).toEqual([
        {
          patient_id: patientId,
          account_id: hospital.doctor.accountId,
          reader_role: 'doctor',
          reader_name: 'doctor',
          part: 'patient_record',
          consultation_id: null,
          purpose: 'before the visit',
          emergency_grant_id: null,
          request_id: 'test-request',
          is_now: true,
        },
      ]);
      await asOwner(db);
      const { rows } = await db.query('select id from app_public.record_access where id = $1', [
        record.access_id,
      ]);
      expect(rows).toHaveLength(1);
    }),
  );

  test(
    'is opened by doctors with an appointment that was not called off, past or to come',
    story(async (db) => {
      const visit = await arrive(db, hospital, 0, 0, hospital.otherSlotIds);
      expect(await refusalFor(db, hospital.doctor)).toBe('record_access_denied');
      await open(await as(db, hospital.otherDoctor));
      await transit(db, 'complete_appointment', visit.id);
      await moveClock(db, '300 days');
      await open(db);
      await moveClock(db, '-300 days');
      await become(db, hospital.receptionist);
      const { id } = await one<{ id: string }>(
        db,
        `select * from app_public.book_appointment($1, $2, gen_random_uuid())`,
        [nth(hospital.slotIds, 20), patientId],
      );
      await open(await as(db, hospital.doctor));
      await cancel(await as(db, hospital.receptionist), id);
      expect(await refusalFor(db, hospital.doctor)).toBe('record_access_denied');
    }),
  );

  test(
    'is opened by a doctor who was added to a consultation, and no longer once removed',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      const { consultation_id } = await start(db, hospital.doctor, visit.id);
      expect(await refusalFor(db, hospital.otherDoctor)).toBe('record_access_denied');
      await become(db, hospital.doctor);
      const other = [consultation_id, hospital.doctorIds[1]];
      await consultation(db, "add_participant($1, $2, 'consulting')", other);
      expect(await open(await as(db, hospital.otherDoctor))).toMatchObject({
        consultations: [{ consultation_id }],
      });
      await become(db, hospital.doctor);
      await consultation(db, 'remove_participant($1, $2)', other);
      expect(await refusalFor(db, hospital.otherDoctor)).toBe('record_access_denied');
    }),
  );

  test(
    'is opened by nurses from a day before a visit to a day after it',
    story(async (db) => {
      await arrive(db, hospital, 14);
      const allowed = async (shift: string) => {
        await db.query('savepoint shift');
        await moveClock(db, shift);
        await become(db, hospital.nurse);
        const outcome = await open(db).then(
          () => true,
          () => false,
        );
        await db.query('rollback to savepoint shift');
        return outcome;
      };
      expect(await allowed('0')).toBe(true);
      expect(await allowed('-24 hours')).toBe(true);
      expect(await allowed('-24 hours -1 second')).toBe(false);
      expect(await allowed('24 hours')).toBe(true);
      expect(await allowed('24 hours 1 second')).toBe(false);
      expect(await refusalFor(db, hospital.nurse, nth(hospital.patientIds, 1))).toBe(
        'record_access_denied',
      );
    }),
  );

  test(
    'is not opened by reception and admins, who are told how to get in; nothing is left of a refusal',
    story(async (db) => {
      await seen(db);
      for (const actor of [hospital.receptionist, hospital.admin]) {
        await become(db, actor);
        expect(await refusalOf(db, () => open(db)), actor.role).toMatchObject({
          code: 'SK403',
          scenario: 'record_access_denied',
          hint: expect.stringContaining('emergency'),
          details: { patient_id: patientId },
        });
      }
      await become(db, hospital.patient);
      expect((await errorOf(db, () => open(db))).code).toBe('42501');
      expect(await readingsIn(db, hospital)).toEqual([]);
    }),
  );

  test(
    'is opened under emergency access, whose grant stands beside the reading',
    story(async (db) => {
      await seen(db);
      await asOwner(db);
      const grant = '00000000-0000-4000-8000-000000000007';
      await db.query(
        `create or replace function app_private.has_emergency_access(hospital_id uuid, account_id uuid, patient_id uuid)
         returns uuid language sql stable
         return case when account_id = '${hospital.admin.accountId}'::uuid and patient_id = '${patientId}'::uuid
           then '${grant}'::uuid end`,
      );
      await open(await as(db, hospital.admin));
      expect(await readingsIn(db, hospital)).toMatchObject([
        { reader_role: 'admin', emergency_grant_id: grant },
      ]);
      expect(await refusalFor(db, hospital.receptionist)).toBe('record_access_denied');
      // Who treats the patient needs none, and spends none.
      await open(await as(db, hospital.doctor));
      expect((await readingsIn(db, hospital))[1]).toMatchObject({ emergency_grant_id: null });
    }),
  );

  test(
    'is never without a purpose, and unknown in other hospitals',
    story(async (db) => {
      await seen(db);
      await become(db, hospital.doctor);
      for (const purpose of [null, ' ', 'x'.repeat(501)]) {
        expect(await refusalOf(db, () => open(db, patientId, purpose))).toMatchObject({
          scenario: 'invalid_input',
          details: { purpose: expect.any(String) },
        });
      }
      expect(await refusalFor(db, foreign.doctor)).toBe('patient_not_found');
      expect(await refusalFor(db, foreign.admin)).toBe('patient_not_found');
      expect(await refusalFor(db, hospital.doctor, nth(foreign.patientIds, 0))).toBe(
        'patient_not_found',
      );
    }),
  );
});

describe('one consultation', () => {
  test(
    'is opened by those who take part, with a trace each time',
    story(async (db) => {
      const { id } = await seen(db);
      expect(await readingsIn(db, hospital)).toEqual([]);
      await openOne(db, id);
      expect(await openOne(db, id)).toMatchObject({ notes: 'sleeps badly' });
      const reading = { part: 'consultation', consultation_id: id, patient_id: patientId };
      expect(await readingsIn(db, hospital)).toMatchObject([reading, reading]);
      await become(db, hospital.otherDoctor);
      expect(await refusalOf(db, () => openOne(db, id))).toMatchObject({
        scenario: 'record_access_denied',
        details: { consultation_id: id },
      });
      await become(db, foreign.doctor);
      expect(await refusalOf(db, () => openOne(db, id))).toMatchObject({
        scenario: 'consultation_not_found',
      });
      expect(await readingsIn(db, hospital)).toHaveLength(2);
    }),
  );

  test(
    'is read in no other way: staff reach neither the tables nor what works with raised rights',
    story(async (db) => {
      await seen(db);
      for (const actor of [
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
        hospital.admin,
      ]) {
        await become(db, actor);
        for (const statement of [
          'select id from app_public.consultation',
          'select count(*) from app_public.consultation',
          'select doctor_id from app_public.consultation_participant',
          'select text from app_public.consultation_addendum',
          `select app_private.show_consultation('${hospital.id}', null)`,
          `select app_private.vitals_of('${hospital.id}', '${patientId}')`,
          `select app_private.leave_trace('${hospital.id}', '${patientId}', 'export', 'x')`,
        ]) {
          const error = await errorOf(db, () => db.query(statement));
          expect(error.code, `${actor.role}: ${statement}`).toBe('42501');
        }
      }
      // What a doctor may call answers only for those who take part.
      await become(db, hospital.otherDoctor);
      const { rows } = await db
        .query('select app_private.takes_part($1, $1)', [hospital.id])
        .catch((error: { code: string }) => ({ rows: [error.code] }));
      expect(rows).toEqual(['42501']);
    }),
  );
});

describe('the patient', () => {
  test(
    'reads completed consultations of their own, without the working notes',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      const { consultation_id: id } = await start(db, hospital.doctor, visit.id);
      await fillIn(db, id);
      const read = 'select id, chief_complaint, diagnosis, status from app_public.consultation';
      await become(db, hospital.patient);
      expect((await db.query(read)).rows).toEqual([]);
      await become(db, hospital.doctor);
      await consultation(db, 'complete_consultation($1)', [id]);
      await consultation(db, "add_addendum($1, 'recovered')", [id]);
      await become(db, hospital.patient);
      expect((await db.query(read)).rows).toEqual([
        { id, chief_complaint: 'a cough', diagnosis: ['a cold'], status: 'completed' },
      ]);
      const texts = await db.query('select text from app_public.consultation_addendum');
      expect(texts.rows).toEqual([{ text: 'recovered' }]);
      const notes = await errorOf(db, () => db.query('select notes from app_public.consultation'));
      expect(notes.code).toBe('42501');
      await become(db, hospital.otherPatient);
      for (const table of ['consultation', 'consultation_addendum', 'consultation_participant']) {
        expect((await db.query(`select id from app_public.${table}`)).rows, table).toEqual([]);
      }
    }),
  );

  test(
    'sees who opened their record, by name, and nobody else but the admins does',
    story(async (db) => {
      await seen(db);
      await open(await as(db, hospital.doctor));
      const log = () =>
        db.query('select reader_name, purpose from app_public.record_access order by id');
      for (const actor of [hospital.patient, hospital.admin]) {
        await become(db, actor);
        expect((await log()).rows, actor.role).toEqual([
          { reader_name: 'doctor', purpose: 'before the visit' },
        ]);
      }
      for (const actor of [hospital.otherPatient, foreign.admin]) {
        await become(db, actor);
        expect((await log()).rows, actor.role).toEqual([]);
      }
      for (const actor of [hospital.doctor, hospital.nurse, hospital.receptionist]) {
        await become(db, actor);
        expect((await errorOf(db, log)).code, actor.role).toBe('42501');
      }
    }),
  );
});

test(
  'the log of readings is never changed, by nobody',
  story(async (db) => {
    await seen(db);
    await open(await as(db, hospital.doctor));
    await asOwner(db);
    for (const statement of [
      "update app_public.record_access set purpose = 'other'",
      "update app_public.record_access set purpose = '[erased]'",
      'update app_public.record_access set account_id = null',
      'delete from app_public.record_access',
    ]) {
      expect(await refusalOf(db, () => db.query(statement)), statement).toMatchObject({
        code: 'SK403',
        scenario: 'access_log_is_append_only',
      });
    }
    await db.query('set local role app_owner');
    expect((await errorOf(db, () => db.query('delete from app_public.record_access'))).code).toBe(
      '42501',
    );
    expect((await db.query("update app_public.record_access set purpose = 'other'")).rowCount).toBe(
      0,
    );
    for (const actor of [hospital.patient, hospital.doctor, hospital.nurse, hospital.admin]) {
      await become(db, actor);
      for (const statement of [
        "update app_public.record_access set purpose = 'other'",
        'delete from app_public.record_access',
        `insert into app_public.record_access (hospital_id, patient_id, reader_role, reader_name, part, purpose, accessed_at)
         values ('${hospital.id}', '${patientId}', 'x', 'x', 'export', 'x', now())`,
      ]) {
        expect((await errorOf(db, () => db.query(statement))).code, actor.role).toBe('42501');
      }
    }
  }),
);

test('a reading that is rolled back leaves no trace, and was shown to nobody', () =>
  rolledBack(ownerPool, async (db) => {
    await seen(db);
    await become(db, hospital.doctor);
    await db.query('savepoint reading');
    await open(db);
    await db.query('rollback to savepoint reading');
    expect(await readingsIn(db, hospital)).toEqual([]);
  }));

test(
  'an export is a reading, too',
  story(async (db) => {
    const { id } = await seen(db);
    await become(db, hospital.admin);
    const { exported } = await one<{ exported: Record<string, unknown[]> }>(
      db,
      'select app_public.export_patient($1) as exported',
      [patientId],
    );
    expect(exported).toMatchObject({
      consultations: [{ consultation_id: id, notes: 'sleeps badly', diagnosis: ['a cold'] }],
      record_accesses: [{ part: 'export', account_id: hospital.admin.accountId }],
      vitals: [],
      stage_alerts: [],
    });
    expect(await readingsIn(db, hospital)).toMatchObject([{ part: 'export' }]);
  }),
);
