import type { Damage } from '../../damage.ts';
import { letWorkerLive, theSystem } from './machinery.ts';

const addJob = `
  select graphile_worker.add_job('drill', '{}'::json, run_at => now() + $1::interval, job_key => 'drill')`;

export const queueBacklog: Damage = {
  check: 'queue_backlog',
  story: 'The places of the worker are taken by jobs that hang, and the others wait for minutes.',
  ends: 'told',
  async inflict(db) {
    await letWorkerLive(db);
    await db.query(addJob, ['-10 minutes']);
    return theSystem;
  },
  async nearMiss(db) {
    await letWorkerLive(db);
    await db.query(addJob, ['1 hour']);
    await db.query(addJob.replaceAll("'drill')", "'drill_soon')"), ['-4 minutes']);
  },
};

export const jobGivenUp: Damage = {
  check: 'queue_backlog',
  story: 'A job failed at its last try, too, and will never be done.',
  ends: 'told',
  async inflict(db) {
    await db.query(addJob, ['0']);
    await db.query(
      "update graphile_worker._private_jobs set attempts = max_attempts where key = 'drill'",
    );
    return theSystem;
  },
  async nearMiss(db) {
    await db.query(addJob, ['0']);
    await db.query(
      "update graphile_worker._private_jobs set attempts = max_attempts - 1 where key = 'drill'",
    );
  },
};
