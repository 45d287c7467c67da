import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { appointmentIn, book, cancel, one, setStatus } from '../helpers/booking.ts';
import { moveClockTo } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { insert, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 1 });
const slotId = nth(hospital.slotIds, 0);
const patientId = nth(hospital.patientIds, 0);

test('a booking and its cancellation are two entries: what was, what became, who, in which request', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.patient);
    const { id } = await book(db, { slotId, patientId, reason: 'cough' });
    await become(db, hospital.receptionist);
    await cancel(db, id, 'doctor ill');

    const [booked, cancelled, ...more] = await entriesOf(db, id);
    expect(more).toEqual([]);
    expect(booked).toMatchObject({
      hospital_id: hospital.id,
      table_name: 'appointment',
      operation: 'insert',
      old_state: null,
      new_state: { id, status: 'scheduled', reason: 'cough' },
      changed_columns: null,
      actor_account_id: hospital.patient.accountId,
      actor_role: 'patient',
      request_id: 'test-request',
      is_of_this_transaction: true,
      is_now: true,
    });
    expect(cancelled).toMatchObject({
      operation: 'update',
      old_state: { status: 'scheduled', cancelled_by: null },
      new_state: { status: 'cancelled', cancelled_by: hospital.receptionist.accountId },
      actor_account_id: hospital.receptionist.accountId,
      actor_role: 'receptionist',
    });
    expect(Object.keys(cancelled?.changed_columns ?? {}).sort()).toEqual([
      'cancellation_cause',
      'cancellation_reason',
      'cancelled_at',
      'cancelled_by',
      'holds_seat',
      'status',
    ]);
    expect(cancelled?.changed_columns).toMatchObject({
      status: 'cancelled',
      cancellation_reason: 'doctor ill',
    });
  }));

test('a deletion keeps what was deleted', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'cancelled', slotId, patientId);
    await db.query('delete from app_public.appointment where id = $1', [id]);
    const entries = await entriesOf(db, id);
    expect(entries.at(-1)).toMatchObject({
      operation: 'delete',
      old_state: { id, status: 'cancelled' },
      new_state: null,
      changed_columns: null,
    });
  }));

test('an operator in psql and a job are told apart from people', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await appointmentIn(db, hospital, 'scheduled', slotId, patientId);
    await moveClockTo(db, slotId, '1 hour');
    await asWorker(db);
    await setStatus(db, id, 'no_show');
    const anonymous = { actor_account_id: null, request_id: null };
    expect(await entriesOf(db, id)).toMatchObject([
      { ...anonymous, operation: 'insert', actor_role: 'operator' },
      { ...anonymous, operation: 'update', actor_role: 'worker' },
    ]);
  }));

test('a refused change leaves no entry, and an update that changes nothing neither', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.patient), { slotId, patientId });
    await refusalOf(db, () => setStatus(db, id, 'no_show'));
    await asOwner(db);
    await db.query('update app_public.appointment set notes = notes where id = $1', [id]);
    expect(await entriesOf(db, id)).toHaveLength(1);
  }));

// One row of each audited table, with a change to it.
const audited: Record<string, { id: (db: ClientBase) => Promise<string>; change: string }> = {
  hospital: { id: async () => hospital.id, change: "name = 'Renamed'" },
  location: { id: async () => hospital.locationIds[0], change: "name = 'Renamed'" },
  doctor: { id: async () => hospital.doctorIds[0], change: "display_name = 'Renamed'" },
  patient: { id: async () => patientId, change: "name = 'Renamed'" },
  account: { id: async () => hospital.nurse.accountId, change: "display_name = 'Renamed'" },
  service: { id: async () => hospital.serviceId, change: "name = 'Renamed'" },
  schedule: {
    id: async (db) =>
      (await one<{ id: string }>(db, 'select id from app_public.schedule limit 1')).id,
    change: 'slot_capacity = 7',
  },
  slot: { id: async () => slotId, change: 'capacity = 7' },
  appointment: {
    id: async (db) => (await appointmentIn(db, hospital, 'scheduled', slotId, patientId)).id,
    change: "notes = 'Renamed'",
  },
  stage_alert: {
    id: async (db) =>
      insert(db, 'stage_alert', {
        hospital_id: hospital.id,
        appointment_id: (await appointmentIn(db, hospital, 'checked_in', slotId, patientId)).id,
        kind: 'no_vitals',
        waiting_since: '2020-01-01',
        due_at: '2020-01-01',
      }),
    change: "note = 'Renamed'",
  },
  review_item: {
    id: async (db) =>
      insert(db, 'review_item', {
        hospital_id: hospital.id,
        reason: 'a_check',
        priority: 1,
        entity_type: 'slot',
        detail: 'It is wrong.',
        status: 'in_review',
        claimed_at: '2026-01-01',
      }),
    change: "note = 'Renamed'",
  },
  absence: {
    id: async (db) =>
      insert(db, 'absence', {
        hospital_id: hospital.id,
        doctor_id: hospital.doctorIds[0],
        type: 'other',
        first_day: '2099-01-01',
        last_day: '2099-01-01',
      }),
    change: "reason = 'Renamed'",
  },
  holiday: {
    id: async (db) =>
      insert(db, 'holiday', { hospital_id: hospital.id, name: 'Far ahead', date: '2099-01-01' }),
    change: "name = 'Renamed'",
  },
  appointment_series: {
    id: async (db) =>
      insert(db, 'appointment_series', {
        hospital_id: hospital.id,
        patient_id: patientId,
        doctor_id: hospital.doctorIds[0],
        first_starts_at: '2099-01-01',
        every_days: 7,
        occurrence_count: 2,
        is_all_or_nothing: false,
      }),
    change: "reason = 'Renamed'",
  },
  invitation: {
    id: async (db) =>
      insert(db, 'invitation', {
        hospital_id: hospital.id,
        email: 'invited@audit.test',
        display_name: 'Invited',
        role: 'nurse',
      }),
    change: "display_name = 'Renamed'",
  },
  emergency_access: {
    id: async (db) =>
      insert(db, 'emergency_access', {
        hospital_id: hospital.id,
        account_id: hospital.doctor.accountId,
        patient_id: patientId,
        reason: 'somebody was unconscious',
      }),
    change: "reason = 'Renamed at length'",
  },
  webhook_subscription: {
    id: async (db) =>
      insert(db, 'webhook_subscription', {
        hospital_id: hospital.id,
        name: 'Billing',
        url: 'https://billing.test',
        events: ['appointment.booked'],
      }),
    change: "name = 'Renamed'",
  },
  calendar_feed: {
    id: async (db) =>
      insert(db, 'calendar_feed', {
        hospital_id: hospital.id,
        account_id: hospital.patient.accountId,
      }),
    change: "revoked_at = 'infinity'",
  },
  finding: {
    id: async (db) =>
      insert(db, 'finding', {
        hospital_id: hospital.id,
        check_name: 'x',
        severity: 'info',
        entity_type: 'slot',
        cache_key: 'x',
        detail: 'x',
        metadata: '{}',
        first_seen_at: 'now',
        last_seen_at: 'now',
        times_seen: 1,
        ignored_at: 'now',
        ignore_reason: 'known',
      }),
    change: "ignore_reason = 'Renamed'",
  },
  waitlist_entry: {
    id: async (db) =>
      insert(db, 'waitlist_entry', {
        hospital_id: hospital.id,
        patient_id: patientId,
        specialty: 'general medicine',
        first_day: 'today',
        last_day: 'tomorrow',
      }),
    change: "reason = 'Renamed'",
  },
};

