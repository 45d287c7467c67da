import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { appointmentIn, book, one, reschedule, slotState } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

// What only a hand in psql can try: to write a counter, or what identifies a row.

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 1 });
const slotId = nth(hospital.slotIds, 0);

describe('counters follow appointments', () => {
  test.each(['slot', 'doctor_day'])('a hand cannot write the count of a %s', (table) =>
    rolledBack(ownerPool, async (db) => {
      await bookOne(db);
      for (const statement of [
        `update app_public.${table} set booked_count = 0 where booked_count > 0`,
        `update app_public.${table} set booked_count = booked_count + 1`,
      ]) {
        expect(await refusalOf(db, () => db.query(statement))).toMatchObject({
          code: 'SK403',
          scenario: 'counter_is_derived',
          details: { table },
        });
      }
      // The value that it has anyway is no change.
      await db.query(`update app_public.${table} set booked_count = booked_count`);
      expect(await slotState(db, slotId)).toMatchObject({ booked_count: 1 });
    }),
  );

  test('a slot and a day start empty', () =>
    rolledBack(ownerPool, async (db) => {
      const newSlot = `insert into app_public.slot (hospital_id, doctor_id, location_id, during, booked_count)
        select hospital_id, doctor_id, location_id, '[2300-01-01, 2300-01-02)', 1
        from app_public.slot where id = '${slotId}'`;
      const newDay = `insert into app_public.doctor_day (hospital_id, doctor_id, day, booked_count, max_patients)
        values ('${hospital.id}', '${hospital.doctorIds[0]}', '2300-01-01', 1, 30)`;
      for (const [table, statement] of [
        ['slot', newSlot],
        ['doctor_day', newDay],
      ] as const) {
        expect(await refusalOf(db, () => db.query(statement)), table).toMatchObject({
          scenario: 'counter_is_derived',
          details: { table },
        });
      }
    }));

  test('no request role has a right to a count', () =>
    rolledBack(ownerPool, async (db) => {
      for (const actor of [hospital.patient, hospital.doctor, hospital.nurse, hospital.admin]) {
        await become(db, actor);
        for (const table of ['slot', 'doctor_day']) {
          const error = await errorOf(db, () =>
            db.query(`update app_public.${table} set booked_count = 0`),
          );
          expect(error.code, `${actor.role}, ${table}`).toBe('42501');
        }
      }
    }));
});

// The catalog says which columns which table keeps: each is tried, so that none is kept by name only.
const { rows: kept } = await ownerPool.query<{ table: string; columns: string[] }>(
  `select replace(tgrelid::regclass::text, 'app_public.', '') as table,
     array(
       select attname::text from pg_attribute
       where attrelid = tgrelid and attnum = any (tgattr::int2[]) order by attnum) as columns
   from pg_trigger join pg_proc on pg_proc.oid = tgfoid
   where proname = 'keep_columns' and tgrelid::regclass::text like 'app_public.%' order by 1`,
);

