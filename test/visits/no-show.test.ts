import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { aside, asOwner, become, rolledBack } from '../helpers/actors.ts';
import {
  book,
  dayCount,
  hold,
  one,
  setStatus,
  slotState,
  stored,
  transit,
} from '../helpers/booking.ts';
import { clockOf, moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { brokenInvariantsIn } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { bookVisit, logOf, markNoShow, recordOf, sweep, toldTo, undoNoShow } from './visits.ts';

const { ownerPool } = await createDatabase();

/** Runs a story in a hospital of its own, and then looks whether everything derived agrees. */
const story = (tell: (db: ClientBase, hospital: OpenHospital) => Promise<void>) => () =>
  rolledBack(ownerPool, async (db) => {
    await tell(db, await openHospital(db, { horizonDays: 3 }));
    await asOwner(db);
    expect(await brokenInvariantsIn(db)).toEqual({});
  });

/** Sets the clock to the start of a visit, or so many minutes after it. */
const goTo = (db: ClientBase, { starts_at }: { starts_at: Date }, minutes = 0) =>
  setClock(db, new Date(starts_at.getTime() + minutes * 60_000));

test(
  'nobody has failed to come before the visit begins, unless the patient called',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit, -1);
    for (const actor of [hospital.receptionist, hospital.nurse, hospital.doctor, hospital.admin]) {
      await become(db, actor);
      const refusal = await refusalOf(db, () => markNoShow(db, visit.id));
      expect(refusal).toMatchObject({ scenario: 'no_show_too_early', recoverable: true });
      expect(new Date(String(refusal.details.from))).toEqual(visit.starts_at);
      // A plain update is no way round it.
      expect((await refusalOf(db, () => setStatus(db, visit.id, 'no_show'))).scenario).toBe(
        'no_show_too_early',
      );
      await db.query('savepoint called');
      expect(await markNoShow(db, visit.id, 'patient_called')).toMatchObject({ status: 'no_show' });
      await db.query('rollback to savepoint called');
    }
    await goTo(db, visit);
    expect(await markNoShow(db, visit.id)).toMatchObject({ status: 'no_show' });
  }),
);

test(
  'a patient marks nothing, a doctor only their own, and only who is expected can be missed',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit);
    await become(db, hospital.otherDoctor);
    expect((await refusalOf(db, () => markNoShow(db, visit.id))).scenario).toBe('forbidden');
    await become(db, hospital.patient);
    await db.query('savepoint patient');
    await expect(markNoShow(db, visit.id)).rejects.toMatchObject({ code: '42501' });
    await db.query('rollback to savepoint patient');
    await become(db, hospital.receptionist);
    await transit(db, 'check_in_appointment', visit.id);
    expect((await refusalOf(db, () => markNoShow(db, visit.id))).scenario).toBe(
      'illegal_transition',
    );
    expect(await logOf(db, visit.id)).toEqual([]);
  }),
);

test(
  'the log says what happened, the patient is counted and told, and the seat is given back',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await transit(db, 'confirm_appointment', visit.id);
    await goTo(db, visit, 7);
    await markNoShow(db, visit.id, null, 'did not answer the phone');

    expect(await logOf(db, visit.id)).toMatchObject([
      {
        patient_id: visit.patient_id,
        doctor_id: visit.doctor_id,
        reason: 'manual_staff',
        comment: 'did not answer the phone',
        slot_starts_at: visit.starts_at,
        timeout_minutes: 30,
        status_before: 'confirmed',
        is_slot_released: false,
        is_patient_notified: true,
        has_blocked_patient: false,
        marked_by: hospital.receptionist.accountId,
        marked_at: await clockOf(db),
        undone_at: null,
      },
    ]);
    expect(await recordOf(db, visit.patient_id)).toMatchObject({
      status: 'active',
      no_show_count: 1,
    });
    expect(await toldTo(db, visit.patient_id)).toEqual([{ event: 'no_show', priority: 'normal' }]);
    expect(await slotState(db, visit.slot_id ?? '')).toMatchObject({ booked_count: 0 });
    expect(await dayCount(db, visit.slot_id ?? '')).toBe(0);
    expect((await refusalOf(db, () => markNoShow(db, visit.id))).scenario).toBe(
      'illegal_transition',
    );
  }),
);

