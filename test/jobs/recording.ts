import type { ClientBase } from 'pg';
import { aside } from '../helpers/actors.ts';

/** The hospital under which the machinery's runs stand. */
export const machinery = '00000000-0000-0000-0000-000000000000';

/** How a job does, as far as tests look at it. */
export type Health = {
  job: string;
  is_healthy: boolean;
  message: string;
  is_within_working_hours: boolean;
  is_running: boolean;
  last_outcome: string | null;
  consecutive_failures: number;
  last_success_ms: number | null;
  last_success_items: number | null;
  runs_of_day: number;
  failures_of_day: number;
  success_rate_of_day: string | null;
  runs_of_week: number;
  success_rate_of_week: string | null;
  next_expected_at: Date | null;
  is_overdue: boolean;
  /** Outcomes of the recent runs, newest first. */
  recent: string[];
};

/** Notes that a worker lives, or that it beat so long ago. */
export async function letWorkerLive(db: ClientBase, ago = '0 seconds'): Promise<void> {
  await aside(db, () =>
    db.query(
      `insert into app_private.worker_heartbeat values ('w', now() - $1::interval - interval '1 day', now() - $1::interval)
       on conflict (worker_id) do update set beaten_at = excluded.beaten_at`,
      [ago],
    ),
  );
}

/** Begins a run, some time ago, and returns its id. */
export async function begin(
  db: ClientBase,
  hospitalId: string,
  job: string,
  ago = '0 seconds',
): Promise<string> {
  return aside(db, async () => {
    const { rows } = await db.query<{ id: string }>(
      `select (app_private.begin_job_run($1, $2, 'cron', 'w')).id`,
      [hospitalId, job],
    );
    await db.query('select pg_advisory_unlock_all()');
    const id = rows[0]?.id ?? '';
    await db.query(
      `update app_public.job_run
          set started_at = now() - $2::interval, heartbeat_at = now() - $2::interval
        where id = $1`,
      [id, ago],
    );
    return id;
  });
}

/** Ends a run well, or not. */
export async function end(
  db: ClientBase,
  hospitalId: string,
  id: string,
  isSuccess: boolean,
): Promise<void> {
  await aside(db, () =>
    db.query(
      `select app_private.end_job_run(
         hospital_id => $1, run_id => $2, is_success => $3, items => 7, duration_ms => 120,
         error_code => $4, error => $5)`,
      [hospitalId, id, isSuccess, isSuccess ? null : '23505', isSuccess ? null : 'It broke.'],
    ),
  );
}

/** Runs a job to its end; returns the id of the run. */
export async function run(
  db: ClientBase,
  hospitalId: string,
  job: string,
  isSuccess = true,
): Promise<string> {
  const id = await begin(db, hospitalId, job);
  await end(db, hospitalId, id, isSuccess);
  return id;
}

/** What cron_health says of a job; who asks must be an admin. */
export async function healthOf(db: ClientBase, job: string): Promise<Health> {
  const { rows } = await db.query<Health>(
    `select health.*, array(select run.outcome::text from unnest(health.recent_runs) as run) as recent
       from app_public.cron_health() as health where health.job = $1`,
    [job],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`nothing is known of ${job}`);
  return row;
}
