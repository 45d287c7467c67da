import { Logger, runMigrations } from 'graphile-worker';
import pg from 'pg';

/**
 * Brings the tables of the job queue up to date, as the role that owns its schema. The queue would
 * create its schema first, for which Postgres asks a right on the whole database even when the
 * schema exists; it skips that where it finds its table of migrations. So the table comes from here.
 */
export async function migrateWorkerSchema(workerUrl: string): Promise<void> {
  const pool = new pg.Pool({
    connectionString: workerUrl,
    application_name: 'slotkeeper:migrate',
    max: 2,
  });
  pool.on('error', () => {});
  pool.on('connect', (connection) => {
    connection.on('error', () => {});
  });
  try {
    const { rows } = await pool.query<{ schema: boolean; table: boolean }>(
      `select pg_catalog.to_regnamespace('graphile_worker') is not null as schema,
              pg_catalog.to_regclass('graphile_worker.migrations') is not null as table`,
    );
    if (!rows[0]?.schema) return;
    if (!rows[0].table) await pool.query(migrationsTable);
    await runMigrations({
      pgPool: pool,
      schema: 'graphile_worker',
      logger: new Logger(() => () => {}),
    });
    await pool.query(openToObserver);
  } finally {
    await pool.end();
  }
}

// For queue_state: how many jobs wait. The view has no payloads. Its owner gives the right, and a migration of
// the queue that makes the view anew takes it away.
const openToObserver = `
  do $$
  begin
    if pg_catalog.to_regrole('app_observer') is not null then
      grant usage on schema graphile_worker to app_observer;
      grant select on graphile_worker.jobs to app_observer;
    end if;
  end
  $$`;

const migrationsTable = `
  create table if not exists graphile_worker.migrations (
    id int primary key,
    ts timestamptz default now() not null,
    breaking boolean not null default false
  )`;
