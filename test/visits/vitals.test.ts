import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { aside, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { type Appointment, one, setStatus, transit } from '../helpers/booking.ts';
import { clockOf, moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { brokenInvariantsIn } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import { bookVisit } from './visits.ts';

const { ownerPool } = await createDatabase();

/** A visit of the first patient who has arrived; goes on as the nurse. */
const story =
  (tell: (db: ClientBase, hospital: OpenHospital, visit: Appointment) => Promise<void>) => () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await openHospital(db, { horizonDays: 3 });
      const visit = await bookVisit(db, hospital);
      await setClock(db, visit.starts_at);
      await transit(db, 'check_in_appointment', visit.id);
      await become(db, hospital.nurse);
      await tell(db, hospital, visit);
      await asOwner(db);
      expect(await brokenInvariantsIn(db)).toEqual({});
    });

type Values = { [name: string]: number | string | null };

/** Calls record_vitals with these arguments as whoever acts in `db`. */
function record(db: ClientBase, appointmentId: string, values: Values) {
  const names = Object.keys(values);
  return one<Appointment & { vitals_recorded_at: Date | null }>(
    db,
    `select * from app_public.record_vitals(appointment_id => $1${names
      .map((name, index) => `, ${name} => $${index + 2}`)
      .join('')})`,
    [appointmentId, ...Object.values(values)],
  );
}

async function entries(db: ClientBase, appointmentId: string) {
  const { rows } = await aside(db, () =>
    db.query('select * from app_public.vitals_entry where appointment_id = $1 order by id', [
      appointmentId,
    ]),
  );
  return rows;
}

const all: Values = {
  systolic: 128,
  diastolic: 82,
  heart_rate: 71,
  respiratory_rate: 15,
  oxygen_saturation: 98,
  temperature: 36.7,
  weight: 71.25,
  height: 174.5,
  note: 'after stairs',
};

test(
  'a nurse records vitals; who, when, of whom and for whom is not theirs to say',
  story(async (db, hospital, visit) => {
    await moveClock(db, '4 minutes');
    const instant = await clockOf(db);
    expect((await record(db, visit.id, all)).vitals_recorded_at).toEqual(instant);
    expect(await entries(db, visit.id)).toMatchObject([
      {
        patient_id: visit.patient_id,
        doctor_id: visit.doctor_id,
        recorded_by: hospital.nurse.accountId,
        recorded_at: instant,
        systolic: 128,
        temperature: '36.7',
        weight: '71.25',
        height: '174.5',
        note: 'after stairs',
        corrects: null,
      },
    ]);
    // The first time counts, and stays.
    await moveClock(db, '4 minutes');
    expect((await record(db, visit.id, { heart_rate: 80 })).vitals_recorded_at).toEqual(instant);
  }),
);

test.each(
  Object.entries(all).filter(([name]) => !['systolic', 'diastolic', 'note'].includes(name)),
)('%s alone is enough', (name, value) =>
  story(async (db, _hospital, visit) => {
    await record(db, visit.id, { [name]: value });
    expect(await entries(db, visit.id)).toHaveLength(1);
  })(),
);

test(
  'nothing measured, one half of a blood pressure and implausible values come back together',
  story(async (db, _hospital, visit) => {
    expect((await refusalOf(db, () => record(db, visit.id, {}))).details).toEqual({
      vitals: 'measure nothing',
    });
    expect((await refusalOf(db, () => record(db, visit.id, { note: 'tired' }))).details).toEqual({
      vitals: 'measure nothing',
    });
    const { scenario, details } = await refusalOf(db, () =>
      record(db, visit.id, {
        systolic: 120,
        heart_rate: 9,
        respiratory_rate: 121,
        oxygen_saturation: 101,
        temperature: 98.6,
        weight: 0,
        height: 1.75,
        note: 'x'.repeat(2001),
      }),
    );
    expect(scenario).toBe('invalid_input');
    expect(Object.keys(details).sort()).toEqual([
      'heart_rate',
      'height',
      'note',
      'oxygen_saturation',
      'respiratory_rate',
      'systolic',
      'temperature',
      'weight',
    ]);
    expect(
      (await refusalOf(db, () => record(db, visit.id, { systolic: 80, diastolic: 80 }))).details,
    ).toEqual({ systolic: 'is not above diastolic' });
  }),
);

test(
  'the table refuses what the function would, one at a time',
  story(async (db, hospital, visit) => {
    await asOwner(db);
    for (const [column, value, constraint] of [
      ['heart_rate', 9, 'a_heart_rate_is_10_to_350'],
      ['temperature', 45.1, 'a_temperature_is_20_to_45'],
      ['systolic', 120, 'a_blood_pressure_has_both_values'],
      ['note', 'x', 'vitals_measure_something'],
    ] as const) {
      const error = await errorOf(db, () =>
        db.query(
          `insert into app_public.vitals_entry (hospital_id, appointment_id, ${column}) values ($1, $2, $3)`,
          [hospital.id, visit.id, value],
        ),
      );
      expect(error.constraint).toBe(constraint);
    }
  }),
);