test('what identifies a row is kept in every table that has one', () => {
  expect(Object.fromEntries(kept.map(({ table, columns }) => [table, columns]))).toEqual({
    absence: [
      'hospital_id',
      'id',
      'doctor_id',
      'type',
      'first_day',
      'last_day',
      'start_time',
      'end_time',
      'created_by',
      'created_at',
    ],
    account: ['hospital_id', 'id', 'created_at'],
    added_seat: ['hospital_id', 'id', 'slot_id', 'doctor_id', 'reason', 'added_by', 'added_at'],
    appointment: [
      'hospital_id',
      'id',
      'patient_id',
      'service_id',
      'created_by',
      'created_at',
      'idempotency_key',
      'request_fingerprint',
      'series_id',
    ],
    appointment_move: [
      'hospital_id',
      'id',
      'appointment_id',
      'from_slot_id',
      'to_slot_id',
      'moved_by',
      'moved_at',
      'idempotency_key',
      'request_fingerprint',
    ],
    appointment_reminder: [
      'hospital_id',
      'appointment_id',
      'starts_at',
      'lead_time',
      'notification_id',
      'created_at',
    ],
    appointment_series: [
      'hospital_id',
      'id',
      'patient_id',
      'doctor_id',
      'service_id',
      'first_starts_at',
      'every_days',
      'occurrence_count',
      'is_all_or_nothing',
      'created_by',
      'created_at',
      'idempotency_key',
      'request_fingerprint',
    ],
    check_result: ['hospital_id', 'run_id', 'check_name', 'row_count'],
    check_run: [
      'hospital_id',
      'id',
      'trigger',
      'requested_by',
      'check_names',
      'started_at',
      'finished_at',
    ],
    consultation: [
      'hospital_id',
      'id',
      'appointment_id',
      'patient_id',
      'doctor_id',
      'started_by',
      'started_at',
    ],
    consultation_participant: [
      'hospital_id',
      'id',
      'consultation_id',
      'patient_id',
      'doctor_id',
      'role',
      'added_by',
      'added_at',
    ],
    calendar_feed: ['hospital_id', 'id', 'account_id', 'created_at'],
    doctor: ['hospital_id', 'id'],
    doctor_day: ['hospital_id', 'doctor_id', 'day'],
    emergency_access: ['hospital_id', 'id', 'account_id', 'patient_id', 'granted_at', 'expires_at'],
    invitation: ['hospital_id', 'id', 'email', 'role', 'doctor_id', 'invited_by', 'created_at'],
    health_alert: ['hospital_id', 'id', 'finding_id', 'check_name', 'title', 'raised_at'],
    health_report: ['hospital_id', 'day'],
    finding: ['hospital_id', 'id', 'check_name', 'entity_type', 'entity_id', 'cache_key'],
    holiday: ['hospital_id', 'id', 'date', 'is_recurring', 'created_at'],
    hospital: ['id'],
    import_run: [
      'hospital_id',
      'id',
      'kind',
      'file_name',
      'row_count',
      'fingerprint',
      'created_by',
      'imported_at',
    ],
    imported_row: ['hospital_id', 'run_id', 'row_number', 'record_id', 'external_id'],
    job_run: ['hospital_id', 'id', 'job', 'started_by', 'requested_by', 'created_at'],
    location: ['hospital_id', 'id'],
    notification: [
      'hospital_id',
      'id',
      'patient_id',
      'doctor_id',
      'account_id',
      'event',
      'priority',
      'channels',
      'title',
      'body',
      'appointment_id',
      'created_at',
    ],
    no_show_log: [
      'hospital_id',
      'id',
      'appointment_id',
      'patient_id',
      'doctor_id',
      'reason',
      'slot_starts_at',
      'timeout_minutes',
      'status_before',
      'is_slot_released',
      'is_patient_notified',
      'has_blocked_patient',
      'marked_by',
      'marked_at',
    ],
    notification_delivery: [
      'hospital_id',
      'id',
      'notification_id',
      'patient_id',
      'doctor_id',
      'account_id',
      'channel',
      'planned_at',
    ],
    notification_preference: ['hospital_id', 'account_id', 'topic', 'channel'],
    notification_setting: ['hospital_id', 'account_id'],
    patient: ['hospital_id', 'id', 'created_at'],
    patient_block: ['hospital_id', 'id', 'patient_id', 'is_automatic', 'blocked_by', 'blocked_at'],
    review_item: [
      'hospital_id',
      'id',
      'finding_id',
      'reason',
      'entity_type',
      'entity_id',
      'detail',
      'context',
      'created_at',
    ],
    schedule: ['hospital_id', 'id', 'doctor_id', 'location_id', 'created_at'],
    series_occurrence: [
      'hospital_id',
      'series_id',
      'number',
      'patient_id',
      'doctor_id',
      'starts_at',
      'appointment_id',
      'scenario',
      'details',
    ],
    service: ['hospital_id', 'id'],
    slot: ['hospital_id', 'id', 'doctor_id', 'location_id', 'during', 'created_at'],
    stage_alert: [
      'hospital_id',
      'id',
      'appointment_id',
      'patient_id',
      'doctor_id',
      'kind',
      'waiting_since',
      'due_at',
      'raised_at',
    ],
    vitals_entry: [
      'hospital_id',
      'id',
      'appointment_id',
      'patient_id',
      'doctor_id',
      'corrects',
      'systolic',
      'diastolic',
      'heart_rate',
      'respiratory_rate',
      'oxygen_saturation',
      'temperature',
      'weight',
      'height',
      'recorded_by',
      'recorded_at',
    ],
    waitlist_entry: [
      'hospital_id',
      'id',
      'patient_id',
      'doctor_id',
      'specialty',
      'created_by',
      'created_at',
    ],
    waitlist_offer: [
      'hospital_id',
      'id',
      'entry_id',
      'patient_id',
      'doctor_id',
      'slot_id',
      'appointment_id',
      'offered_at',
    ],
    webhook_delivery: [
      'hospital_id',
      'id',
      'subscription_id',
      'event',
      'event_id',
      'payload',
      'occurred_at',
      'created_at',
    ],
    webhook_subscription: ['hospital_id', 'id', 'created_by', 'created_at'],
  });
});

