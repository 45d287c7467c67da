import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { unguarded } from '../../../drill/damage.ts';
import { asOwner, become, committedAs, rolledBack } from '../../helpers/actors.ts';
import { book, cancel, reschedule } from '../../helpers/booking.ts';
import { setClock } from '../../helpers/clock.ts';
import { createDatabase } from '../../helpers/database.ts';
import { insert, openHospital } from '../../helpers/hospital.ts';
import { nth } from '../../helpers/nth.ts';
import { rowsOf } from '../findings.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 3 });
const patientId = hospital.patientIds[0] ?? '';
const slot = (number: number) => nth(hospital.slotIds, number);

// Committed, so that each has the transaction that wrote it.
const kept = await committedAs(ownerPool, hospital.receptionist, (db) =>
  book(db, { slotId: slot(9), patientId }),
);

/** Does it with every guard asleep and says what the check then names, and how. */
async function saidOf(
  check: string,
  statement: string,
  values: unknown[] = [kept.id],
): Promise<string[]> {
  return rolledBack(ownerPool, async (db) => {
    await unguarded(db, () => db.query(statement, values));
    return said(db, check);
  });
}

async function said(db: ClientBase, check: string): Promise<string[]> {
  const rows = await rowsOf(db, check);
  return rows.map(({ entity_type, entity_id, detail }) => `${entity_type} ${entity_id}: ${detail}`);
}

describe('audit_gap', () => {
  const different = 'This row of appointment is not what the log last told';

  test.each([
    ["status = 'confirmed'", 'status'],
    [`doctor_id = '${hospital.doctorIds[1]}'`, 'doctor_id'],
    [`patient_id = '${hospital.patientIds[1]}'`, 'patient_id'],
    [`slot_id = '${slot(10)}'`, 'slot_id'],
    ["during = tstzrange(lower(during), upper(during) - interval '5 minutes')", 'ends_at'],
  ])(
    'an appointment whose %s was set by a hand, in a transaction of its own',
    async (change, field) => {
      expect(
        await saidOf('audit_gap', `update app_public.appointment set ${change} where id = $1`),
      ).toEqual([`appointment ${kept.id}: ${different}: ${field}.`]);
    },
  );

  test('an appointment that was put there, and one that was taken away', async () => {
    const id = randomUUID();
    expect(
      await saidOf(
        'audit_gap',
        `insert into app_public.appointment (hospital_id, id, doctor_id, patient_id, during, status, source, created_at, updated_at)
         select hospital_id, $2, doctor_id, patient_id, during, 'expired', source, created_at, updated_at
         from app_public.appointment where id = $1`,
        [kept.id, id],
      ),
    ).toEqual([`appointment ${id}: The log knows nothing of this row of appointment.`]);
    expect(await saidOf('audit_gap', 'delete from app_public.appointment where id = $1')).toEqual([
      `appointment ${kept.id}: The log knows this appointment, but it is gone without a trace.`,
    ]);
  });

  test.each([
    ['patient', patientId, 'no_show_count = 7', 'no_show_count'],
    ['account', hospital.nurse.accountId, "role = 'admin'", 'role'],
    ['doctor', hospital.doctorIds[0], 'is_available = false', 'is_available'],
  ])('a %s that a hand has changed', async (table, id, change, field) => {
    expect(
      await saidOf('audit_gap', `update app_public.${table} set ${change} where id = $1`, [id]),
    ).toEqual([`${table} ${id}: This row of ${table} is not what the log last told: ${field}.`]);
  });

  test('nothing that is archived, erased, repaired, moved, or written in another zone', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.receptionist);
      await db.query("set local time zone 'Asia/Tokyo'");
      const made = await book(db, { slotId: slot(0), patientId, reason: 'heads' });
      await reschedule(db, made.id, slot(4));
      await cancel(db, made.id, 'heads');
      await asOwner(db);
      await db.query("set local time zone 'UTC'");
      expect(await said(db, 'audit_gap')).toEqual([]);
      await db.query(
        `select app_private.record_repair($1, 'patient', $2, '{"no_show_count": 1}', '{"no_show_count": 0}')`,
        [hospital.id, patientId],
      );
      await setClock(db, '2099-01-01');
      await db.query('select app_private.archive_appointments($1)', [hospital.id]);
      await become(db, hospital.admin);
      await asOwner(db);
      expect(await said(db, 'audit_gap')).toEqual([]);
    }));
});

