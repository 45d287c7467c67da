// What the doctor prints: readable at any width, in colour only where colour is shown.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readArguments } from '../../doctor/arguments.ts';
import {
  type CheckResult,
  type Diagnosis,
  exitCodes,
  type Severity,
  verdictOf,
} from '../../doctor/diagnosis.ts';
import { paintFor } from '../../doctor/paint.ts';
import { describe as describeDiagnosis, toJson, widthOf } from '../../doctor/report.ts';
import { cut, tableOf, wrap } from '../../doctor/table.ts';

const plain = paintFor({ isTTY: false }, {});

const result = (
  name: string,
  severity: Severity,
  counts: CheckResult['counts'] = [],
  more: Partial<CheckResult> = {},
): CheckResult => ({
  name,
  severity,
  domain: 'samples',
  title: 'A title',
  meaning: 'What it means.',
  importance: 'Why it matters.',
  resolution: 'What to do.',
  remedy: 'repair',
  counts,
  rows: undefined,
  durationMs: 1.234,
  error: null,
  ...more,
});

const of = (...results: CheckResult[]): Diagnosis => ({
  isRemembered: false,
  hospital: undefined,
  results,
});

const one = (count = 1, example = 'Something is broken.', hospital: string | null = 'demo') => ({
  hospital,
  count,
  example,
});

describe('the verdict', () => {
  test.each([
    ['nothing', of(result('a', 'critical')), 'healthy', 'healthy'],
    ['only what is worth knowing', of(result('a', 'info', [one()])), 'healthy', 'warnings'],
    ['a warning', of(result('a', 'warning', [one()])), 'warnings', 'warnings'],
    [
      'something critical, and a check that failed',
      of(result('a', 'critical', [one()]), result('b', 'info', [], { error: 'x' })),
      'critical',
      'critical',
    ],
    [
      'a warning, and a check that failed',
      of(result('a', 'warning', [one()]), result('b', 'info', [], { error: 'x' })),
      'unknown',
      'unknown',
    ],
  ] as const)('%s', (_, diagnosis, usual, strict) => {
    expect(verdictOf(diagnosis, false)).toBe(usual);
    expect(verdictOf(diagnosis, true)).toBe(strict);
  });

  test('the exit codes are those that the usage tells', () => {
    expect(exitCodes).toEqual({ healthy: 0, warnings: 1, critical: 2, unknown: 3 });
  });
});

const long = of(
  result('appointment_of_missing_or_inactive_party', 'critical', [
    one(12, `An appointment names a doctor who ${'left long ago and '.repeat(12)}is gone.`),
    one(3, 'Another.', 'a-hospital-with-a-long-name'),
  ]),
  result('clock_drift', 'warning', [one(1, 'The clock of a worker is late.', null)]),
  result('silent_check', 'critical'),
  result('broken_check', 'info', [], { error: 'relation does not exist' }),
);

