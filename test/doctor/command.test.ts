// The whole command, as somebody at a terminal runs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { examine } from '../../doctor/examine.ts';
import { breakSamples, createSamples, runAll, SYSTEM } from '../health/samples.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';

const project = resolve(import.meta.dirname, '../..');
const { ownerPool, databaseUrl } = await createDatabase();
const hospital = await createHospital(ownerPool);
const other = await createHospital(ownerPool);
await createSamples(ownerPool);
const folder = await mkdtemp(join(tmpdir(), 'slotkeeper-doctor-'));
afterAll(() => rm(folder, { recursive: true }));

beforeEach(() => ownerPool.query('delete from app_private.sample'));

async function doctor(words: readonly string[], url = databaseUrl) {
  const child = spawn(process.execPath, ['doctor/run.ts', ...words], {
    cwd: project,
    env: { ...process.env, NODE_ENV: 'development', DATA_DIR: folder, DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const [code] = await once(child, 'close');
  return { code: code as number, text };
}

test('all is well: 0; warnings: 1; something critical: 2', async () => {
  expect(await doctor([])).toEqual({
    code: 0,
    text: 'All is well: 0 findings, 3 of 3 checks silent.\n',
  });
  await breakSamples(ownerPool, SYSTEM, 'sample_of_system', 'a');
  const warned = await doctor([]);
  expect(warned).toMatchObject({
    code: 1,
    text: expect.stringContaining('the system  The sample says a.'),
  });
  await breakSamples(ownerPool, hospital.id, 'sample', 'b', 'c');
  const critical = await doctor([]);
  expect(critical).toMatchObject({ code: 2, text: expect.stringContaining('The sample says b.') });
  expect(critical.text.indexOf('critical')).toBeLessThan(critical.text.indexOf('warning'));
});

test('one hospital, one check, for programs', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'mine');
  await breakSamples(ownerPool, other.id, 'sample', 'theirs', 'theirs too');
  const one = await doctor(['--hospital', hospital.slug]);
  expect(one).toMatchObject({ code: 2, text: expect.stringContaining('says mine') });
  expect(one.text).not.toContain('theirs');
  const named = await doctor(['--check', 'sample', '--hospital', other.slug, '--json']);
  const document = JSON.parse(named.text);
  expect(document).toMatchObject({
    verdict: 'critical',
    hospital: other.slug,
    findings: 2,
    checks: [
      {
        check: 'sample',
        rows: [
          { hospital: other.slug, entityType: 'sample', detail: 'The sample says theirs too.' },
          { detail: 'The sample says theirs.' },
        ],
      },
    ],
  });
  expect(await doctor(['--check', 'sample_for_people'])).toMatchObject({
    code: 0,
    text: expect.stringContaining('Ponder it.'),
  });
});

test('what runs remembered is told without looking', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample', 'a');
  await runAll(ownerPool);
  await ownerPool.query('delete from app_private.sample');
  expect(await doctor([])).toMatchObject({ code: 0 });
  expect(await doctor(['--remembered'])).toMatchObject({
    code: 2,
    text: expect.stringContaining('as the last runs remember it: 1 finding'),
  });
  expect(await doctor(['--remembered', '--check', 'sample'])).toMatchObject({
    code: 2,
    text: expect.stringMatching(/since \d{4}-/),
  });
});

test('it could not look: 3', async () => {
  for (const words of [['--check', 'sampel'], ['--hospital', 'nowhere'], ['--wrong']]) {
    expect((await doctor(words)).code, words.join(' ')).toBe(3);
  }
  const nowhere = await doctor([], 'postgres://nobody@127.0.0.1:1/nothing');
  expect(nowhere.code).toBe(3);
});

test('a check that fails or takes too long does not keep the others from telling', async () => {
  await breakSamples(ownerPool, hospital.id, 'sample_of_system', 'a');
  const view = (of: string) => `
    create or replace view checks.sample as
    select hospital_id, check_name, severity, entity_type, entity_id, detail, metadata, cache_key
    from checks.sample_of_system where ${of}`;
  const { rows } = await ownerPool.query<{ text: string }>(
    "select pg_get_viewdef('checks.sample') as text",
  );
  const wish = { databaseUrl, check: undefined, hospital: undefined, isRemembered: false };
  try {
    await ownerPool.query(
      view("1 / (select count(*) from app_public.hospital where slug = '') > 0"),
    );
    const failed = await examine(wish);
    expect(failed.results.map(({ name, error }) => [name, error])).toEqual([
      ['sample', 'division by zero'],
      ['sample_for_people', null],
      ['sample_of_system', null],
    ]);
    expect(failed.results[2]?.counts).toMatchObject([{ count: 1 }]);
    await ownerPool.query(view('(select pg_sleep(20)) is not null'));
    // Time for everything but the check that sleeps.
    const slow = await examine({ ...wish, timeoutMs: 2_000 });
    expect(slow.results[0]?.error).toBe('It took too long.');
    expect(await doctor(['--check', 'sample_of_system'])).toMatchObject({ code: 1 });
  } finally {
    await ownerPool.query(`create or replace view checks.sample as ${rows[0]?.text}`);
  }
});

test('it reads no table that app_monitor may not, and writes nothing', async () => {
  await ownerPool.query(`
    create or replace function checks.reach() returns boolean language plpgsql as $$
    begin perform from app_public.patient; return true; end $$;
    grant execute on function checks.reach() to app_monitor`);
  const { rows } = await ownerPool.query<{ text: string }>(
    "select pg_get_viewdef('checks.sample') as text",
  );
  try {
    await ownerPool.query(`create or replace view checks.sample as
      select hospital_id, check_name, severity, entity_type, entity_id, detail, metadata, cache_key
      from checks.sample_of_system where checks.reach()`);
    await breakSamples(ownerPool, hospital.id, 'sample_of_system', 'a');
    const { results } = await examine({
      databaseUrl,
      check: 'sample',
      hospital: undefined,
      isRemembered: false,
    });
    expect(results[0]?.error).toMatch(/permission denied for table patient/);
  } finally {
    await ownerPool.query(
      `create or replace view checks.sample as ${rows[0]?.text}; drop function checks.reach()`,
    );
  }
});
