import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { one, setStatus, stored, transit } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { notificationsIn } from '../helpers/inbox.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';
import {
  alertsIn,
  arrive,
  consultation,
  fillIn,
  isDue,
  raise,
  type StageAlert,
  start,
  takeVitals,
} from './arrivals.ts';

const { ownerPool } = await createDatabase();
// Slots of 30 minutes; buffers of 5 minutes for vital signs and 10 for the doctor.
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const foreign = await openHospital(ownerPool, { horizonDays: 1 });

const story = (tell: (db: ClientBase) => Promise<void>) => () => rolledBack(ownerPool, tell);

const acknowledge = (db: ClientBase, id: string) =>
  one<StageAlert>(db, 'select * from app_public.acknowledge_stage_alert($1)', [id]);
const resolve = (db: ClientBase, id: string, note: string | null = null) =>
  one<StageAlert>(db, 'select * from app_public.resolve_stage_alert($1, $2)', [id, note]);

/** An alert about a patient without vital signs. */
async function alertOf(db: ClientBase): Promise<StageAlert> {
  await arrive(db, hospital);
  await moveClock(db, '35 minutes');
  await raise(db, hospital);
  return nth(await alertsIn(db, hospital), 0);
}

describe('an alert is raised', () => {
  test(
    'for vital signs after the slot length and the buffer, not a second before',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      await moveClock(db, '34 minutes 59 seconds');
      expect(await isDue(db, hospital)).toBe(false);
      expect(await raise(db, hospital)).toBe(0);
      await moveClock(db, '1 second');
      expect(await isDue(db, hospital)).toBe(true);
      expect(await raise(db, hospital)).toBe(1);
      const due = new Date(visit.starts_at.getTime() + 35 * 60_000);
      expect(await alertsIn(db, hospital)).toMatchObject([
        {
          appointment_id: visit.id,
          doctor_id: visit.doctor_id,
          patient_id: visit.patient_id,
          kind: 'no_vitals',
          waiting_since: visit.starts_at,
          due_at: due,
          raised_at: due,
          status: 'active',
          acknowledged_at: null,
          resolved_at: null,
          resolution: null,
        },
      ]);
    }),
  );

  test(
    'for the doctor from the vital signs on, and the doctor is told urgently',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      await moveClock(db, '10 minutes');
      await takeVitals(db, visit.id);
      const [last] = (await notificationsIn(db, hospital.id)).slice(-1);
      await moveClock(db, '39 minutes 59 seconds');
      expect(await raise(db, hospital)).toBe(0);
      await moveClock(db, '1 second');
      expect(await raise(db, hospital)).toBe(1);
      expect(await alertsIn(db, hospital)).toMatchObject([{ kind: 'no_doctor', status: 'active' }]);
      expect(await notificationsIn(db, hospital.id, last?.id)).toMatchObject([
        {
          doctor_id: hospital.doctorIds[0],
          event: 'patient_waits',
          priority: 'high',
          appointment_id: visit.id,
          body: expect.stringMatching(/^Patient 1, booked for .*, is ready .* for 40 minutes\.$/),
        },
      ]);
    }),
  );

  test(
    'for missing vital signs without a message: the waiting room shows it',
    story(async (db) => {
      await arrive(db, hospital);
      const before = (await notificationsIn(db, hospital.id)).length;
      await moveClock(db, '35 minutes');
      await raise(db, hospital);
      expect(await notificationsIn(db, hospital.id)).toHaveLength(before);
    }),
  );

  test(
    "by the doctor's own slot length and the hospital's own buffers",
    story(async (db) => {
      await arrive(db, hospital);
      await asOwner(db);
      await db.query("update app_public.doctor set slot_duration = '15 minutes' where id = $1", [
        hospital.doctorIds[0],
      ]);
      await db.query(
        "update app_public.hospital set vitals_alert_buffer = '2 minutes' where id = $1",
        [hospital.id],
      );
      await moveClock(db, '16 minutes');
      expect(await raise(db, hospital)).toBe(0);
      await moveClock(db, '1 minute');
      expect(await raise(db, hospital)).toBe(1);
    }),
  );

  test(
    'once: a second sweep finds nothing',
    story(async (db) => {
      await alertOf(db);
      await moveClock(db, '1 hour');
      expect(await isDue(db, hospital)).toBe(false);
      expect(await raise(db, hospital)).toBe(0);
      expect(await alertsIn(db, hospital)).toHaveLength(1);
    }),
  );

  test(
    'not again for a wait whose alert somebody has resolved, but for the next wait',
    story(async (db) => {
      const alert = await alertOf(db);
      await become(db, hospital.nurse);
      await resolve(db, alert.id, 'on the way');
      await moveClock(db, '1 hour');
      expect(await isDue(db, hospital)).toBe(false);
      expect(await raise(db, hospital)).toBe(0);
      await takeVitals(db, alert.appointment_id);
      await moveClock(db, '40 minutes');
      expect(await raise(db, hospital)).toBe(1);
      expect(await alertsIn(db, hospital)).toMatchObject([
        { kind: 'no_vitals', status: 'resolved' },
        { kind: 'no_doctor', status: 'active' },
      ]);
    }),
  );

  test(
    'anew after a consultation was abandoned, from then on',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      await takeVitals(db, visit.id);
      await moveClock(db, '40 minutes');
      expect(await raise(db, hospital)).toBe(1);
      const { consultation_id } = await start(db, hospital.doctor, visit.id);
      await moveClock(db, '5 minutes');
      await consultation(db, 'abandon_consultation($1, $2)', [consultation_id, 'fire alarm']);
      await moveClock(db, '39 minutes');
      expect(await raise(db, hospital)).toBe(0);
      await moveClock(db, '1 minute');
      expect(await raise(db, hospital)).toBe(1);
      expect(await alertsIn(db, hospital)).toMatchObject([
        { kind: 'no_doctor', status: 'resolved', resolution: 'auto' },
        { kind: 'no_doctor', status: 'active' },
      ]);
      expect((await alertsIn(db, hospital))[1]?.waiting_since).toEqual(
        new Date(visit.starts_at.getTime() + 45 * 60_000),
      );
    }),
  );

  test(
    'never for those who have not arrived, are with the doctor or are done',
    story(async (db) => {
      const called = await arrive(db, hospital, 0, 0);
      await start(db, hospital.doctor, called.id);
      const done = await arrive(db, hospital, 1, 1);
      await become(db, hospital.doctor);
      await transit(db, 'complete_appointment', done.id);
      await moveClock(db, '3 hours');
      expect(await isDue(db, hospital)).toBe(false);
      expect(await raise(db, hospital)).toBe(0);
    }),
  );

  test(
    'in no other hospital than the one that is swept',
    story(async (db) => {
      await arrive(db, foreign);
      await arrive(db, hospital, 1);
      await moveClock(db, '35 minutes');
      expect(await raise(db, hospital)).toBe(1);
      expect(await alertsIn(db, foreign)).toEqual([]);
    }),
  );

  test(
    'for today only: nobody waits overnight, and what was left open is ended',
    story(async (db) => {
      const visit = await arrive(db, hospital, 10, 0);
      await moveClock(db, '35 minutes');
      expect(await raise(db, hospital)).toBe(1);
      const late = await arrive(db, hospital, 13, 1);
      await asOwner(db);
      const { midnight } = await one<{ midnight: Date }>(
        db,
        `select app_private.local_midnight($1::timestamptz + interval '1 day', $2) as midnight`,
        [visit.starts_at, hospital.timeZone],
      );
      await setClock(db, new Date(midnight.getTime() - 1000));
      await db.query('savepoint evening');
      expect(await raise(db, hospital)).toBe(1);
      await db.query('rollback to savepoint evening');
      // The second one was missed, and is no news any more.
      await setClock(db, midnight);
      expect(await isDue(db, hospital)).toBe(true);
      expect(await raise(db, hospital)).toBe(0);
      const alerts = await alertsIn(db, hospital);
      expect(alerts).toMatchObject([
        { appointment_id: visit.id, status: 'resolved', resolution: 'auto', resolved_by: null },
      ]);
      await moveClock(db, '2 hours');
      expect(await isDue(db, hospital)).toBe(false);
      expect(await raise(db, hospital)).toBe(0);
      expect((await stored(db, late.id)).status).toBe('checked_in');
    }),
  );
});