test(
  'the reason follows from who marks, and the sweep keeps its own',
  story(async (db, hospital) => {
    const visits = [];
    for (const patient of [0, 1, 2, 3])
      visits.push(await bookVisit(db, hospital, patient, patient));
    const [first, second, third, fourth] = visits.map(({ id }) => id);
    await goTo(db, nth(visits, 3), 30);
    await become(db, hospital.doctor);
    await markNoShow(db, first ?? '');
    await become(db, hospital.nurse);
    await markNoShow(db, second ?? '');
    expect(
      (await refusalOf(db, () => markNoShow(db, third ?? '', 'auto_timeout'))).details,
    ).toEqual({ reason: 'is for the automatic sweep' });
    await markNoShow(db, third ?? '', 'patient_called', 'has a cold');
    // What was handed over for one is forgotten for the next.
    expect(await sweep(db, hospital)).toBe(1);
    const told = [];
    for (const { id } of visits) told.push(...(await logOf(db, id)));
    expect(told.map(({ reason, comment, marked_by }) => [reason, comment, marked_by])).toEqual([
      ['manual_doctor', null, hospital.doctor.accountId],
      ['manual_staff', null, hospital.nurse.accountId],
      ['patient_called', 'has a cold', hospital.nurse.accountId],
      ['auto_timeout', null, null],
    ]);
    expect(fourth).toBe(told[3]?.appointment_id);
  }),
);

test.each([
  ['a minute more than the buffer ahead', 6, true],
  ['exactly the buffer ahead', 5, false],
  ['already begun', 0, false],
] as const)('a seat whose slot is %s: released %s', (_what, minutesAhead, isReleased) =>
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit, -minutesAhead);
    await markNoShow(db, visit.id, 'patient_called');
    expect(await logOf(db, visit.id)).toMatchObject([{ is_slot_released: isReleased }]);
  })(),
);

test(
  'a seat released in time is booked by another patient',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await markNoShow(db, visit.id, 'patient_called');
    const other = await bookVisit(db, hospital, 0, 1);
    expect(other).toMatchObject({ status: 'scheduled', slot_id: visit.slot_id });
  }),
);

test(
  'a long visit gives all its seats back, and takes all of them again',
  story(async (db, hospital) => {
    await asOwner(db);
    const serviceId = await insert(db, 'service', {
      hospital_id: hospital.id,
      name: 'Operation',
      duration: '90 minutes',
    });
    await become(db, hospital.receptionist);
    const visit = await book(db, {
      slotId: nth(hospital.slotIds, 0),
      patientId: nth(hospital.patientIds, 0),
      serviceId,
    });
    const counts = async () => {
      const states = [];
      for (const slot of [0, 1, 2, 3])
        states.push(await slotState(db, nth(hospital.slotIds, slot)));
      return states.map(({ booked_count }) => booked_count);
    };
    expect(await counts()).toEqual([1, 1, 1, 0]);
    await goTo(db, visit);
    await markNoShow(db, visit.id);
    expect(await counts()).toEqual([0, 0, 0, 0]);
    await become(db, hospital.admin);
    await undoNoShow(db, visit.id);
    expect(await counts()).toEqual([1, 1, 1, 0]);
  }),
);

