import type { Task } from './task.ts';

/** Makes the report of the day that ended last in a hospital, and those of its last week that are missing. */
export const makeHealthReport: Task<'make_health_report'> = async ({ hospital_id }, { db }) => {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.make_health_reports(hospital_id => $1::uuid) as count',
    [hospital_id],
  );
  return { items: rows[0]?.count ?? 0 };
};
