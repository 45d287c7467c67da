import type { ClientBase } from 'pg';
import { columnsOf, type ImportKind } from '../../import/columns.ts';
import type { ImportReport } from '../../import/report.ts';
import { one } from '../helpers/booking.ts';
import type { Queryable } from '../helpers/hospital.ts';

/** A row to import; columns that are left out are empty. */
export type Row = Readonly<Record<string, string | null>>;

/** Calls the mutation of this kind as whoever acts in `db`. */
export async function importRows(
  db: Queryable,
  kind: ImportKind,
  rows: readonly Row[],
  isDryRun = false,
): Promise<ImportReport> {
  const type = `app_public.${kind.slice(0, -1)}_import_row`;
  const { report } = await one<{ report: ImportReport }>(
    db,
    `select to_jsonb(app_public.import_${kind}(
       rows => array(
         select jsonb_populate_record(null::${type}, wish) from jsonb_array_elements($1::jsonb) as wish),
       is_dry_run => $2)) as report`,
    [JSON.stringify(rows), isDryRun],
  );
  return report;
}

/** The faults of a report in short: `row column scenario`. */
export function faultsOf({ faults }: ImportReport): string[] {
  return faults.map(({ row_number, column_name, scenario }) =>
    [row_number ?? '-', column_name ?? '-', scenario].join(' '),
  );
}

/** How many rows every table holds, whoever acts in `db`; run as the owner of the database. */
export async function rowCounts(db: ClientBase): Promise<Record<string, number>> {
  const { rows } = await db.query<{ name: string; query: string }>(
    `select format('%s.%s', nspname, relname) as name,
       format('select count(*)::int as count from %I.%I', nspname, relname) as query
     from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
     where nspname in ('app_public', 'app_private') and relkind = 'r' order by 1`,
  );
  const counts: Record<string, number> = {};
  for (const { name, query } of rows) {
    counts[name] = (await one<{ count: number }>(db, query)).count;
  }
  return counts;
}

/** A local day of the hospital this many days ahead of today, YYYY-MM-DD. */
export async function dayAhead(db: Queryable, hospitalId: string, days: number): Promise<string> {
  const { day } = await one<{ day: string }>(
    db,
    `select ((app_private.clock() at time zone time_zone)::date + $2::int)::text as day
     from app_public.hospital where id = $1`,
    [hospitalId, days],
  );
  return day;
}

/** CSV of these rows, with all columns of the kind. */
export function csvOf(kind: ImportKind, rows: readonly Row[]): string {
  const columns = [...columnsOf[kind].needed, ...columnsOf[kind].optional];
  const cell = (text: string | null | undefined) =>
    /[",\n]/.test(text ?? '') ? `"${text?.replaceAll('"', '""')}"` : (text ?? '');
  return [columns, ...rows.map((row) => columns.map((name) => cell(row[name])))]
    .map((cells) => `${cells.join(',')}\n`)
    .join('');
}