describe('the report', () => {
  test.each([80, 100, 120, 160, 200])('fits into %i columns', (width) => {
    const text = describeDiagnosis(long, 'critical', { width, paint: plain });
    const tooLong = text.split('\n').filter((line) => [...line].length > width);
    expect(tooLong).toEqual([]);
    expect(text).toContain('appointment_of_missing_or_inactive_party');
    expect(text).toContain('a-hospital-with-a');
  });

  test('reads like this', () => {
    const text = describeDiagnosis(long, 'critical', { width: 160, paint: plain });
    expect(text.replaceAll(/left long ago.*/g, '…')).toMatchInlineSnapshot(`
      "severity  check                                     findings  hospital                     for example
      critical  appointment_of_missing_or_inactive_party        12  demo                         An appointment names a doctor who …
      critical  appointment_of_missing_or_inactive_party         3  a-hospital-with-a-long-name  Another.
      warning   clock_drift                                      1  the system                   The clock of a worker is late.

      broken_check could not be run.
          relation does not exist

      Patients or data are at risk now: 16 findings, 1 of 4 checks silent.
      For one check: npm run doctor -- --check <name>
      "
    `);
  });

  test('a check by itself says what it means, what to do, and every row', () => {
    const diagnosis = of(
      result('sample', 'warning', [one(2)], {
        rows: [
          {
            hospital: 'demo',
            entityType: 'slot',
            entityId: 'one',
            detail: 'The slot counts two.',
            metadata: { booked_count: 2, seated: 1 },
          },
          {
            hospital: null,
            entityType: 'system',
            entityId: null,
            detail: 'The clock is late.',
            metadata: {},
            firstSeenAt: new Date('2026-01-01T00:00:00Z'),
          },
        ],
      }),
    );
    expect(
      describeDiagnosis(diagnosis, 'warnings', { width: 80, paint: plain }),
    ).toMatchInlineSnapshot(`
      "warning  sample  A title

      It means        What it means.
      Why it matters  Why it matters.
      What to do      What to do.
      By itself       repaired without a person, by the hourly reconciliation at the
                      latest
      To look again   select * from checks.sample;

      demo  slot  one
          The slot counts two.
          {"booked_count":2, "seated":1}
      the system  system
          The clock is late.
          {}
          since 2026-01-01T00:00:00.000Z

      Something will go wrong unless somebody acts: 2 findings, 0 of 1 check silent.
      "
    `);
  });

  test('nothing but a line when all is well', () => {
    expect(
      describeDiagnosis(
        { ...of(result('a', 'critical'), result('b', 'info')), hospital: 'demo' },
        'healthy',
        {
          width: 80,
          paint: plain,
        },
      ),
    ).toBe('All is well in demo: 0 findings, 2 of 2 checks silent.\n');
  });

  test('for programs it is JSON', () => {
    const document = JSON.parse(toJson(long, 'critical'));
    expect(document).toMatchObject({
      verdict: 'critical',
      source: 'live',
      hospital: null,
      findings: 16,
    });
    expect(document.checks[1]).toEqual({
      check: 'clock_drift',
      domain: 'samples',
      severity: 'warning',
      title: 'A title',
      count: 1,
      hospitals: [one(1, 'The clock of a worker is late.', null)],
      durationMs: 1.2,
      error: null,
    });
  });
});

describe('colour', () => {
  const coloured = (stream: { isTTY?: boolean }, environment: Record<string, string>) =>
    describeDiagnosis(long, 'critical', { width: 120, paint: paintFor(stream, environment) });

  test('only on a terminal, and not where NO_COLOR is set', () => {
    const text = coloured({ isTTY: true }, {});
    expect(text).not.toBe(stripVTControlCharacters(text));
    const bare = [
      coloured({}, {}),
      coloured({ isTTY: false }, {}),
      coloured({ isTTY: true }, { NO_COLOR: '1' }),
    ];
    for (const each of bare) expect(each).toBe(stripVTControlCharacters(text));
    expect(coloured({ isTTY: true }, { NO_COLOR: '' })).toBe(text);
  });
});

describe('a table', () => {
  test('pads, aligns numbers to the right, and cuts the last column', () => {
    const rows = [
      [{ text: 'a' }, { text: '1', isNumber: true }, { text: 'some long text' }],
      [{ text: 'bcd' }, { text: '100', isNumber: true }, { text: 'short' }],
    ];
    expect(tableOf(rows, { width: 20, least: 5 })).toEqual([
      'a      1  some long…',
      'bcd  100  short',
    ]);
    expect(tableOf(rows, { width: 12, least: 5 })).toEqual([
      'a      1',
      '    some',
      '    long',
      '    text',
      'bcd  100',
      '    short',
    ]);
    expect(tableOf([], { width: 80 })).toEqual([]);
  });

  test('text is cut and broken by letters, not by units', () => {
    expect(cut('Größe', 5)).toBe('Größe');
    expect(cut('🩺🩺🩺', 2)).toBe('🩺…');
    expect(wrap('abcdefgh ij', 3)).toEqual(['abc', 'def', 'gh', 'ij']);
    expect(wrap('', 10)).toEqual([]);
  });

  test('widths that a terminal may have', () => {
    expect([undefined, 20, 80, 133, 500].map(widthOf)).toEqual([100, 80, 80, 133, 200]);
  });
});

describe('the command line', () => {
  test('says what is wanted', () => {
    expect(readArguments([])).toMatchObject({
      check: undefined,
      isRemembered: false,
      isJson: false,
    });
    expect(
      readArguments(['--check', 'sample', '--hospital=demo', '--remembered', '--json', '--strict']),
    ).toEqual({
      check: 'sample',
      hospital: 'demo',
      isRemembered: true,
      isStrict: true,
      isJson: true,
      isHelp: false,
    });
  });

  test.each([[['--chek', 'x']], [['sample']], [['--check']]])('%j is not understood', (words) => {
    expect(() => readArguments(words)).toThrow(/Usage: npm run doctor/);
  });
});
