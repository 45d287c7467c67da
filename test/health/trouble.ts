import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../worker/jobs.ts';

/** What a check of the tests' own says. */
export interface Trouble {
  check: string;
  severity?: 'info' | 'warning' | 'critical';
  remedy?: 'review' | 'operator';
  entityType?: string;
  title?: string;
}

/** Declares a check whose rows the tests write: a table, and the view that returns it. */
export async function declareTrouble(
  db: Queryable,
  {
    check,
    severity = 'critical',
    remedy = 'review',
    entityType = 'slot',
    title = 'Trouble of a test',
  }: Trouble,
): Promise<void> {
  await db.query(`
    create table app_private.${check} (hospital_id uuid, id uuid, detail text, primary key (hospital_id, id));
    create view checks.${check} as
    select row.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, row.id as entity_id,
      row.detail, '{}'::jsonb as metadata, concat_ws(':', entry.name, row.id) as cache_key
    from app_private.${check} as row
    join app_public.health_check as entry on entry.name = '${check}';
    alter view checks.${check} owner to app_owner;
    alter table app_private.${check} owner to app_owner;
    select app_private.declare_check(
      name => '${check}', domain => 'slots', severity => '${severity}', entity_type => '${entityType}',
      title => '${title}', meaning => 'A test breaks something.', importance => 'It is tested.',
      resolution => 'End the test.', remedy => '${remedy}', is_event_driven => false)`);
}

/** Breaks something; returns what. */
export async function breakOne(
  db: Queryable,
  check: string,
  hospitalId: string,
  {
    id = randomUUID(),
    detail = 'The slot counts 3 seats, but 2 are held.',
  }: { id?: string; detail?: string } = {},
): Promise<string> {
  await db.query(`insert into app_private.${check} values ($1, $2, $3)`, [hospitalId, id, detail]);
  return id;
}

/** Puts what was broken in order again. */
export async function mend(db: Queryable, check: string, id: string): Promise<void> {
  await db.query(`delete from app_private.${check} where id = $1`, [id]);
}

/** Runs the check, as a job would: in one hospital, or everywhere. */
export async function look(db: Queryable, check: string, hospitalId: string | null): Promise<void> {
  await db.query("select app_private.run_checks($1, $2, 'manual')", [hospitalId, [check]]);
}

/** The rows of a table of a hospital, oldest first. */
export async function rowsIn<T extends Record<string, unknown> = Record<string, unknown>>(
  db: Queryable,
  table: string,
  hospitalId: string,
): Promise<T[]> {
  const { rows } = await db.query<T>(`select * from ${table} where hospital_id = $1 order by id`, [
    hospitalId,
  ]);
  return rows;
}
