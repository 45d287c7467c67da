import type { ClientBase } from 'pg';
import type { Named } from '../../drill/damage.ts';

/** A row of a check's view. */
export interface CheckRow {
  hospital_id: string;
  check_name: string;
  severity: 'info' | 'warning' | 'critical';
  entity_type: string;
  entity_id: string | null;
  detail: string;
  metadata: Record<string, unknown>;
  cache_key: string;
}

/** What a check says now, of everything or of one hospital. */
export async function rowsOf(
  db: ClientBase,
  check: string,
  hospitalId?: string,
): Promise<CheckRow[]> {
  const { rows } = await db.query<CheckRow>(
    `select * from checks.${check} where $1::uuid is null or hospital_id = $1 order by cache_key`,
    [hospitalId ?? null],
  );
  return rows;
}

/** The entities that rows name, each once, in an order that can be compared. */
export function namedBy(rows: readonly Pick<CheckRow, 'entity_type' | 'entity_id'>[]): Named[] {
  return inOrder(
    rows.map(({ entity_type, entity_id }) => ({ entityType: entity_type, entityId: entity_id })),
  );
}

/** Names in an order that can be compared, each once. */
export function inOrder(names: readonly Named[]): Named[] {
  const each = new Map(names.map((name) => [`${name.entityType}/${name.entityId}`, name]));
  return [...each]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { entityType, entityId }]) => ({ entityType, entityId }));
}
