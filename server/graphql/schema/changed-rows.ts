import { listOfCodec, type PgResource, type PgSelectStep, TYPES } from 'postgraphile/@dataplan/pg';
import { access, context, type Step } from 'postgraphile/grafast';
import { sql } from 'postgraphile/pg-sql2';

/**
 * The rows that an event names by their ids, read again under the subscriber's own rights and within the
 * hospital of the claims: an event carries ids only.
 */
export function changedRows<Resource extends PgResource>(
  resource: Resource,
  $event: Step,
  ids: string,
): PgSelectStep<Resource> {
  const $rows = resource.find() as PgSelectStep<Resource>;
  const $hospital = context().get('hospitalId');
  const hospital = $rows.placeholder($hospital, TYPES.uuid);
  $rows.where(sql`${$rows.alias}.hospital_id = ${hospital}`);
  const named = $rows.placeholder(access<string[]>($event, ids), listOfCodec(TYPES.uuid));
  $rows.where(sql`${$rows.alias}.id = any (${named})`);
  return $rows;
}