describe.each(kept)('$table', ({ table, columns }) => {
  test.each(columns)('never changes its %s', (column) =>
    rolledBack(ownerPool, async (db) => {
      await moveOne(db);
      if (table.startsWith('waitlist')) await offerOne(db);
      if (table === 'added_seat' || table.includes('series')) await repeatOne(db);
      if (table.startsWith('import')) await importOne(db);
      if (table === 'job_run') await runOne(db);
      if (/^check_|^finding$/.test(table)) await checkOne(db);
      if (/no_show_log|patient_block|vitals/.test(table)) await visitOne(db);
      if (/^(stage_alert|consultation)/.test(table)) await callInOne(db);
      if (table === 'invitation' || table === 'emergency_access') await letIn(db);
      if (table.startsWith('notification_')) await deliverOne(db);
      if (table === 'appointment_reminder' || table === 'calendar_feed') await remindOne(db);
      if (table.startsWith('webhook_')) await subscribeOne(db);
      if (table === 'review_item' || table.startsWith('health_')) await alarmOne(db);
      if (table === 'absence' || table === 'holiday') await closeFarAhead(db);
      const { type } = await one<{ type: string }>(
        db,
        `select format_type(atttypid, null) as type from pg_attribute
         where attrelid = $1::regclass and attname = $2`,
        [`app_public.${table}`, column],
      );
      const refusal = await refusalOf(db, () =>
        db.query(`update app_public.${table} set ${column} = ${another[type]}`),
      );
      expect(refusal).toMatchObject({
        code: 'SK403',
        scenario: 'immutable_column',
        details: { table, column },
      });
      // The value that it has anyway is no change.
      await db.query(`update app_public.${table} set ${column} = ${column}`);
    }),
  );
});

/** A review, a health alert and a daily report. */
async function alarmOne(db: ClientBase): Promise<void> {
  const of = { hospital_id: hospital.id, detail: 'It is wrong.' };
  await insert(db, 'review_item', { ...of, reason: 'a_check', priority: 1, entity_type: 'slot' });
  await insert(db, 'health_alert', { ...of, check_name: 'a_check', severity: 'info', title: 'x' });
  await db.query(
    "insert into app_public.health_report (hospital_id, day, figures, text) values ($1, '2026-01-01', '{}', '')",
    [hospital.id],
  );
}

/** A webhook subscription with a delivery. */
async function subscribeOne(db: ClientBase): Promise<void> {
  await db.query(
    `with target as (
       insert into app_public.webhook_subscription (hospital_id, name, url, events)
       values ($1, 'Billing', 'https://billing.test', '{appointment.booked}')
       returning hospital_id, id)
     insert into app_public.webhook_delivery (hospital_id, subscription_id, event)
     select hospital_id, id, 'webhook.test' from target`,
    [hospital.id],
  );
}