describe('illegal_transition_in_audit', () => {
  const entry = (from: string | null, to: string | null, role: string, operation = 'update') =>
    [
      `insert into app_public.audit_entry (hospital_id, table_name, record_id, operation, old_state, new_state,
       changed_columns, actor_role, transaction_id, recorded_at)
     values ($1, 'appointment', $2, $3, $4, $5, $6, $7, 1, now())`,
      [
        hospital.id,
        kept.id,
        operation,
        from && { status: from },
        to && { status: to },
        operation === 'update' ? { status: to } : null,
        role,
      ],
    ] as const;

  test.each([
    [
      entry('completed', 'scheduled', 'admin'),
      'went from completed to scheduled, which nobody may do.',
    ],
    [
      entry('scheduled', 'no_show', 'patient'),
      'went from scheduled to no_show, which the role patient may not do.',
    ],
    [
      entry('scheduled', 'confirmed', 'repair:lapsed_hold'),
      'went from scheduled to confirmed, which the role repair:lapsed_hold may not do.',
    ],
    [
      entry('scheduled', 'vanished', 'operator'),
      'went from scheduled to vanished, which nobody may do.',
    ],
    [
      entry(null, 'completed', 'admin', 'insert'),
      'went from nothing to completed, which nobody may do.',
    ],
    [
      entry('confirmed', null, 'operator', 'delete'),
      'was removed while it was confirmed, by the role operator.',
    ],
  ])('%s', async ([statement, values], words) => {
    expect(await saidOf('illegal_transition_in_audit', statement, [...values])).toEqual([
      `appointment ${kept.id}: The log tells that the appointment ${words}`,
    ]);
  });

  test.each([
    [entry('held', 'expired', 'repair:lapsed_hold')],
    [entry('scheduled', 'completed', 'operator')],
    [entry('no_show', 'confirmed', 'admin')],
    [entry('cancelled', null, 'operator', 'delete')],
    [entry(null, 'scheduled', 'worker', 'insert')],
  ])('is silent about %s', async ([statement, values]) => {
    expect(await saidOf('illegal_transition_in_audit', statement, [...values])).toEqual([]);
  });

  test('what is settled and sealed long ago is left, what is found and open stays', () =>
    rolledBack(ownerPool, async (db) => {
      const [statement, values] = entry('completed', 'scheduled', 'admin');
      await unguarded(db, () => db.query(statement, [...values]));
      await db.query(
        "select app_private.run_checks(null, '{illegal_transition_in_audit}', 'manual')",
      );
      await db.query('select app_private.seal_audit($1)', [hospital.id]);
      await db.query(
        'update app_private.audit_seal_mark set settled_id = last_entry_id + 1 where hospital_id = $1',
        [hospital.id],
      );
      await setClock(db, new Date(Date.now() + 40 * 86_400_000));
      expect(await said(db, 'illegal_transition_in_audit')).toHaveLength(1);
      await db.query(
        'update app_public.finding set resolved_at = last_seen_at where hospital_id = $1',
        [hospital.id],
      );
      expect(await said(db, 'illegal_transition_in_audit')).toEqual([]);
    }));
});

describe('reschedule_kept_old_seat', () => {
  test('a further seat that was left behind, and not one that a buffer needs', () =>
    rolledBack(ownerPool, async (db) => {
      const serviceId = await insert(db, 'service', {
        hospital_id: hospital.id,
        name: 'Long',
        duration: '60 minutes',
        buffer_after: '20 minutes',
      });
      await become(db, hospital.receptionist);
      const made = await book(db, { slotId: slot(0), patientId, serviceId });
      await reschedule(db, made.id, slot(1));
      await asOwner(db);
      expect(await said(db, 'reschedule_kept_old_seat')).toEqual([]);
      await unguarded(db, () =>
        db.query(
          `insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
           select hospital_id, $1, id, doctor_id, location_id from app_public.slot where id = any ($2)`,
          [made.id, [slot(0)]],
        ),
      );
      expect(await said(db, 'reschedule_kept_old_seat')).toEqual([
        `appointment ${made.id}: The appointment was moved and still holds a seat in a slot that it left.`,
      ]);
    }));
});

describe('half_applied_import', () => {
  async function imported(db: ClientBase, kind: string, recordIds: string[]): Promise<void> {
    const run = await insert(db, 'import_run', {
      hospital_id: hospital.id,
      kind,
      row_count: recordIds.length,
      fingerprint: randomUUID(),
    });
    await db.query(
      `insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
       select $1, $2, number, id from unnest($3::uuid[]) with ordinality as record (id, number)`,
      [hospital.id, run, recordIds],
    );
  }

  test('a record that is gone, and not one that was removed or archived', () =>
    rolledBack(ownerPool, async (db) => {
      await imported(db, 'appointments', [kept.id]);
      await imported(db, 'doctors', [...hospital.doctorIds]);
      await become(db, hospital.receptionist);
      const removed = await book(db, { slotId: slot(0), patientId });
      await cancel(db, removed.id);
      await cancel(db, kept.id);
      await asOwner(db);
      await imported(db, 'appointments', [removed.id]);
      await db.query('delete from app_public.appointment where id = $1', [removed.id]);
      await setClock(db, '2099-01-01');
      await db.query('select app_private.archive_appointments($1)', [hospital.id]);
      expect(await said(db, 'half_applied_import')).toEqual([]);
      await unguarded(db, () =>
        db.query('delete from app_public.appointment_archive where id = $1', [kept.id]),
      );
      expect(await said(db, 'half_applied_import')).toEqual([
        expect.stringContaining(
          'The import brought 1 rows, but 1 are remembered and 1 of their records are missing.',
        ),
      ]);
    }));
});

test.each([
  'audit_gap',
  'illegal_transition_in_audit',
  'reschedule_kept_old_seat',
  'half_applied_import',
  'broken_audit_seal',
  'unsealed_audit',
])('%s of one hospital and of one entity reads no whole table of it', (check) =>
  rolledBack(ownerPool, async (db) => {
    await db.query('set local enable_seqscan = off');
    for (const restriction of ['', ' and entity_id = any ($2)']) {
      const { rows } = await db.query<{ 'QUERY PLAN': string }>(
        `explain select * from checks.${check} where hospital_id = $1${restriction}`,
        restriction ? [hospital.id, [kept.id]] : [hospital.id],
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).not.toMatch(
        /Seq Scan on (audit_entry|appointment|slot|patient|audit_seal|appointment_move|appointment_seat|imported_row)\b/,
      );
    }
  }),
);
