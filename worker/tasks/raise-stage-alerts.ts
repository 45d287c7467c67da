import type { Task } from './task.ts';

/** Raises the alerts of a hospital that are due, and ends those of days that have passed. */
export const raiseStageAlerts: Task<'raise_stage_alerts'> = async (
  { hospital_id },
  { db, log },
) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.raise_stage_alerts(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  log.info({ hospital_id, alerts: rows[0]?.count }, 'alerts were raised for patients who wait');
  return { items: rows[0]?.count ?? 0 };
};