describe('an alert ends by itself', () => {
  test(
    'when the vital signs are taken',
    story(async (db) => {
      const alert = await alertOf(db);
      await takeVitals(db, alert.appointment_id);
      expect(await alertsIn(db, hospital)).toMatchObject([
        { id: alert.id, status: 'resolved', resolution: 'auto', resolved_by: null },
      ]);
    }),
  );

  test(
    'when the consultation starts, also one that was acknowledged',
    story(async (db) => {
      const alert = await alertOf(db);
      await become(db, hospital.nurse);
      await acknowledge(db, alert.id);
      await start(db, hospital.doctor, alert.appointment_id);
      expect(await alertsIn(db, hospital)).toMatchObject([
        {
          status: 'resolved',
          resolution: 'auto',
          acknowledged_by: hospital.nurse.accountId,
          resolved_by: null,
        },
      ]);
    }),
  );

  test(
    'when the visit is completed at once',
    story(async (db) => {
      const alert = await alertOf(db);
      await become(db, hospital.doctor);
      await transit(db, 'complete_appointment', alert.appointment_id);
      expect(await alertsIn(db, hospital)).toMatchObject([{ status: 'resolved' }]);
    }),
  );

  test(
    'but that for the doctor not with another look at the vital signs',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      await takeVitals(db, visit.id);
      await moveClock(db, '40 minutes');
      await raise(db, hospital);
      await takeVitals(db, visit.id);
      expect(await alertsIn(db, hospital)).toMatchObject([{ kind: 'no_doctor', status: 'active' }]);
    }),
  );
});

