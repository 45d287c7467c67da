import { isConnectionLoss } from '../connection.ts';
import type { Task } from './task.ts';

/**
 * Looks again at what is known to be wrong in a hospital, and repairs it where that is safe: each finding
 * in a transaction of its own, so that one that cannot be repaired keeps no other from it. Counts what it
 * has repaired.
 */
export const reconcileHealth: Task<'reconcile_health'> = async ({ hospital_id }, { db, log }) => {
  await db.query('select app_private.recheck_findings(hospital_id => $1::uuid)', [hospital_id]);
  const { rows: due } = await db.query<{ id: string }>(
    'select id from app_private.findings_to_repair(hospital_id => $1::uuid) as finding (id)',
    [hospital_id],
  );
  let items = 0;
  for (const { id } of due) {
    try {
      const { rows } = await db.query<Repaired>(
        `select finding.check_name, finding.entity_type, finding.entity_id, finding.detail,
                finding.is_auto_corrected, finding.repair_error
           from app_private.repair_finding(hospital_id => $1::uuid, finding_id => $2::uuid) as finding`,
        [hospital_id, id],
      );
      const { is_auto_corrected = false, ...finding } = rows[0] ?? {};
      if (is_auto_corrected) items += 1;
      log.info(
        { hospital_id, finding_id: id, ...finding },
        is_auto_corrected ? 'a problem is repaired' : 'a problem could not be repaired',
      );
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      log.warn({ err: error, hospital_id, finding_id: id }, 'a repair failed');
    }
  }
  return { items };
};

type Repaired = {
  check_name: string;
  entity_type: string;
  entity_id: string | null;
  detail: string;
  is_auto_corrected: boolean;
  repair_error: string | null;
};
