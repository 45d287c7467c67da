import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ImportKind } from '../../import/columns.ts';
import { importFile } from '../../import/import-file.ts';
import { linesTo } from '../../import/progress.ts';
import { describeReport, type ImportReport } from '../../import/report.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { lockRow, race, untilGone } from '../helpers/races.ts';
import { csvOf, dayAhead, type Row, rowCounts } from './importing.ts';

// The whole command, as somebody at a terminal runs it.

const project = resolve(import.meta.dirname, '../..');
const database = await createDatabase();
const { ownerPool, databaseUrl } = database;
const folder = await mkdtemp(join(tmpdir(), 'slotkeeper-import-'));
afterAll(() => rm(folder, { recursive: true }));

type Running = { process: ChildProcess; ended: Promise<{ code: number | null; text: string }> };

function run(words: readonly string[]): Running {
  const child = spawn(process.execPath, ['import/run.ts', ...words], {
    cwd: project,
    env: { ...process.env, NODE_ENV: 'development', DATA_DIR: folder, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, text }));
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { process: child, ended };
}

async function fileOf(kind: ImportKind, rows: readonly Row[]): Promise<string> {
  const file = join(folder, `${kind}-${Math.random().toString(36).slice(2)}.csv`);
  await writeFile(file, csvOf(kind, rows));
  return file;
}

async function counts(): Promise<Record<string, number>> {
  const db = await ownerPool.connect();
  try {
    return await rowCounts(db);
  } finally {
    db.release();
  }
}

const patients = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => ({
    medical_record_number: `N-${index}`,
    name: `Patient, number ${index}`,
    date_of_birth: '1970-01-31',
  }));

test('the example files are imported, one after the other', async () => {
  const hospital = await openHospital(ownerPool, { horizonDays: 30 });
  const examples = join(project, 'import', 'examples');
  const future = await dayAhead(ownerPool, hospital.id, 8);
  const { rows } = await ownerPool.query<{ monday: string; wednesday: string }>(
    `select (date_trunc('week', $1::date)::date + 7)::text as monday, (date_trunc('week', $1::date)::date + 9)::text as wednesday`,
    [future],
  );
  const appointments = (await readFile(join(examples, 'appointments.csv'), 'utf8'))
    .replaceAll('2030-01-07', rows[0]?.monday ?? '')
    .replaceAll('2030-01-09', rows[0]?.wednesday ?? '');
  const ahead = join(folder, 'appointments.csv');
  await writeFile(ahead, appointments);
  const expected = { doctors: 2, patients: 3, schedules: 4, appointments: 3 };
  for (const [kind, count] of Object.entries(expected)) {
    const file = kind === 'appointments' ? ahead : join(examples, `${kind}.csv`);
    const { code, text } = await run([kind, file, '--hospital', hospital.slug]).ended;
    expect(text).toContain(`Imported ${count} ${kind}, run `);
    expect(code).toBe(0);
  }
  const { rows: runs } = await ownerPool.query(
    `select kind, file_name, row_count, created_by from app_public.import_run where hospital_id = $1 order by id`,
    [hospital.id],
  );
  expect(runs).toEqual(
    Object.entries(expected).map(([kind, row_count]) => ({
      kind,
      row_count,
      file_name: `${kind}.csv`,
      created_by: null,
    })),
  );
  const { rows: booked } = await ownerPool.query(
    'select distinct source, created_by from app_public.appointment where hospital_id = $1',
    [hospital.id],
  );
  expect(booked).toEqual([{ source: 'import', created_by: null }]);
  await expectInvariants(ownerPool);
});

test('two thousand rows, with a line for each tenth where nobody watches', async () => {
  const hospital = await openHospital(ownerPool);
  const file = await fileOf('patients', patients(2_000));
  const { code, text } = await run(['patients', file, '--hospital', hospital.slug]).ended;
  expect(text.split('\n').map((line) => line.replace(/(run|Reading:?) .*/, '$1 …'))).toEqual(
    expect.arrayContaining([
      'Reading …',
      'Checking 2,000 rows',
      'Storing 2,000 rows',
      'Storing: 1,000 of 2,000 rows',
      'Storing: 2,000 of 2,000 rows',
      'Imported 2,000 patients, run …',
    ]),
  );
  expect(code).toBe(0);
  const { rows } = await ownerPool.query(
    'select count(*)::int from app_public.imported_row where hospital_id = $1',
    [hospital.id],
  );
  expect(rows).toEqual([{ count: 2_000 }]);
});