/** A run of checks, and what it found. */
async function checkOne(db: ClientBase): Promise<void> {
  await db.query(
    `with run as (
       insert into app_public.check_run (
         hospital_id, trigger, check_names, started_at, finished_at, duration_ms, finding_count, new_count, resolved_count)
       values ($1, 'manual', '{x}', now(), now(), 0, 0, 0, 0) returning hospital_id, id),
     result as (
       insert into app_public.check_result (hospital_id, run_id, check_name, row_count, duration_ms)
       select hospital_id, id, 'x', 1, 0 from run)
     insert into app_public.finding (
       hospital_id, check_name, severity, entity_type, cache_key, detail, metadata, first_seen_at, last_seen_at, times_seen)
     select hospital_id, 'x', 'info', 'slot', 'x', 'x', '{}', now(), now(), 1 from run`,
    [hospital.id],
  );
}

async function runOne(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_public.job_run (hospital_id, job, started_by, outcome)
     values ($1, 'expire_waits', 'event', 'running')`,
    [hospital.id],
  );
}

/** Deliveries of what was told, a preference and quiet hours. */
async function deliverOne(db: ClientBase): Promise<void> {
  await db.query(
    `select app_private.plan_deliveries($1, array_agg(id))
     from app_public.notification where hospital_id = $1`,
    [hospital.id],
  );
  await db.query(
    `insert into app_public.notification_preference (hospital_id, account_id, topic, channel, is_on)
     values ($1, $2, 'all', 'email', true)`,
    [hospital.id, hospital.doctor.accountId],
  );
  await db.query(
    'insert into app_public.notification_setting (hospital_id, account_id) values ($1, $2)',
    [hospital.id, hospital.doctor.accountId],
  );
}

async function importOne(db: ClientBase): Promise<void> {
  await db.query(
    `with run as (
       insert into app_public.import_run (hospital_id, kind, row_count, fingerprint)
       values ($1, 'patients', 1, 'x') returning hospital_id, id)
     insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
     select hospital_id, id, 1, $2 from run`,
    [hospital.id, hospital.patientIds[0]],
  );
}

/** Somebody who is invited, and somebody who took an emergency access. */
async function letIn(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_public.invitation (hospital_id, email, display_name, role)
     values ($1, 'invited@kept.test', 'Invited', 'nurse')`,
    [hospital.id],
  );
  await db.query(
    `insert into app_public.emergency_access (hospital_id, account_id, patient_id, reason)
     values ($1, $2, $3, 'somebody was unconscious')`,
    [hospital.id, hospital.doctor.accountId, nth(hospital.patientIds, 0)],
  );
}

const another: Record<string, string> = {
  'app_public.account_role': "'admin'",
  'app_public.import_kind': "'doctors'",
  'app_public.job_trigger': "'cron'",
  'app_public.check_trigger': "'event'",
  uuid: 'gen_random_uuid()',
  'timestamp with time zone': "'2001-01-01'",
  date: "'2001-01-01'",
  text: "'another'",
  'time without time zone': "'01:00'",
  boolean: 'null',
  integer: '50',
  interval: "'7 minutes'",
  jsonb: `'{"another": true}'`,
  'app_public.absence_type': "'other'",
  'app_public.no_show_reason': "'patient_called'",
  'app_public.appointment_status': "'confirmed'",
  numeric: '40',
  'numeric(4,1)': '40',
  'numeric(5,1)': '40',
  'numeric(6,2)': '40',
  'app_public.participant_role': "'assisting'",
  'app_public.stage_alert_kind': "'no_doctor'",
  'app_public.delivery_channel': "'chat'",
  'app_public.notification_priority': "'high'",
  'text[]': "'{sms}'",
  tstzrange: "'[2001-01-01, 2001-01-02)'",
};

