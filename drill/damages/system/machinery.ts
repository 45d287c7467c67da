import type { ClientBase } from 'pg';
import type { Named } from '../../damage.ts';

/** What a check of the whole system names: no row. */
export const theSystem: readonly Named[] = [{ entityType: 'system', entityId: null }];

/** What a check of jobs names. */
export const aJob: readonly Named[] = [{ entityType: 'job', entityId: null }];

/** Lets a worker live, which came an hour ago. */
export async function letWorkerLive(db: ClientBase): Promise<void> {
  await db.query(
    `insert into app_private.worker_heartbeat (worker_id, started_at, beaten_at)
     values ('drill', now() - interval '1 hour', now())
     on conflict on constraint worker_heartbeat_pkey
     do update set started_at = excluded.started_at, beaten_at = excluded.beaten_at`,
  );
  // The jobs by the clock have just run, as they do where a worker lives.
  await db.query(
    `insert into app_private.job_state (
       hospital_id, job, consecutive_failures, last_started_at, last_finished_at, last_outcome, last_success_at)
     select app_private.machinery(), job.name, 0, now(), now(), 'succeeded', now()
     from app_public.job where job.expected_interval is not null
     on conflict on constraint job_state_pkey do nothing`,
  );
}

/** A sign of life of a server or worker, this long ago. */
export async function beat(
  db: ClientBase,
  kind: 'server' | 'worker',
  {
    ago = '0',
    driftMs = 0,
    environment = 'test',
    uncertaintyMs = 1,
  }: { ago?: string; driftMs?: number; environment?: string; uncertaintyMs?: number } = {},
): Promise<void> {
  await db.query(
    `insert into app_private.process_heartbeat (
       process_id, kind, environment, started_at, beaten_at, drift_ms, uncertainty_ms)
     values ($1, $2, $3, now() - interval '1 day', now() - $4::interval, $5, $6)`,
    [`${kind}-drill`, kind, environment, ago, driftMs, uncertaintyMs],
  );
}