test(
  'at the threshold the patient is blocked at once, and is told with high priority',
  story(async (db, hospital) => {
    const visits = [];
    for (const slot of [0, 1, 2, 3]) visits.push(await bookVisit(db, hospital, slot));
    await goTo(db, nth(visits, 2));
    for (const [index, counted] of [1, 2].entries()) {
      await markNoShow(db, nth(visits, index).id);
      expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({
        status: 'active',
        no_show_count: counted,
      });
    }
    await markNoShow(db, nth(visits, 2).id);
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toEqual({
      status: 'blocked',
      no_show_count: 3,
      no_shows_forgiven: 0,
      blocked_reason: 'Missed appointments',
    });
    expect((await logOf(db, nth(visits, 2).id))[0]?.has_blocked_patient).toBe(true);
    expect((await logOf(db, nth(visits, 1).id))[0]?.has_blocked_patient).toBe(false);
    expect((await toldTo(db, nth(hospital.patientIds, 0))).slice(-2)).toEqual([
      { event: 'no_show', priority: 'normal' },
      { event: 'patient_blocked', priority: 'high' },
    ]);
    // What was booked before stays; nothing more can be.
    expect(await stored(db, nth(visits, 3).id)).toMatchObject({ status: 'scheduled' });
    expect((await refusalOf(db, () => bookVisit(db, hospital, 8))).scenario).toBe(
      'patient_blocked',
    );
  }),
);

test(
  'the threshold is that of the hospital at that moment',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await aside(db, () =>
      db.query('update app_public.hospital set no_show_block_threshold = 1 where id = $1', [
        hospital.id,
      ]),
    );
    await goTo(db, visit);
    await markNoShow(db, visit.id);
    expect(await recordOf(db, visit.patient_id)).toMatchObject({ status: 'blocked' });
  }),
);

test.each(['scheduled', 'confirmed'] as const)(
  'undone while the patient may still come, a visit is %s again',
  (status) =>
    story(async (db, hospital) => {
      const visit = await bookVisit(db, hospital);
      if (status === 'confirmed') await transit(db, 'confirm_appointment', visit.id);
      await goTo(db, visit, 29);
      await markNoShow(db, visit.id);
      await become(db, hospital.admin);
      expect(await undoNoShow(db, visit.id, 'stood at the wrong door')).toMatchObject({ status });
      expect(await logOf(db, visit.id)).toMatchObject([
        {
          undone_by: hospital.admin.accountId,
          undone_at: await clockOf(db),
          undo_reason: 'stood at the wrong door',
        },
      ]);
      expect(await recordOf(db, visit.patient_id)).toMatchObject({ no_show_count: 0 });
      expect(await slotState(db, visit.slot_id ?? '')).toMatchObject({ booked_count: 1 });
      expect(await dayCount(db, visit.slot_id ?? '')).toBe(1);
      expect((await toldTo(db, visit.patient_id)).map(({ event }) => event)).toEqual([
        'no_show',
        'no_show_undone',
      ]);
    })(),
);

test(
  'undone after the time-out, even days later, the patient was there',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit, 30);
    expect(await sweep(db, hospital)).toBe(1);
    await moveClock(db, '3 days');
    await become(db, hospital.admin);
    expect(await undoNoShow(db, visit.id)).toMatchObject({ status: 'checked_in' });
    await become(db, hospital.doctor);
    expect(await transit(db, 'complete_appointment', visit.id)).toMatchObject({
      status: 'completed',
    });
  }),
);

test(
  'only an admin undoes, once, with a reason, and what was missed',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit);
    await become(db, hospital.admin);
    expect((await refusalOf(db, () => undoNoShow(db, visit.id))).scenario).toBe('not_a_no_show');
    await markNoShow(db, visit.id);
    for (const reason of ['  ', null]) {
      expect((await refusalOf(db, () => undoNoShow(db, visit.id, reason))).scenario).toBe(
        'invalid_input',
      );
    }
    for (const actor of [hospital.receptionist, hospital.nurse, hospital.doctor]) {
      await become(db, actor);
      await db.query('savepoint other');
      await expect(undoNoShow(db, visit.id)).rejects.toMatchObject({ code: '42501' });
      await db.query('rollback to savepoint other');
    }
    // Not by the way of another function either: it would take back without saying why.
    await become(db, hospital.admin);
    for (const attempt of ['check_in_appointment', 'confirm_appointment'] as const) {
      expect((await refusalOf(db, () => transit(db, attempt, visit.id))).scenario).toBe(
        'illegal_transition',
      );
    }
    await undoNoShow(db, visit.id);
    expect((await refusalOf(db, () => undoNoShow(db, visit.id))).scenario).toBe('not_a_no_show');
    // Missed once more, it is logged once more.
    await markNoShow(db, visit.id);
    expect((await logOf(db, visit.id)).map(({ undone_at }) => undone_at === null)).toEqual([
      false,
      true,
    ]);
    const foreign = await aside(db, () => openHospital(db, { horizonDays: 1 }));
    await become(db, foreign.admin);
    expect((await refusalOf(db, () => undoNoShow(db, visit.id))).scenario).toBe(
      'appointment_not_found',
    );
  }),
);