// Seconds of work for one processor, which is a minute where many want it.
describe('two thousand appointments of real seats, through every rule', {
  timeout: 120_000,
}, () => {
  let words: string[];

  beforeAll(async () => {
    const hospital = await openHospital(ownerPool, {
      patientCount: 2_000,
      horizonDays: 30,
      slotMinutes: 5,
      maxPatientsPerDay: 500,
    });
    await ownerPool.query(
      'update app_public.doctor set staff_number = right(display_name, 3) where hospital_id = $1',
      [hospital.id],
    );
    const { rows } = await ownerPool.query<Row & { starts_at: string }>(
      `select 'MRN-' || row_number() over () as medical_record_number, free.* from (
         select staff_number, to_char(starts_at at time zone $2, 'YYYY-MM-DD HH24:MI') as starts_at
         from app_public.slot join app_public.doctor on doctor.hospital_id = slot.hospital_id and doctor.id = slot.doctor_id
         where slot.hospital_id = $1 order by slot.starts_at desc limit 2000) as free`,
      [hospital.id, hospital.timeZone],
    );
    words = ['appointments', await fileOf('appointments', rows), '--hospital', hospital.slug];
  });

  test('are tried, and leave nothing', async () => {
    const before = await counts();
    const { code, text } = await run([...words, '--dry-run']).ended;
    expect(text).toContain('Trying: 2,000 of 2,000 rows');
    expect(text).toContain(
      'No fault in 2,000 appointments. Nothing was imported: this was a dry run.',
    );
    expect(code).toBe(0);
    expect(await counts()).toEqual(before);
  });

  test('are imported', async () => {
    const before = await counts();
    const { text } = await run(words).ended;
    expect(text).toContain('Imported 2,000 appointments, run ');
    expect(await counts()).toMatchObject({
      'app_public.appointment': (before['app_public.appointment'] ?? 0) + 2_000,
      'app_public.imported_row': (before['app_public.imported_row'] ?? 0) + 2_000,
      'app_private.import_row': 0,
    });
    await expectInvariants(ownerPool);
  });
});

test('one row at fault among two thousand: told by row and column, and nothing is left', async () => {
  const hospital = await openHospital(ownerPool);
  const rows = patients(2_000).with(1_999, {
    medical_record_number: 'N-1',
    name: null,
    phone: 'call \u001b[31mme',
  });
  const file = await fileOf('patients', rows);
  const before = await counts();
  const { code, text } = await run(['patients', file, '--hospital', hospital.slug]).ended;
  expect(code).toBe(1);
  expect(text).toMatch(/^row {3}column {17}scenario {12}what is wrong$/m);
  expect(text).toMatch(/^2001 {2}medical_record_number {2}repeated_in_import {2}Row 3 has this/m);
  expect(text).toMatch(/^2001 {2}name +cell_missing +A value is needed here\.$/m);
  expect(text).toMatch(/^2001 {2}phone +cell_invalid .* \("call \\u001b\[31mme"\)$/m);
  expect(text).toContain('Refused: 3 faults in 2,000 patients. Nothing was imported.');
  expect(await counts()).toEqual(before);
});

test('rows of another width, and more faults than are listed', async () => {
  const hospital = await openHospital(ownerPool);
  const file = join(folder, 'wide.csv');
  await writeFile(file, 'medical_record_number,name\nA,Ann,\nB\n,\nC,\n');
  const words = ['patients', file, '--hospital', hospital.slug, '--max-faults', '2'];
  const { code, text } = await run(words).ended;
  expect(code).toBe(1);
  expect(text).toMatch(
    /^2 +wrong_number_of_cells +The row has more or fewer cells than the header\.$/m,
  );
  expect(text).toMatch(/^3 +wrong_number_of_cells /m);
  expect(text).toContain('and 1 more fault\n');
  expect(text).toContain('Refused: 3 faults in 3 patients.');
});

test('what cannot be carried out leaves with 2 and says why', async () => {
  const hospital = await openHospital(ownerPool);
  const file = await fileOf('patients', patients(1));
  const empty = await fileOf('patients', []);
  const cases: [string[], string][] = [
    [['patients', file], '--hospital is missing.'],
    [['patients', file, '--hospital', 'nowhere'], 'There is no hospital "nowhere".'],
    [['patients', join(folder, 'none.csv'), '--hospital', hospital.slug], 'There is no such file.'],
    [['doctors', file, '--hospital', hospital.slug], 'line 1: columns missing: "staff_number"'],
    [['patients', empty, '--hospital', hospital.slug], 'The file has a header and no row.'],
  ];
  const before = await counts();
  for (const [words, message] of cases) {
    const { code, text } = await run(words).ended;
    expect(text).toContain(message);
    expect(text).not.toMatch(/\n {4}at /);
    expect(code).toBe(2);
  }
  expect(await counts()).toEqual(before);
});

