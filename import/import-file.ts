import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import pg from 'pg';
import type { ImportArguments } from './arguments.ts';
import type { ImportKind } from './columns.ts';
import type { Progress } from './progress.ts';
import { type FileRow, ImportFileError, readRows } from './read-rows.ts';
import type { ImportReport } from './report.ts';

export interface ImportOptions extends ImportArguments {
  /** Of the role that owns the database. */
  databaseUrl: string;
  progress: Progress;
  /** Ends the import, wherever it is; nothing of it stays. */
  signal: AbortSignal;
  /** How long it waits for somebody else, as Postgres writes it; 10 seconds unless told. */
  lockTimeout?: string;
}

/** Thrown by an import that was told to stop. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  override readonly message = 'Interrupted. Nothing was imported.';
}

const rowsAtOnce = 1_000;

const tableOf: Readonly<Record<ImportKind, string>> = {
  doctors: 'doctor',
  patients: 'patient',
  schedules: 'schedule',
  appointments: 'appointment',
};

/**
 * Imports a file in one transaction: takes its rows, judges them all, stores them if none is at fault.
 * Whatever ends it before its commit (a fault, an error, the signal, the death of this process) leaves
 * nothing.
 */
export async function importFile(options: ImportOptions): Promise<ImportReport> {
  const { databaseUrl, kind, signal } = options;
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'slotkeeper:import',
  });
  client.on('error', () => {});
  await client.connect();
  const interrupt = await interruptible(client, databaseUrl);
  signal.addEventListener('abort', interrupt);
  try {
    // A server that notices when this process dies stops what it is doing for it; not all can.
    await client.query("set client_connection_check_interval = '1s'").catch(() => {});
    await client.query(
      `begin; set local role app_owner; set local statement_timeout = 0;
       set local idle_in_transaction_session_timeout = 0`,
    );
    await client.query("select set_config('lock_timeout', $1, true)", [
      options.lockTimeout ?? '10s',
    ]);
    const report = await work(client, options);
    signal.throwIfAborted();
    signal.removeEventListener('abort', interrupt);
    await client.query(report.run_id === null ? 'rollback' : 'commit');
    if (report.run_id !== null && report.row_count >= rowsAtOnce) await analyze(client, kind);
    return report;
  } catch (error) {
    throw signal.aborted ? new InterruptedError() : explained(error);
  } finally {
    signal.removeEventListener('abort', interrupt);
    options.progress.end();
    await client.end();
  }
}

async function work(client: pg.Client, options: ImportOptions): Promise<ImportReport> {
  const { file, kind, isDryRun, maxFaults, progress, signal } = options;
  const hospitalId = await findHospital(client, options.hospital);
  const { id: runId } = await one<{ id: string }>(
    client,
    'select app_private.start_import($1) as id',
    [hospitalId],
  );
  const { count, lastRow } = await stage(client, options, hospitalId, runId);
  progress.begin('Checking', count, 'rows');
  await client.query('analyze app_private.import_row');
  await client.query('select app_private.judge_import($1, $2, $3, $4)', [
    hospitalId,
    runId,
    kind,
    basename(file).slice(0, 255),
  ]);
  progress.begin(isDryRun ? 'Trying' : 'Storing', lastRow - 1, 'rows');
  for (let first = 2; first <= lastRow; first += rowsAtOnce) {
    signal.throwIfAborted();
    const last = Math.min(first + rowsAtOnce - 1, lastRow);
    await client.query('select app_private.store_rows($1, $2, $3, $4, $5)', [
      hospitalId,
      runId,
      kind,
      first,
      last,
    ]);
    progress.advance(last - first + 1);
    // Planned for as few rows as there were before, booking would become slower row by row.
    if (kind === 'appointments' && isPowerOfFour((last - 1) / rowsAtOnce)) {
      await client.query(
        'analyze (skip_locked) app_public.appointment, app_public.doctor_day, app_public.imported_row',
      );
    }
  }
  const { report } = await one<{ report: ImportReport }>(
    client,
    'select to_jsonb(app_private.report_import($1, $2, $3, $4, $5)) as report',
    [hospitalId, runId, kind, isDryRun, maxFaults],
  );
  await client.query('select app_private.clear_rows($1, $2)', [hospitalId, runId]);
  return report;
}

function isPowerOfFour(count: number): boolean {
  return Number.isInteger(Math.log2(count) / 2);
}

async function findHospital(client: pg.Client, slug: string): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    'select id from app_public.hospital where slug = $1',
    [slug],
  );
  const [hospital] = rows;
  if (!hospital) throw new ImportFileError(`There is no hospital ${JSON.stringify(slug)}.`);
  return hospital.id;
}

/** Takes the file into the staging table, a thousand rows at a time. */
async function stage(
  client: pg.Client,
  { file, kind, progress, signal }: ImportOptions,
  hospitalId: string,
  runId: string,
): Promise<{ count: number; lastRow: number }> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  progress.begin('Reading', size, 'bytes');
  let count = 0;
  let lastRow = 1;
  let batch: FileRow[] = [];
  const flush = async () => {
    signal.throwIfAborted();
    await client.query('select app_private.stage_rows($1, $2, $3, $4)', [
      hospitalId,
      runId,
      batch.map(({ row }) => row),
      JSON.stringify(batch.map(({ cells }) => cells)),
    ]);
    count += batch.length;
    batch = [];
  };
  for await (const next of readRows(file, kind, progress.advance)) {
    batch.push(next);
    lastRow = next.row;
    if (batch.length === rowsAtOnce) await flush();
  }
  if (batch.length > 0) await flush();
  if (count === 0) throw new ImportFileError('The file has a header and no row.');
  return { count, lastRow };
}

/** What the planner knows of the table is out of date by now. */
async function analyze(client: pg.Client, kind: ImportKind): Promise<void> {
  await client.query(
    `begin; set local role app_owner; analyze app_public.${tableOf[kind]}; commit`,
  );
}

/** A function that stops what the connection is doing, by another connection. */
async function interruptible(client: pg.Client, databaseUrl: string): Promise<() => void> {
  const { pid } = await one<{ pid: number }>(client, 'select pg_backend_pid() as pid');
  return () => {
    const other = new pg.Client({ connectionString: databaseUrl });
    other.on('error', () => {});
    other
      .connect()
      .then(() => other.query('select pg_cancel_backend($1)', [pid]))
      .catch(() => {})
      .finally(() => other.end());
  };
}

async function one<T extends object>(
  client: pg.Client,
  statement: string,
  values: readonly unknown[] = [],
): Promise<T> {
  const { rows } = await client.query<T>(statement, [...values]);
  const [row] = rows;
  if (!row) throw new Error('the statement returned no row');
  return row;
}

// Of an error of the database only what tells nothing about the data.
function explained(error: unknown): Error {
  if (!(error instanceof pg.DatabaseError)) {
    if (!(error instanceof Error) || error instanceof ImportFileError) return error as Error;
    return new Error(`${error.message}. Nothing was imported.`, { cause: error });
  }
  const { code = '', message, hint, constraint } = error;
  const cause = { cause: error };
  if (code.startsWith('SK')) return new Error(`${message} ${hint ?? ''}`.trim(), cause);
  if (code === '55P03' || code === '40P01')
    return new Error(
      'Other work holds what this import needs. Nothing was imported; try again, or at a quieter hour.',
      cause,
    );
  if (code === '42501')
    return new Error(
      `The login of the database may not import: ${message}. Nothing was imported.`,
      cause,
    );
  return new Error(
    `The database refused (${[code, constraint].filter(Boolean).join(', ')}). Nothing was imported.`,
    cause,
  );
}
