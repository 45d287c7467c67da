import type { ClientBase, Pool } from 'pg';
import { expect } from 'vitest';
import { asOwner, rolledBack } from '../helpers/actors.ts';
import { type HospitalOptions, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { rowsOf } from './findings.ts';

/** What a repair came to: what the log says of it, and what became of the finding. */
export interface Repaired {
  message: string;
  isGone: boolean;
  isForPeople: boolean;
}

/** A story in a hospital of its own, rolled back; the hospital is well when it begins. */
export function story(
  pool: Pool,
  tell: (db: ClientBase, hospital: OpenHospital) => Promise<void>,
  options: HospitalOptions = {},
): Promise<void> {
  return rolledBack(pool, async (db) => {
    const hospital = await openHospital(db, { horizonDays: 3, ...options });
    await tell(db, hospital);
  });
}

/** Ids of the entities that a check names, in order. */
export async function named(db: ClientBase, check: string): Promise<string[]> {
  await asOwner(db);
  return (await rowsOf(db, check)).map(({ entity_id }) => entity_id ?? '').toSorted();
}

/** Fails unless a check names these entities, each once for each of its problems. */
export async function expectNamed(
  db: ClientBase,
  check: string,
  ...ids: readonly string[]
): Promise<void> {
  expect(await named(db, check)).toEqual(ids.toSorted());
}

/** Lets the engine find and repair everything of a check, once. */
export async function repairAll(db: ClientBase, check: string): Promise<Repaired[]> {
  await asOwner(db);
  await db.query("select app_private.run_checks(null, array[$1], 'manual')", [check]);
  const { rows } = await db.query<{ hospital_id: string; id: string }>(
    `select hospital_id, id from app_public.finding
      where check_name = $1 and resolved_at is null order by cache_key`,
    [check],
  );
  const repaired: Repaired[] = [];
  for (const { hospital_id, id } of rows) repaired.push(await repairOne(db, hospital_id, id));
  return repaired;
}

/** Calls the repair of a check itself, past the engine, for what it has found before. */
export async function repairAgain(db: ClientBase, check: string): Promise<string[]> {
  await asOwner(db);
  const { rows: entries } = await db.query<{ repair: string }>(
    'select repair from app_public.health_check where name = $1',
    [check],
  );
  await db.query("select set_config('slotkeeper.repair', $1, true)", [check]);
  const { rows } = await db.query<{ did: string }>(
    `select app_private.${entries[0]?.repair}(finding) as did
       from app_public.finding where check_name = $1 order by cache_key`,
    [check],
  );
  await db.query("select set_config('slotkeeper.repair', '', true)");
  return rows.map(({ did }) => did);
}

async function repairOne(db: ClientBase, hospitalId: string, id: string): Promise<Repaired> {
  await db.query('select app_private.repair_finding($1, $2)', [hospitalId, id]);
  const { rows } = await db.query<Repaired>(
    `select entry.message, finding.resolved_at is not null as "isGone",
       exists (select from app_public.review_item as item
                where item.hospital_id = $1 and item.finding_id = $2::uuid and item.status = 'pending') as "isForPeople"
       from app_public.finding
       join app_public.log_entry as entry
         on entry.hospital_id = $1 and entry.kind = 'repair' and (entry.details ->> 'finding_id')::uuid = $2
      where finding.hospital_id = $1 and finding.id = $2
      order by entry.id desc limit 1`,
    [hospitalId, id],
  );
  const [repaired] = rows;
  if (repaired === undefined) throw new Error('The log does not know of the repair.');
  return repaired;
}