/** Starts the command and waits until it stands still in the middle of storing its rows. */
async function stuckImport(how: (running: Running, pid: number) => Promise<void>): Promise<void> {
  await race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool);
    const before = await counts();
    // Somebody else is just registering patient 1500 of 2000.
    const inTheWay = await start();
    await inTheWay.db.query(
      "insert into app_public.patient (hospital_id, medical_record_number, name) values ($1, 'N-1500', 'First')",
      [hospital.id],
    );
    const file = await fileOf('patients', patients(2_000));
    const running = run(['patients', file, '--hospital', hospital.slug]);
    const pid = await waitingFor(inTheWay.pid);
    await how(running, pid);
    await untilGone(ownerPool, pid);
    await inTheWay.end();
    expect(await counts()).toEqual(before);
  });
}

async function waitingFor(blocker: number): Promise<number> {
  const find = async () => {
    const { rows } = await ownerPool.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where application_name = 'slotkeeper:import' and $1 = any (pg_blocking_pids(pid))`,
      [blocker],
    );
    return rows[0]?.pid;
  };
  await expect.poll(find, { timeout: 40_000 }).toBeDefined();
  return (await find()) ?? 0;
}

test('kill -9 in the middle leaves nothing', () =>
  stuckImport(async (running) => {
    running.process.kill('SIGKILL');
    expect((await running.ended).code).toBe(null);
  }));

test('Ctrl-C in the middle leaves nothing, and says so', () =>
  stuckImport(async (running) => {
    running.process.kill('SIGINT');
    const { code, text } = await running.ended;
    expect(text).toContain('Interrupted. Nothing was imported.');
    expect(code).toBe(2);
  }));

test('a server that ends the connection in the middle leaves nothing', () =>
  stuckImport(async (running, pid) => {
    await ownerPool.query('select pg_terminate_backend($1)', [pid]);
    const { code, text } = await running.ended;
    expect(text).toContain('Nothing was imported');
    expect(code).toBe(2);
  }));

test('work that holds what an import needs for too long ends it, with a hint', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool);
    await ownerPool.query(
      'update app_public.doctor set staff_number = right(display_name, 3) where hospital_id = $1',
      [hospital.id],
    );
    const { rows } = await ownerPool.query<Row>(
      `select 'MRN-1' as medical_record_number, 'One' as staff_number,
         to_char(starts_at at time zone $2, 'YYYY-MM-DD HH24:MI') as starts_at
       from app_public.slot where id = $1`,
      [hospital.slotIds[0], hospital.timeZone],
    );
    const inTheWay = await start();
    await lockRow(inTheWay, { table: 'slot', where: { id: hospital.slotIds[0] } });
    const attempt = importFile({
      kind: 'appointments',
      file: await fileOf('appointments', rows),
      hospital: hospital.slug,
      isDryRun: false,
      maxFaults: 10,
      databaseUrl,
      progress: linesTo(() => {}),
      signal: new AbortController().signal,
      lockTimeout: '50ms',
    });
    await expect(attempt).rejects.toThrow(
      'Other work holds what this import needs. Nothing was imported; try again, or at a quieter hour.',
    );
  }));

test('a report is told in words', () => {
  const report = (changed: Partial<ImportReport>): ImportReport => ({
    run_id: 'the-run',
    kind: 'doctors',
    is_accepted: true,
    is_dry_run: false,
    row_count: 1,
    fault_count: 0,
    faults: [],
    ...changed,
  });
  expect(describeReport(report({}))).toBe('Imported 1 doctor, run the-run.');
  const fault = { row_number: null, column_name: null, scenario: 'already_imported', value: null };
  const refused = { is_accepted: false, fault_count: 1, faults: [{ ...fault, message: 'Twice.' }] };
  expect(describeReport(report(refused))).toBe(
    [
      'row  column  scenario          what is wrong',
      '             already_imported  Twice.',
      '',
      'Refused: 1 fault in 1 doctor. Nothing was imported.',
    ].join('\n'),
  );
});