test(
  'undone twice, each row of the log keeps its own end',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit);
    for (const reason of ['the wrong room', 'the wrong list']) {
      await become(db, hospital.receptionist);
      await markNoShow(db, visit.id);
      await become(db, hospital.admin);
      await undoNoShow(db, visit.id, reason);
    }
    expect((await logOf(db, visit.id)).map(({ undo_reason }) => undo_reason)).toEqual([
      'the wrong room',
      'the wrong list',
    ]);
    expect(await recordOf(db, visit.patient_id)).toMatchObject({ no_show_count: 0 });
  }),
);

test(
  'a seat that somebody else has taken is not taken back, until there is one more',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await markNoShow(db, visit.id, 'patient_called');
    await bookVisit(db, hospital, 0, 1);
    await become(db, hospital.admin);
    const refusal = await refusalOf(db, () => undoNoShow(db, visit.id));
    expect(refusal).toMatchObject({
      scenario: 'seat_no_longer_free',
      recoverable: true,
      details: { slot_id: visit.slot_id },
    });
    expect(refusal.hint).toContain('Add a seat');
    expect(await recordOf(db, visit.patient_id)).toMatchObject({ no_show_count: 1 });
    await db.query('select app_public.add_seat(slot_id => $1, reason => $2)', [
      visit.slot_id,
      'called back',
    ]);
    expect(await undoNoShow(db, visit.id)).toMatchObject({ status: 'scheduled' });
    expect(await slotState(db, visit.slot_id ?? '')).toMatchObject({
      booked_count: 2,
      capacity: 2,
    });
  }),
);

test(
  'a long visit of which somebody else has a further seat by now comes back as a whole or not at all',
  story(async (db, hospital) => {
    await asOwner(db);
    const serviceId = await insert(db, 'service', {
      hospital_id: hospital.id,
      name: 'Operation',
      duration: '1 hour',
    });
    await become(db, hospital.receptionist);
    const visit = await book(db, {
      slotId: nth(hospital.slotIds, 0),
      patientId: nth(hospital.patientIds, 0),
      serviceId,
    });
    await markNoShow(db, visit.id, 'patient_called');
    await bookVisit(db, hospital, 1, 1);
    await become(db, hospital.admin);
    expect((await refusalOf(db, () => undoNoShow(db, visit.id))).scenario).toBe(
      'seat_no_longer_free',
    );
    expect(await slotState(db, nth(hospital.slotIds, 0))).toMatchObject({ booked_count: 0 });
  }),
);

test(
  'a slot that was closed since, or whose hold has lapsed, is no obstacle: the visit was there before',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await markNoShow(db, visit.id, 'patient_called');
    await hold(db, { slotId: visit.slot_id ?? '', patientId: nth(hospital.patientIds, 1) });
    await moveClock(db, '10 minutes');
    await aside(db, () =>
      db.query('update app_public.doctor set is_available = false where id = $1', [
        visit.doctor_id,
      ]),
    );
    await become(db, hospital.admin);
    await db.query("select app_public.block_slot($1, 'cleaning')", [visit.slot_id]);
    expect(await undoNoShow(db, visit.id)).toMatchObject({ status: 'scheduled' });
  }),
);

test(
  'a reason that is too long is refused in words',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await markNoShow(db, visit.id, 'patient_called');
    await become(db, hospital.admin);
    const undo = () =>
      db.query("select app_public.undo_no_show($1, repeat('x', 2001))", [visit.id]);
    expect((await refusalOf(db, undo)).scenario).toBe('invalid_input');
  }),
);

