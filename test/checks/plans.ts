import type { ClientBase } from 'pg';

import type { TestHospital } from '../helpers/hospital.ts';
import { storeHistory } from '../performance/history.ts';

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  Plans?: Node[];
}

/** Tables that grow with appointments. */
const big = new Set([
  'appointment',
  'appointment_seat',
  'audit_entry',
  'consultation',
  'doctor_day',
  'no_show_log',
  'notification',
  'notification_delivery',
  'patient',
  'patient_block',
  'slot',
  'waitlist_entry',
  'waitlist_offer',
]);

/**
 * How a check restricted by `condition` reaches big tables other than by an index with at least so many
 * conditions.
 */
export async function waysWithoutIndex(
  db: ClientBase,
  check: string,
  condition: string,
  values: readonly unknown[],
  leastConditions: number,
): Promise<string[]> {
  const { rows } = await db.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
    `explain (format json) select * from checks.${check} where ${condition}`,
    [...values],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (plan === undefined) throw new Error('There is no plan.');
  return nodesOf(plan)
    .filter((node) => big.has(node['Relation Name'] ?? ''))
    .map((node) => ({ node, conditions: conditionsOf(node) }))
    .filter(({ conditions }) => conditions < leastConditions)
    .map(({ node }) => `${node['Node Type']} of ${node['Relation Name']}`);
}

// A bitmap's conditions stand in the scans of indexes below it.
function conditionsOf(node: Node): number {
  const own = node['Index Cond'];
  if (own !== undefined) return own.split(' AND ').length;
  if (node['Node Type'] !== 'Bitmap Heap Scan') return 0;
  return Math.min(
    ...nodesOf(node)
      .filter(({ 'Node Type': type }) => type === 'Bitmap Index Scan')
      .map((scan) => (scan['Index Cond'] ?? '').split(' AND ').length),
  );
}

function nodesOf(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** Stores months of a hospital, with all that hangs on its visits, so that plans are those of a busy one. */
export async function storeMonths(db: ClientBase, hospital: TestHospital): Promise<void> {
  await storeHistory(db, hospital, { doctors: 20, past: 60, ahead: 20 });
  await db.query('begin');
  await db.query('set local session_replication_role = replica');
  for (const statement of hanging) await db.query(statement, [hospital.id]);
  await db.query('commit');
  await db.query('analyze');
}

const visits = 'from app_public.appointment as visit where visit.hospital_id = $1';
const hanging = [
  `with seated as (
     update app_public.slot set booked_count = 1
      where hospital_id = $1 and starts_at > now() and schedule_id is not null returning *)
   insert into app_public.appointment
     (hospital_id, slot_id, doctor_id, patient_id, location_id, during, status, source, created_at, updated_at)
   select seated.hospital_id, seated.id, seated.doctor_id, patient.id, seated.location_id, seated.during, 'scheduled',
     'staff', now(), now()
     from (select *, row_number() over (order by starts_at) as number from seated) as seated
     join (select id, row_number() over () as number from app_public.patient where hospital_id = $1) as patient
       on patient.number = seated.number % 10000 + 1`,
  `insert into app_public.doctor_day (hospital_id, doctor_id, day, max_patients)
   select distinct hospital_id, doctor_id, starts_at::date, 500 ${visits}`,
  `insert into app_public.appointment_seat (hospital_id, appointment_id, slot_id, doctor_id, location_id)
   select hospital_id, id, slot_id, doctor_id, location_id ${visits}`,
  `insert into app_public.no_show_log
     (hospital_id, appointment_id, patient_id, doctor_id, reason, slot_starts_at, timeout_minutes, status_before, is_slot_released, is_patient_notified, has_blocked_patient, marked_at)
   select hospital_id, id, patient_id, doctor_id, 'auto_timeout', starts_at, 30, 'scheduled', false, true, false, starts_at ${visits}`,
  `insert into app_public.consultation (hospital_id, appointment_id, patient_id, doctor_id, status, started_at, updated_at)
   select hospital_id, id, patient_id, doctor_id, 'started', starts_at, starts_at ${visits}`,
  `insert into app_public.patient_block (hospital_id, patient_id, reason, is_automatic, blocked_at)
   select hospital_id, id, 'x', false, created_at from app_public.patient where hospital_id = $1`,
  `insert into app_public.waitlist_entry (hospital_id, id, patient_id, doctor_id, first_day, last_day, status, created_at)
   select hospital_id, id, patient_id, doctor_id, starts_at::date, starts_at::date, 'waiting', starts_at ${visits}
      and visit.starts_at < now() - interval '30 days' on conflict do nothing`,
  `insert into app_public.waitlist_offer (hospital_id, entry_id, patient_id, doctor_id, slot_id, appointment_id, outcome, offered_at, decided_at)
   select hospital_id, id, patient_id, doctor_id, slot_id, id, 'lapsed', starts_at, starts_at ${visits}`,
  `insert into app_public.notification_delivery (hospital_id, notification_id, patient_id, channel, status, attempts, outcome, planned_at, ended_at)
   select hospital_id, id, patient_id, 'in_app', 'sent', 0, 'in_inbox', created_at, created_at
     from app_public.notification where hospital_id = $1 and patient_id is not null`,
];
