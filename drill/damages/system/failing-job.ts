import type { Damage } from '../../damage.ts';
import { aJob } from './machinery.ts';

const failed = `
  insert into app_private.job_state (
    hospital_id, job, consecutive_failures, last_started_at, last_finished_at, last_outcome, last_error)
  values ($1, 'send_reminders', $2, now(), now(), 'failed', 'The database refused it.')
  on conflict on constraint job_state_pkey
  do update set consecutive_failures = excluded.consecutive_failures, last_outcome = 'failed'`;

export const failingJob: Damage = {
  check: 'failing_job',
  story: 'Something in the data of one hospital makes its reminders fail, again and again.',
  ends: 'told',
  async inflict(db, { hospitalId }) {
    await db.query(failed, [hospitalId, 3]);
    return aJob;
  },
  async nearMiss(db, { hospitalId }) {
    await db.query(failed, [hospitalId, 2]);
  },
};

export const stuckRun: Damage = {
  check: 'failing_job',
  story: 'A run hangs at something outside, and gives no sign of life.',
  ends: 'told',
  async inflict(db, { hospitalId }) {
    await db.query(
      `insert into app_public.job_run (
         hospital_id, job, started_by, outcome, created_at, started_at, heartbeat_at)
       values ($1, 'send_deliveries', 'event', 'running', now() - interval '1 hour',
         now() - interval '1 hour', now() - interval '50 minutes')`,
      [hospitalId],
    );
    return aJob;
  },
  async nearMiss(db, { hospitalId }) {
    await db.query(
      `insert into app_public.job_run (
         hospital_id, job, started_by, outcome, created_at, started_at, heartbeat_at)
       values ($1, 'send_deliveries', 'event', 'running', now() - interval '1 hour',
         now() - interval '1 hour', now() - interval '1 minute')`,
      [hospitalId],
    );
  },
};
