import type { Task } from './task.ts';

/** Brings the slots of a doctor, or of a whole hospital, up to the booking horizon. */
export const generateSlots: Task<'generate_slots'> = async (
  { hospital_id, doctor_id },
  { db, log },
) => {
  const { rows } = await db.query<{ count: number }>(
    `select app_private.extend_slot_horizon(
       hospital_id => $1::uuid, doctor_id => $2::uuid) as count`,
    [hospital_id, doctor_id],
  );
  log.info({ hospital_id, doctor_id, slots: rows[0]?.count }, 'slots reach the horizon');
};