test(
  'only while the patient is here: not before, not afterwards',
  story(async (db, hospital, visit) => {
    const later = await bookVisit(db, hospital, 5, 1);
    await become(db, hospital.nurse);
    expect(await refusalOf(db, () => record(db, later.id, all))).toMatchObject({
      scenario: 'patient_not_checked_in',
      details: { status: 'scheduled' },
    });
    await become(db, hospital.doctor);
    await setStatus(db, visit.id, 'in_progress');
    await record(db, visit.id, { heart_rate: 70 });
    await transit(db, 'complete_appointment', visit.id);
    expect((await refusalOf(db, () => record(db, visit.id, all))).scenario).toBe(
      'patient_not_checked_in',
    );
    // A mistake that is noticed afterwards is still corrected.
    const [{ id }] = await entries(db, visit.id);
    await record(db, visit.id, { heart_rate: 72, corrects: id });
    expect((await entries(db, visit.id)).map(({ corrects }) => corrects)).toEqual([null, id]);
  }),
);

test(
  'a correction is a row of its own, of the same visit, once',
  story(async (db, hospital, visit) => {
    await record(db, visit.id, { weight: 7 });
    const [first] = await entries(db, visit.id);
    await record(db, visit.id, { weight: 70, corrects: first.id });
    expect(
      (await refusalOf(db, () => record(db, visit.id, { weight: 71, corrects: first.id })))
        .scenario,
    ).toBe('vitals_not_found');
    const [, second] = await entries(db, visit.id);
    await record(db, visit.id, { weight: 71, corrects: second.id });

    const other = await bookVisit(db, hospital, 1, 1);
    await transit(db, 'check_in_appointment', other.id);
    await become(db, hospital.nurse);
    expect(
      (await refusalOf(db, () => record(db, other.id, { weight: 71, corrects: second.id })))
        .scenario,
    ).toBe('vitals_not_found');
    await asOwner(db);
    for (const change of ['weight = 5', "recorded_at = '2000-01-01'", 'corrects = null']) {
      const attempt = () =>
        db.query(`update app_public.vitals_entry set ${change} where id = $1`, [second.id]);
      expect((await refusalOf(db, attempt)).scenario).toBe('immutable_column');
    }
  }),
);

test(
  'the visit’s doctor records, another doctor does not, and reception and admins do not measure',
  story(async (db, hospital, visit) => {
    await become(db, hospital.doctor);
    await record(db, visit.id, { heart_rate: 70 });
    await become(db, hospital.otherDoctor);
    expect((await refusalOf(db, () => record(db, visit.id, all))).scenario).toBe('forbidden');
    for (const actor of [hospital.receptionist, hospital.admin, hospital.patient]) {
      await become(db, actor);
      expect((await errorOf(db, () => record(db, visit.id, all))).code).toBe('42501');
    }
    const foreign = await aside(db, () => openHospital(db, { horizonDays: 1 }));
    await become(db, foreign.nurse);
    expect((await refusalOf(db, () => record(db, visit.id, all))).scenario).toBe(
      'appointment_not_found',
    );
    expect(await entries(db, visit.id)).toHaveLength(1);
  }),
);

test(
  'patients read their own; nobody of the staff reads in passing, nor finds the values in the log',
  story(async (db, hospital, visit) => {
    await record(db, visit.id, all);
    for (const actor of [hospital.nurse, hospital.doctor, hospital.receptionist, hospital.admin]) {
      await become(db, actor);
      const read = () => db.query('select id from app_public.vitals_entry');
      expect((await errorOf(db, read)).code).toBe('42501');
    }
    await become(db, hospital.patient);
    expect((await db.query('select systolic from app_public.vitals_entry')).rows).toEqual([
      { systolic: 128 },
    ]);
    await become(db, hospital.otherPatient);
    expect((await db.query('select systolic from app_public.vitals_entry')).rows).toEqual([]);
    await asOwner(db);
    const { rows } = await db.query(
      `select table_name from app_public.audit_entry
        where hospital_id = $1 and (new_state ? 'systolic' or old_state ? 'systolic')`,
      [hospital.id],
    );
    expect(rows).toEqual([]);
  }),
);

test(
  'erasing the person takes the note and leaves the values',
  story(async (db, hospital, visit) => {
    await record(db, visit.id, all);
    await become(db, hospital.doctor);
    await transit(db, 'complete_appointment', visit.id);
    await become(db, hospital.admin);
    await moveClock(db, '1 hour');
    await db.query("select app_public.erase_patient($1, 'case 7')", [nth(hospital.patientIds, 0)]);
    expect(await entries(db, visit.id)).toMatchObject([{ note: null, systolic: 128 }]);
  }),
);
