import type { Task } from './task.ts';

/**
 * Brings the slots of a doctor in line with the schedules, whoever changed them; or, without a doctor,
 * the slots of a whole hospital up to the days that it stores.
 */
export const generateSlots: Task<'generate_slots'> = async (
  { hospital_id, doctor_id },
  { db, log },
) => {
  if (doctor_id === null) {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.extend_slot_horizon(hospital_id => $1::uuid) as count',
      [hospital_id],
    );
    log.info({ hospital_id, doctor_id, slots: rows[0]?.count }, 'slots reach the horizon');
    return { items: rows[0]?.count ?? 0 };
  }
  const { rows } = await db.query<{ slots: number; deleted: number; kept: number }>(
    `select change.generated_slots as slots, change.deleted_slots as deleted, change.kept_slots as kept
       from app_private.follow_schedule(hospital_id => $1::uuid, doctor_id => $2::uuid) as change`,
    [hospital_id, doctor_id],
  );
  log.info({ hospital_id, doctor_id, ...rows[0] }, 'slots follow the schedules');
  return { items: rows[0]?.slots ?? 0 };
};
