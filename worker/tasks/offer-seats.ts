import type { Task } from './task.ts';

/**
 * Offers the free seats of a doctor to those who wait. Lapsed holds go first, so that their seats count, and
 * days that somebody waits for and that are not stored yet are generated.
 * Each round is a transaction of bounded size; the first one that offers nothing is the last.
 */
export const offerSeats: Task<'offer_seats'> = async ({ hospital_id, doctor_id }, { db, log }) => {
  await db.query('select app_private.expire_lapsed_holds(hospital_id => $1::uuid)', [hospital_id]);
  await db.query(
    'select app_private.materialise_waited_days(hospital_id => $1::uuid, doctor_id => $2::uuid)',
    [hospital_id, doctor_id],
  );
  let seats = 0;
  for (let offered = 1; offered > 0; seats += offered) {
    const { rows } = await db.query<{ count: number }>(
      `select app_private.offer_free_seats(
         hospital_id => $1::uuid, doctor_id => $2::uuid) as count`,
      [hospital_id, doctor_id],
    );
    offered = rows[0]?.count ?? 0;
  }
  if (seats > 0) log.info({ hospital_id, doctor_id, seats }, 'seats are offered to those who wait');
  return { items: seats };
};