test(
  'a day that is full by now keeps its limit',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await markNoShow(db, visit.id, 'patient_called');
    await bookVisit(db, hospital, 1, 1);
    await aside(db, () =>
      db.query('update app_public.doctor set max_patients_per_day = 1 where id = $1', [
        visit.doctor_id,
      ]),
    );
    await become(db, hospital.admin);
    expect((await refusalOf(db, () => undoNoShow(db, visit.id))).scenario).toBe(
      'daily_limit_reached',
    );
  }),
);

test(
  'a patient who is elsewhere by now does not come back',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await markNoShow(db, visit.id, 'patient_called');
    const elsewhere = await book(db, {
      slotId: nth(hospital.otherSlotIds, 0),
      patientId: visit.patient_id,
    });
    await become(db, hospital.admin);
    expect(await refusalOf(db, () => undoNoShow(db, visit.id))).toMatchObject({
      scenario: 'patient_double_booked',
      details: { appointment_id: elsewhere.id },
    });
  }),
);

test(
  'undoing lifts the block that the threshold made, and not one that somebody decided',
  story(async (db, hospital) => {
    const visits = [];
    for (const slot of [0, 1, 2]) visits.push(await bookVisit(db, hospital, slot));
    await goTo(db, nth(visits, 2));
    for (const { id } of visits) await markNoShow(db, id);
    await become(db, hospital.admin);
    await undoNoShow(db, nth(visits, 2).id);
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({
      status: 'active',
      no_show_count: 2,
      no_shows_forgiven: 0,
    });
    // One more, and the block is there again: nothing was forgiven.
    await markNoShow(db, nth(visits, 2).id);
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({ status: 'blocked' });
    await db.query("select app_public.unblock_patient($1, 'talked')", [
      nth(hospital.patientIds, 0),
    ]);
    await db.query("select app_public.block_patient($1, 'rude')", [nth(hospital.patientIds, 0)]);
    await undoNoShow(db, nth(visits, 1).id);
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({
      status: 'blocked',
      no_show_count: 2,
      no_shows_forgiven: 2,
      blocked_reason: 'rude',
    });
  }),
);

test(
  'the history of an appointment tells that a no-show was undone',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit);
    await markNoShow(db, visit.id);
    await become(db, hospital.admin);
    await undoNoShow(db, visit.id);
    const { rows } = await db.query('select event from app_public.appointment_history($1)', [
      visit.id,
    ]);
    expect(rows.map(({ event }) => event)).toEqual(['booked', 'no_show', 'no_show_undone']);
  }),
);

test(
  'counts and the log are written by what happens, never by hand',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await goTo(db, visit);
    await markNoShow(db, visit.id);
    await asOwner(db);
    for (const change of ['no_show_count = 0', 'no_shows_forgiven = 1']) {
      const attempt = () =>
        db.query(`update app_public.patient set ${change} where id = $1`, [visit.patient_id]);
      expect((await refusalOf(db, attempt)).scenario).toBe('counter_is_derived');
    }
    for (const statement of [
      'update app_public.no_show_log set undone_at = now() where appointment_id = $1',
      "update app_public.no_show_log set comment = 'x' where appointment_id = $1",
      'delete from app_public.no_show_log where appointment_id = $1',
    ]) {
      expect((await refusalOf(db, () => db.query(statement, [visit.id]))).scenario).toBe(
        'log_follows_what_happened',
      );
    }
  }),
);

test(
  'patients read that they missed a visit, and not what was said of it',
  story(async (db, hospital) => {
    const visit = await bookVisit(db, hospital);
    await bookVisit(db, hospital, 1, 1);
    await goTo(db, visit);
    await markNoShow(db, visit.id, null, 'rude on the phone');
    await become(db, hospital.patient);
    expect(await one(db, 'select appointment_id, reason from app_public.no_show_log')).toEqual({
      appointment_id: visit.id,
      reason: 'manual_staff',
    });
    await db.query('savepoint peek');
    await expect(db.query('select comment from app_public.no_show_log')).rejects.toMatchObject({
      code: '42501',
    });
    await db.query('rollback to savepoint peek');
    await become(db, hospital.otherPatient);
    expect((await db.query('select id from app_public.no_show_log')).rows).toEqual([]);
  }),
);
