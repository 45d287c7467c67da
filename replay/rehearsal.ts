import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** The clock of the database in our hands, and the worker's queue. */
export interface Rehearsal {
  /** Sets the clock of the database to this instant (ms since 1970). */
  setClock(instant: number): Promise<void>;
  /** Has the worker do these jobs now, with all that follows from them; throws when it does not. */
  runJobs(tasks: readonly string[]): Promise<void>;
  /** Sets the clock back to where it stood, and lets go. */
  close(): Promise<void>;
}

const patienceMs = 60_000;
const lookEveryMs = 25;

/** Takes the clock of a database into its hands, as its owner. */
export async function openRehearsal(databaseUrl: string): Promise<Rehearsal> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'slotkeeper:replay',
  });
  await client.connect();
  const { rows } = await client.query<{ shift: string }>(
    'select shift::text from app_private.clock_shift',
  );
  const before = rows[0]?.shift;
  return {
    async setClock(instant) {
      await client.query(
        `insert into app_private.clock_shift (shift) values ($1::timestamptz - now())
         on conflict (is_single) do update set shift = excluded.shift`,
        [new Date(instant)],
      );
    },
    async runJobs(tasks) {
      const { rows: added } = await client.query<{ key: string }>(
        `select (graphile_worker.add_job(
           identifier => task, job_key => 'rehearsal:' || task, priority => -1,
           payload => json_build_object('_cron', json_build_object(
             'ts', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))))).key
         from unnest($1::text[]) as task`,
        [tasks],
      );
      const keys = added.map(({ key }) => key);
      await untilDone(client, keys);
    },
    async close() {
      await (before === undefined
        ? client.query('delete from app_private.clock_shift')
        : client.query('update app_private.clock_shift set shift = $1', [before]));
      await client.end();
    },
  };
}

/** Until the jobs are gone from the queue, and those of hospitals that they added. */
async function untilDone(client: pg.Client, keys: readonly string[]): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<{ waiting: number; failure: string | null }>(
      `select count(*)::int as waiting, max(last_error) as failure
       from graphile_worker.jobs
       where key = any ($1) or task_identifier in ('mark_no_shows', 'raise_stage_alerts')`,
      [keys],
    );
    if (rows[0]?.failure) throw new Error(`A job of the worker failed: ${rows[0].failure}`);
    if (rows[0]?.waiting === 0) return;
    if (Date.now() > deadline)
      throw new Error(`The worker has not done its jobs for ${patienceMs / 1000} s. Does it run?`);
    await delay(lookEveryMs);
  }
}
