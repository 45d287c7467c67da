import pg from 'pg';

/**
 * What is no data of a hospital but of the system that serves it: of what ran, waits or was found there
 * the copy knows nothing.
 */
const leftOut: readonly string[] = [
  'app_private.outbox',
  'app_private.job_hour',
  'app_private.job_state',
  'app_private.verification_hour',
  'app_public.job_run',
  'app_public.check_result',
  'app_public.check_run',
  'app_public.finding',
  'app_public.health_alert',
  'app_public.log_entry',
  'app_public.review_item',
];

const batchSize = 1_000;

/**
 * Copies a hospital with everything that it has, row by row and with its ids, into another migrated
 * database; returns its id. All is read at one instant and nothing is written there. Here the triggers
 * sleep: what they follow is copied as well, so that a fault of the original is one of the copy.
 */
export async function copyHospital(from: string, to: string, slug: string): Promise<string> {
  const source = new pg.Client({ connectionString: from, application_name: 'drill' });
  const target = new pg.Client({ connectionString: to, application_name: 'drill' });
  await source.connect();
  try {
    await target.connect();
    await source.query('begin isolation level repeatable read read only');
    await target.query("begin; set local session_replication_role = 'replica'");
    const { rows } = await source.query<{ id: string }>(
      'select id from app_public.hospital where slug = $1',
      [slug],
    );
    const id = rows[0]?.id;
    if (id === undefined) throw new Error(`There is no hospital "${slug}".`);
    for (const table of await tablesOf(target)) await copyTable(source, target, table, id);
    await target.query('commit');
    await target.query('vacuum analyze');
    return id;
  } finally {
    await Promise.all([source.end(), target.end()]);
  }
}

interface Table {
  name: string;
  columns: string[];
  /** The column that says which hospital a row is of. */
  key: string;
  /** Column and sequence of a number that the table gives. */
  identity: string | null;
  sequence: string | null;
}

async function tablesOf(target: pg.Client): Promise<Table[]> {
  const { rows } = await target.query<Table>(
    `select format('%I.%I', nspname, relname) as name,
            array_agg(quote_ident(attname) order by attnum) filter (where attgenerated = '')::text[] as columns,
            case when relname = 'hospital' then 'id' else 'hospital_id' end as key,
            min(attname) filter (where attidentity <> '') as identity,
            min(pg_get_serial_sequence(format('%I.%I', nspname, relname), attname))
              filter (where attidentity <> '') as sequence
       from pg_catalog.pg_class
       join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
       join pg_catalog.pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
      where nspname in ('app_public', 'app_private') and relkind in ('r', 'p') and not relispartition
        and format('%I.%I', nspname, relname) <> all ($1)
      group by nspname, relname
     having bool_or(attname = 'hospital_id') or format('%I.%I', nspname, relname) = 'app_public.hospital'
      order by 1`,
    [leftOut],
  );
  return rows;
}

async function copyTable(source: pg.Client, target: pg.Client, table: Table, id: string) {
  const columns = table.columns.join(', ');
  await source.query(
    `declare rows_of_hospital no scroll cursor for
     select row_to_json(row)::text as row
       from (select ${columns} from ${table.name} where ${table.key} = '${id}') as row`,
  );
  for (;;) {
    const { rows } = await source.query<{ row: string }>(
      `fetch ${batchSize} from rows_of_hospital`,
    );
    if (rows.length === 0) break;
    await target.query(
      `insert into ${table.name} (${columns}) overriding system value
       select ${columns} from json_populate_recordset(null::${table.name}, $1::json)
       on conflict do nothing`,
      [`[${rows.map(({ row }) => row).join(',')}]`],
    );
  }
  await source.query('close rows_of_hospital');
  if (table.sequence === null) return;
  await target.query(
    `select setval($1, coalesce(max(${table.identity}), 0) + 1, false) from ${table.name}`,
    [table.sequence],
  );
}
