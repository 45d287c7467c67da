import { addJobs, type NewJob, offerSeatsJob } from '../jobs.ts';
import type { Task } from './task.ts';

// Behind what just became free.
const priority = 5;

/**
 * Finds what no message told: a doctor who takes appointments again, a patient who may book again, a day
 * with room again, a last day that has passed. Adds a job for each doctor whom somebody waits for, and for
 * each hospital with waits to end. Hospitals where nobody waits cost nothing.
 */
export const sweepWaitlist: Task<'sweep_waitlist'> = async (_payload, { db }) => {
  const { rows: doctors } = await db.query<{ hospital_id: string; doctor_id: string }>(
    `select waited_for.hospital_id, waited_for.doctor_id
       from app_private.doctors_waited_for(
         hospital_ids => array(
           select distinct waitlist_entry.hospital_id
             from app_public.waitlist_entry
            where waitlist_entry.status = 'waiting'),
         doctor_ids => '{}') as waited_for`,
  );
  const { rows: hospitals } = await db.query<{ hospital_id: string }>(
    `select distinct waitlist_entry.hospital_id
       from app_public.waitlist_entry
       join app_public.hospital on hospital.id = waitlist_entry.hospital_id
      where waitlist_entry.status = 'waiting'
        and waitlist_entry.last_day
          < ((select app_private.clock()) at time zone hospital.time_zone)::date`,
  );
  await addJobs(db, [
    ...doctors.map(
      (doctor): NewJob => ({ ...offerSeatsJob(doctor.hospital_id, doctor.doctor_id), priority }),
    ),
    ...hospitals.map(
      ({ hospital_id }): NewJob => ({
        task: 'expire_waits',
        payload: { hospital_id },
        key: `expire_waits:${hospital_id}`,
        priority,
      }),
    ),
  ]);
  return { items: doctors.length + hospitals.length };
};