describe('the life of an alert', () => {
  test(
    'active, acknowledged, resolved: by whom, when, with which words',
    story(async (db) => {
      const alert = await alertOf(db);
      await become(db, hospital.nurse);
      await moveClock(db, '1 minute');
      const taken = await acknowledge(db, alert.id);
      expect(taken).toMatchObject({
        status: 'acknowledged',
        acknowledged_by: hospital.nurse.accountId,
        acknowledged_at: new Date(alert.raised_at.getTime() + 60_000),
      });
      await become(db, hospital.receptionist);
      expect(await resolve(db, alert.id, ' went home ')).toMatchObject({
        status: 'resolved',
        resolution: 'manual',
        note: 'went home',
        acknowledged_by: hospital.nurse.accountId,
        resolved_by: hospital.receptionist.accountId,
      });
    }),
  );

  test(
    'never goes back, and nothing happens twice, for anybody',
    story(async (db) => {
      const alert = await alertOf(db);
      const set = (status: string) => () =>
        db.query(`update app_public.stage_alert set status = '${status}' where id = $1`, [
          alert.id,
        ]);
      const refused = async (from: string, to: string) =>
        expect(await refusalOf(db, set(to))).toMatchObject({
          code: 'SK409',
          scenario: 'illegal_alert_transition',
          details: { alert_id: alert.id, from, to },
        });
      await refused('active', 'active');
      await become(db, hospital.nurse);
      await set('acknowledged')();
      await refused('acknowledged', 'acknowledged');
      await refused('acknowledged', 'active');
      await set('resolved')();
      for (const to of ['active', 'acknowledged', 'resolved']) await refused('resolved', to);
      await asOwner(db);
      for (const to of ['active', 'acknowledged', 'resolved']) await refused('resolved', to);
    }),
  );

  test(
    'begins as active, whoever tells of it, about an appointment that there is',
    story(async (db) => {
      const visit = await arrive(db, hospital);
      await asOwner(db);
      const row = {
        hospital_id: hospital.id,
        appointment_id: visit.id,
        kind: 'no_doctor',
        waiting_since: '2020-01-01',
        due_at: '2020-01-01',
      };
      const attempt = (values: Record<string, unknown>) =>
        refusalOf(db, () => insert(db, 'stage_alert', { ...row, ...values }));
      expect(await attempt({ status: 'acknowledged' })).toMatchObject({
        scenario: 'illegal_alert_transition',
        details: { from: 'new' },
      });
      expect(await attempt({ hospital_id: foreign.id })).toMatchObject({
        scenario: 'appointment_not_found',
      });
    }),
  );

  test(
    'has at most one open alert of a kind, by an index',
    story(async (db) => {
      const alert = await alertOf(db);
      const error = await errorOf(db, () =>
        insert(db, 'stage_alert', {
          hospital_id: hospital.id,
          appointment_id: alert.appointment_id,
          kind: 'no_vitals',
          waiting_since: '2020-01-01',
          due_at: '2020-01-01',
        }),
      );
      expect(error).toMatchObject({ code: '23505', constraint: 'one_open_alert_of_a_kind' });
    }),
  );

  test(
    'is audited and announced at every step, by ids only',
    story(async (db) => {
      const alert = await alertOf(db);
      await become(db, hospital.nurse);
      await acknowledge(db, alert.id);
      await resolve(db, alert.id);
      await asOwner(db);
      const { rows: log } = await db.query(
        `select operation, new_state ->> 'status' as status, actor_role from app_public.audit_entry
         where record_id = $1 order by id`,
        [alert.id],
      );
      expect(log).toEqual([
        { operation: 'insert', status: 'active', actor_role: 'worker' },
        { operation: 'update', status: 'acknowledged', actor_role: 'nurse' },
        { operation: 'update', status: 'resolved', actor_role: 'nurse' },
      ]);
      const { rows: messages } = await db.query(
        "select key, payload from app_private.outbox where topic = 'stage_alert' and hospital_id = $1",
        [hospital.id],
      );
      const message = {
        key: alert.id,
        payload: { doctor_id: alert.doctor_id, alert_ids: [alert.id] },
      };
      expect(messages).toEqual([message, message, message]);
    }),
  );
});

