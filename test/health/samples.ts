import type { Queryable } from '../helpers/hospital.ts';
import { insert } from '../helpers/hospital.ts';

/**
 * Three checks made for a test, instead of the real ones: `sample` (critical, repaired by forgetting),
 * `sample_for_people` (warning, reviewed) and `sample_of_system` (warning, told to operators), which tell
 * of the rows of a table made for them.
 */
export async function createSamples(db: Queryable): Promise<void> {
  await db.query(`
    delete from app_public.health_check;
    create table app_private.sample (hospital_id uuid, id uuid, check_name text, word text);
    alter table app_private.sample owner to app_owner;
    create function app_private.repair_sample(finding app_public.finding) returns text
      language plpgsql security definer set search_path = '' as $$
      begin
        if finding.metadata ->> 'word' like 'stubborn%' then
          return null;
        end if;
        perform from app_private.sample
        where sample.hospital_id = finding.hospital_id and sample.id = finding.entity_id for update;
        delete from app_private.sample
        where sample.hospital_id = finding.hospital_id and sample.id = finding.entity_id;
        return 'It was forgotten.';
      end $$;
    alter function app_private.repair_sample(app_public.finding) owner to app_owner;
    select app_private.declare_check(
      name => 'sample', domain => 'samples', severity => 'critical', entity_type => 'sample', title => 'Sample',
      meaning => 'A word.', importance => 'None.', resolution => 'Forget it.', repair => 'repair_sample');
    select app_private.declare_check(
      name => 'sample_for_people', domain => 'people', severity => 'warning', entity_type => 'sample', title => 'Another',
      meaning => 'A word.', importance => 'None.', resolution => 'Ponder it.', remedy => 'review');
    select app_private.declare_check(
      name => 'sample_of_system', domain => 'system', severity => 'warning', entity_type => 'system', title => 'The system',
      meaning => 'A word.', importance => 'None.', resolution => 'Call somebody.', remedy => 'operator')`);
  for (const check of ['sample', 'sample_for_people', 'sample_of_system']) {
    await db.query(`
      create view checks.${check} as
      select sample.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, sample.id as entity_id,
        'The sample says ' || sample.word || '.' as detail, jsonb_build_object('word', sample.word) as metadata,
        concat_ws(':', entry.name, sample.word) as cache_key
      from app_private.sample
      join app_public.health_check as entry on entry.name = sample.check_name
      where entry.name = '${check}';
      alter view checks.${check} owner to app_owner;
      grant select on checks.${check} to app_monitor`);
  }
  await db.query('select app_private.unite_checks()');
}

/** Makes a check of samples speak; the hospital of noughts has those of the whole system. */
export async function breakSamples(
  db: Queryable,
  hospitalId: string,
  check: 'sample' | 'sample_for_people' | 'sample_of_system',
  ...words: string[]
): Promise<void> {
  await db.query(
    'insert into app_private.sample select $1, gen_random_uuid(), $2, word from unnest($3::text[]) as word',
    [hospitalId, check, words],
  );
}

/** Lets checks run everywhere, as the night does. */
export async function runAll(db: Queryable): Promise<void> {
  await db.query("select app_private.run_checks(null, null, 'nightly')");
}

/** The id of the finding whose sample says this word. */
export async function findingOf(db: Queryable, word: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    "select id from app_public.finding where metadata ->> 'word' = $1",
    [word],
  );
  const [finding] = rows;
  if (finding === undefined) throw new Error(`Nothing was found that says ${word}.`);
  return finding.id;
}

/** The hospital under which findings of the whole system stand. */
export const SYSTEM = '00000000-0000-0000-0000-000000000000';

/** A finding as a run would leave it, without one. */
export function storeFinding(
  db: Queryable,
  hospitalId: string,
  values: Record<string, unknown> = {},
): Promise<string> {
  return insert(db, 'finding', {
    hospital_id: hospitalId,
    check_name: 'sample',
    severity: 'critical',
    entity_type: 'sample',
    cache_key: 'sample:x',
    detail: 'The sample says x.',
    metadata: '{}',
    first_seen_at: '2026-01-01',
    last_seen_at: '2026-01-01',
    times_seen: 1,
    ...values,
  });
}