test.each(Object.entries(audited))('a change of a %s is audited', (table, { id, change }) =>
  rolledBack(ownerPool, async (db) => {
    const recordId = await id(db);
    const before = (await entriesOf(db, recordId)).length;
    await db.query(`update app_public.${table} set ${change} where id = $1`, [recordId]);
    const [entry, ...more] = (await entriesOf(db, recordId)).slice(before);
    const [column = '', value = ''] = change.split(' = ');
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ table_name: table, operation: 'update', actor_role: 'operator' });
    expect(entry?.changed_columns).toEqual({
      [column]: value.startsWith("'") ? value.slice(1, -1) : Number(value),
    });
  }),
);

test('the catalog names no audited table that is missing here', async () => {
  const { rows } = await ownerPool.query<{ table: string }>(
    `select distinct tgrelid::regclass::text as table
     from pg_trigger join pg_proc on pg_proc.oid = tgfoid
     where proname = 'record_audit'`,
  );
  expect(rows.map(({ table }) => table.replace('app_public.', '')).sort()).toEqual(
    // A seat that was added, an import, a request for a job, a participant and an addendum never change; that they came about is
    // tested with them, and so is what the log has of a consultation and of a health alert.
    [
      ...Object.keys(audited),
      'added_seat',
      'consultation',
      'consultation_addendum',
      'consultation_participant',
      'health_alert',
      'import_run',
      'job_run',
    ].sort(),
  );
});

test('seats that are taken and given back are told by the appointment, not by the slot', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await book(await as(db, hospital.receptionist), { slotId, patientId });
    await cancel(db, id);
    expect(await entriesOf(db, slotId)).toEqual([]);
  }));

test('admins read the log of their own hospital, nobody else reads any', () =>
  rolledBack(ownerPool, async (db) => {
    const stranger = await insert(db, 'hospital', {
      slug: 'elsewhere',
      name: 'Elsewhere',
      time_zone: 'UTC',
    });
    await become(db, hospital.admin);
    const { rows } = await db.query('select distinct hospital_id from app_public.audit_entry');
    expect(rows).toEqual([{ hospital_id: hospital.id }]);
    expect(stranger).not.toBe(hospital.id);
    for (const actor of [
      hospital.patient,
      hospital.doctor,
      hospital.nurse,
      hospital.receptionist,
    ]) {
      await become(db, actor);
      await db.query('savepoint reading');
      await expect(
        db.query('select from app_public.audit_entry'),
        actor.role,
      ).rejects.toMatchObject({
        code: '42501',
      });
      await db.query('rollback to savepoint reading');
    }
  }));

type Entry = {
  operation: string;
  changed_columns: Record<string, unknown> | null;
};

async function entriesOf(db: ClientBase, recordId: string): Promise<Entry[]> {
  await asOwner(db);
  const { rows } = await db.query<Entry>(
    `select *, transaction_id = pg_current_xact_id()::text::bigint as is_of_this_transaction,
       recorded_at = app_private.clock() as is_now
     from app_public.audit_entry where record_id = $1
       and transaction_id = pg_current_xact_id()::text::bigint order by id`,
    [recordId],
  );
  return rows;
}
