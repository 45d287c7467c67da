import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Damage } from '../drill/damage.ts';
import { createSubject } from '../drill/subject.ts';

type Row = {
  severity: string;
  entity_type: string;
  entity_id: string | null;
  detail: string;
  metadata: Record<string, unknown>;
  cache_key: string;
};

/**
 * The first row that a check returns after the damage was done, as a page shows it: a hospital is made for
 * it, damaged, and rolled back. What differs from one time to the next (ids, dates, moments) is replaced
 * by what stays.
 */
export async function exampleOf(client: ClientBase, damage: Damage): Promise<string> {
  await client.query(
    "begin; set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local application_name = ''",
  );
  try {
    const hospitalId = randomUUID();
    await client.query(
      `insert into app_public.hospital (id, slug, name, time_zone) values ($1, 'example', 'Example', 'UTC')`,
      [hospitalId],
    );
    const subject = await createSubject(client, hospitalId);
    const before = await rowsOf(client, damage.check);
    const known = new Set(before.map(({ cache_key }) => cache_key));
    const named = await damage.inflict(client, subject);
    const rows = await rowsOf(client, damage.check);
    const row = rows.find(
      ({ entity_type, entity_id, cache_key }) =>
        !known.has(cache_key) &&
        named.some(
          ({ entityType, entityId }) => entityType === entity_type && entityId === entity_id,
        ),
    );
    if (row === undefined) throw new Error(`${damage.check} does not speak of its damage.`);
    const { rows: days } = await client.query<{ today: string }>(
      'select app_private.clock()::date::text as today',
    );
    return settled(textOf(row), days[0]?.today ?? '');
  } finally {
    await client.query('rollback');
  }
}

async function rowsOf(client: ClientBase, check: string): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `select severity, entity_type, entity_id, detail, metadata, cache_key from checks.${check} order by cache_key`,
  );
  return rows;
}

function textOf({ severity, entity_type, entity_id, detail, metadata }: Row): string {
  const shown = JSON.stringify(metadata, undefined, 1)
    .replaceAll(/\n\s*/g, ' ')
    .replaceAll(/^\{ | \}$/g, (edge) => edge.trim());
  return [
    `severity    | ${severity}`,
    `entity_type | ${entity_type}`,
    ...(entity_id === null ? [] : [`entity_id   | ${entity_id}`]),
    `detail      | ${detail}`,
    `metadata    | ${shown}`,
  ].join('\n');
}

/** The day that examples call today. */
const exampleDay = Date.parse('2030-01-07');
const dayMs = 86_400_000;

/**
 * The same text for the same damage: ids are numbered, days are counted from one day, moments and numbers that
 * Postgres gave are left out. Only a slot has a time that stays: slots begin tomorrow, at half hours; at a half
 * hour of today something has just happened.
 */
function settled(text: string, today: string): string {
  const ids = new Map<string, string>();
  const moved = (day: string) => {
    const shift = Math.round((Date.parse(day) - Date.parse(today)) / dayMs);
    return new Date(exampleDay + shift * dayMs).toISOString().slice(0, 10);
  };
  return text
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, (id) => {
      const known = ids.get(id) ?? `id-${ids.size + 1}`;
      ids.set(id, known);
      return known;
    })
    .replaceAll(/("\w*_ids?": (?:\[ )?|process )\d+/g, '$1<number>')
    .replaceAll(
      /(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d)(:\d\d(?:\.\d+)?)?((?:[+-]\d\d(?::?\d\d)?)|Z)?/g,
      (_, day: string, between: string, minute: string, rest = '', zone = '') => {
        const isOnGrid = /:[03]0$/.test(minute) && (rest === '' || rest === ':00');
        return isOnGrid && day > today
          ? `${moved(day)}${between}${minute}${rest}${zone}`
          : '<moment>';
      },
    )
    .replaceAll(/(?<!\d)(?!2030)\d{4}-\d\d-\d\d(?!\d)/g, moved);
}
