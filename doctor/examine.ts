import pg from 'pg';
import type {
  CheckEntry,
  CheckResult,
  Diagnosis,
  FoundRow,
  HospitalCount,
  Severity,
} from './diagnosis.ts';

export type Examination = {
  databaseUrl: string;
  /** Only this check, with its rows. */
  check: string | undefined;
  /** Slug of the only hospital to look at. */
  hospital: string | undefined;
  isRemembered: boolean;
  /** How long one check may take; a minute unless told. */
  timeoutMs?: number;
};

/** A check, or what runs remembered of it, in one form: the rows that a query reads from. */
type Source = { text: string; values: unknown[] };

/**
 * Looks at the database with the rights of app_monitor, in a transaction that can write nothing. Throws
 * when it cannot look at all; a check that fails is part of the result.
 */
export async function examine(wish: Examination): Promise<Diagnosis> {
  const client = new pg.Client({
    connectionString: wish.databaseUrl,
    application_name: 'slotkeeper-doctor',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('begin read only');
    await client.query(
      `select set_config('role', 'app_monitor', true), set_config('search_path', '', true),
         set_config('jit', 'off', true), set_config('work_mem', '64MB', true),
         set_config('statement_timeout', $1, true)`,
      [`${wish.timeoutMs ?? 60_000}ms`],
    );
    const hospitalId = await idOf(client, wish.hospital);
    const entries = await readCatalog(client, wish.check);
    const results: CheckResult[] = [];
    for (const entry of entries) results.push(await look(client, entry, hospitalId, wish));
    return { isRemembered: wish.isRemembered, hospital: wish.hospital, results };
  } finally {
    await client.end();
  }
}

async function idOf(client: pg.Client, slug: string | undefined): Promise<string | null> {
  if (slug === undefined) return null;
  const { rows } = await client.query<{ id: string }>(
    'select id from app_public.hospital where slug = $1',
    [slug],
  );
  if (rows[0] === undefined) throw new Error(`There is no hospital called "${slug}".`);
  return rows[0].id;
}

async function readCatalog(client: pg.Client, name: string | undefined): Promise<CheckEntry[]> {
  const { rows } = await client.query<CheckEntry>(
    `select name, domain, severity, title, meaning, importance, resolution, remedy
     from app_public.health_check order by severity desc, name`,
  );
  if (name === undefined) return rows;
  const wanted = rows.filter((entry) => entry.name === name);
  if (wanted.length === 0) {
    throw new Error(
      `There is no check called "${name}". There are: ${rows.map((entry) => entry.name).join(', ')}.`,
    );
  }
  return wanted;
}

async function look(
  client: pg.Client,
  entry: CheckEntry,
  hospitalId: string | null,
  { check, isRemembered }: Examination,
): Promise<CheckResult> {
  const source = sourceOf(entry, hospitalId, isRemembered);
  const began = performance.now();
  await client.query('savepoint look');
  try {
    const rows = check === undefined ? undefined : await readRows(client, source);
    const counts = rows === undefined ? await readCounts(client, source) : countsOf(rows);
    return { ...entry, counts, rows, durationMs: performance.now() - began, error: null };
  } catch (error) {
    await client.query('rollback to savepoint look');
    const durationMs = performance.now() - began;
    return { ...entry, counts: [], rows: undefined, durationMs, error: messageOf(error) };
  }
}

/** The hospital is compared with a value, so that a check can use its indexes. */
function sourceOf({ name }: CheckEntry, hospitalId: string | null, isRemembered: boolean): Source {
  const values = hospitalId === null ? [] : [hospitalId];
  const restriction = hospitalId === null ? 'true' : 'hospital_id = $1';
  const text = isRemembered
    ? `select hospital_id, severity, entity_type, entity_id, detail, metadata, first_seen_at
       from checks.open_findings where check_name = ${pg.escapeLiteral(name)} and ${restriction}`
    : `select hospital_id, severity, entity_type, entity_id, detail, metadata, null::timestamptz as first_seen_at
       from checks.${pg.escapeIdentifier(name)} where ${restriction}`;
  return { text, values };
}

async function readCounts(client: pg.Client, { text, values }: Source): Promise<HospitalCount[]> {
  const { rows } = await client.query<HospitalCount>(
    `select hospital.slug as hospital, count(*)::integer as count, min(found.detail) as example
     from (${text}) as found
     left join app_public.hospital on hospital.id = found.hospital_id
     group by hospital.slug
     order by count(*) desc, hospital.slug`,
    values,
  );
  return rows;
}

type Row = {
  hospital: string | null;
  severity: Severity;
  entity_type: string;
  entity_id: string | null;
  detail: string;
  metadata: Record<string, unknown>;
  first_seen_at: Date | null;
};

async function readRows(client: pg.Client, { text, values }: Source): Promise<FoundRow[]> {
  const { rows } = await client.query<Row>(
    `select hospital.slug as hospital, found.entity_type, found.entity_id, found.detail, found.metadata,
       found.first_seen_at
     from (${text}) as found
     left join app_public.hospital on hospital.id = found.hospital_id
     order by hospital.slug, found.detail, found.entity_id`,
    values,
  );
  return rows.map((row) => ({
    hospital: row.hospital,
    entityType: row.entity_type,
    entityId: row.entity_id,
    detail: row.detail,
    metadata: row.metadata,
    ...(row.first_seen_at === null ? null : { firstSeenAt: row.first_seen_at }),
  }));
}

function countsOf(rows: readonly FoundRow[]): HospitalCount[] {
  const byHospital = Map.groupBy(rows, ({ hospital }) => hospital);
  return [...byHospital].map(([hospital, found]) => ({
    hospital,
    count: found.length,
    example: found[0]?.detail ?? '',
  }));
}

function messageOf(error: unknown): string {
  if (error instanceof pg.DatabaseError && error.code === '57014') return 'It took too long.';
  return error instanceof Error ? error.message : String(error);
}