async function bookOne(db: ClientBase): Promise<string> {
  const { id } = await book(await as(db, hospital.receptionist), {
    slotId,
    patientId: nth(hospital.patientIds, 0),
  });
  await asOwner(db);
  return id;
}

async function closeFarAhead(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day)
     values ($1, $2, 'training', '2099-01-01', '2099-01-01')`,
    [hospital.id, hospital.doctorIds[0]],
  );
  await db.query(
    "insert into app_public.holiday (hospital_id, name, date) values ($1, 'Far ahead', '2099-01-02')",
    [hospital.id],
  );
}

/** A series of which nothing was booked, and a seat that was added. */
async function repeatOne(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_public.appointment_series
       (hospital_id, patient_id, doctor_id, first_starts_at, every_days, occurrence_count, is_all_or_nothing)
     values ($1, $2, $3, '2099-01-01', 7, 2, false)`,
    [hospital.id, nth(hospital.patientIds, 0), hospital.doctorIds[0]],
  );
  await db.query(
    `insert into app_public.series_occurrence
       (hospital_id, series_id, number, patient_id, doctor_id, starts_at, scenario)
     select hospital_id, id, 1, patient_id, doctor_id, first_starts_at, 'slot_not_found'
     from app_public.appointment_series`,
  );
  await db.query(
    "insert into app_public.added_seat (hospital_id, slot_id, reason) values ($1, $2, 'x')",
    [hospital.id, slotId],
  );
}

/** Somebody who came and somebody who did not, and was blocked. */
async function visitOne(db: ClientBase): Promise<void> {
  const [came, missed] = [nth(hospital.patientIds, 1), nth(hospital.patientIds, 2)];
  const arrived = await appointmentIn(db, hospital, 'checked_in', nth(hospital.slotIds, 4), came);
  await appointmentIn(db, hospital, 'no_show', nth(hospital.slotIds, 5), missed);
  await db.query(
    'insert into app_public.vitals_entry (hospital_id, appointment_id, heart_rate) values ($1, $2, 70)',
    [hospital.id, arrived.id],
  );
  await db.query(
    "update app_public.patient set status = 'blocked', blocked_reason = 'x' where id = $1",
    [missed],
  );
}

/** A patient who waited too long and was then called in. */
async function callInOne(db: ClientBase): Promise<void> {
  const visit = await appointmentIn(
    db,
    hospital,
    'checked_in',
    nth(hospital.slotIds, 2),
    nth(hospital.patientIds, 2),
  );
  const of = { hospital_id: hospital.id, appointment_id: visit.id };
  const since = { waiting_since: '2020-01-01', due_at: '2020-01-01' };
  await insert(db, 'stage_alert', { ...of, kind: 'no_vitals', ...since });
  await insert(db, 'consultation', of);
}

/** A reminder of the visit that was moved, and a calendar feed. */
async function remindOne(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_public.appointment_reminder
       (hospital_id, appointment_id, starts_at, lead_time, notification_id, created_at)
     select notification.hospital_id, appointment_id, starts_at, '2 hours', notification.id, now()
     from app_public.notification
     join app_public.appointment
       on appointment.hospital_id = notification.hospital_id and appointment.id = notification.appointment_id
     limit 1`,
  );
  await db.query('insert into app_public.calendar_feed (hospital_id, account_id) values ($1, $2)', [
    hospital.id,
    hospital.patient.accountId,
  ]);
}

async function offerOne(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_public.waitlist_entry (hospital_id, patient_id, doctor_id, first_day, last_day)
     values ($1, $2, $3, current_date, current_date + 20)`,
    [hospital.id, nth(hospital.patientIds, 1), hospital.doctorIds[0]],
  );
  await db.query('select app_private.offer_free_seats($1, $2)', [
    hospital.id,
    hospital.doctorIds[0],
  ]);
}

async function moveOne(db: ClientBase): Promise<void> {
  const id = await bookOne(db);
  await reschedule(await as(db, hospital.receptionist), id, nth(hospital.slotIds, 1));
  await asOwner(db);
}