describe('whose alerts', () => {
  test(
    'all staff but other doctors see and answer; patients, other doctors and other hospitals find none',
    story(async (db) => {
      const alert = await alertOf(db);
      for (const actor of [
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
        hospital.admin,
      ]) {
        await become(db, actor);
        const { rows } = await db.query('select id from app_public.stage_alert');
        expect(rows, actor.role).toEqual([{ id: alert.id }]);
        await db.query('savepoint answer');
        expect(await acknowledge(db, alert.id), actor.role).toMatchObject({
          acknowledged_by: actor.accountId,
        });
        await db.query('rollback to savepoint answer');
      }
      for (const actor of [hospital.otherDoctor, foreign.doctor, foreign.nurse, foreign.admin]) {
        await become(db, actor);
        expect((await db.query('select id from app_public.stage_alert')).rows).toEqual([]);
        for (const answer of [acknowledge, resolve]) {
          expect(await refusalOf(db, () => answer(db, alert.id)), actor.role).toMatchObject({
            code: 'SK404',
            scenario: 'stage_alert_not_found',
          });
        }
      }
      await become(db, hospital.patient);
      const seen = await errorOf(db, () => db.query('select id from app_public.stage_alert'));
      expect(seen.code).toBe('42501');
      expect((await errorOf(db, () => acknowledge(db, alert.id))).code).toBe('42501');
    }),
  );

  test(
    'no client raises one, says that it ended by itself, or sweeps',
    story(async (db) => {
      const alert = await alertOf(db);
      for (const actor of [
        hospital.doctor,
        hospital.nurse,
        hospital.receptionist,
        hospital.admin,
      ]) {
        await become(db, actor);
        for (const statement of [
          "update app_public.stage_alert set resolution = 'auto'",
          `insert into app_public.stage_alert (hospital_id, appointment_id) values ('${hospital.id}', '${alert.appointment_id}')`,
          'delete from app_public.stage_alert',
          `select app_private.raise_stage_alerts('${hospital.id}')`,
          `select app_private.has_due_stage('${hospital.id}')`,
          `select app_private.due_stages('${hospital.id}')`,
        ]) {
          const error = await errorOf(db, () => db.query(statement));
          expect(error.code, `${actor.role}: ${statement}`).toBe('42501');
        }
      }
      await asWorker(db);
      const read = await errorOf(db, () => db.query('select from app_public.stage_alert'));
      expect(read.code).toBe('42501');
    }),
  );
});

test(
  'an alert of a visit that is gone from the day goes with it to the archive',
  story(async (db) => {
    const alert = await alertOf(db);
    await become(db, hospital.nurse);
    await resolve(db, alert.id, 'went home');
    const { consultation_id } = await start(db, hospital.doctor, alert.appointment_id);
    await fillIn(db, consultation_id);
    await consultation(db, 'complete_consultation($1)', [consultation_id]);
    await asOwner(db);
    await moveClock(db, '20 years');
    await db.query('select app_private.archive_appointments($1)', [hospital.id]);
    expect(await alertsIn(db, hospital)).toEqual([]);
    const { rows } = await db.query(
      'select stage_alerts from app_public.appointment_archive where id = $1',
      [alert.appointment_id],
    );
    expect(rows[0].stage_alerts).toMatchObject([
      { id: alert.id, kind: 'no_vitals', status: 'resolved', note: 'went home' },
    ]);
    // The medical record stays where nobody reads it without a trace.
    const { rows: kept } = await db.query(
      'select id, appointment_id from app_public.consultation where id = $1',
      [consultation_id],
    );
    expect(kept).toEqual([{ id: consultation_id, appointment_id: alert.appointment_id }]);
    await become(db, hospital.doctor);
    const { visits, consultations } = await one<{
      visits: { appointment_id: string }[];
      consultations: { notes: string }[];
    }>(
      db,
      `select to_jsonb(visits) as visits, to_jsonb(consultations) as consultations
       from app_public.open_patient_record($1, 'old times')`,
      [alert.patient_id],
    );
    expect(visits).toMatchObject([{ appointment_id: alert.appointment_id }]);
    expect(consultations).toMatchObject([{ notes: 'sleeps badly' }]);
  }),
);

test(
  'checking in keeps its time through a consultation that was abandoned',
  story(async (db) => {
    const visit = await arrive(db, hospital);
    await moveClock(db, '3 minutes');
    await takeVitals(db, visit.id);
    const { consultation_id } = await start(db, hospital.doctor, visit.id);
    await moveClock(db, '3 minutes');
    await consultation(db, 'abandon_consultation($1, $2)', [consultation_id, 'fire alarm']);
    expect(await stored(db, visit.id)).toMatchObject({
      status: 'checked_in',
      checked_in_at: visit.starts_at,
    });
    await asOwner(db);
    await setStatus(db, visit.id, 'completed');
  }),
);
