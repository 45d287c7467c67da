import {
  type CheckResult,
  countOf,
  type Diagnosis,
  type FoundRow,
  type Severity,
  type Verdict,
} from './diagnosis.ts';
import type { Paint } from './paint.ts';
import { type Cell, tableOf, wrap } from './table.ts';

export type ReportOptions = { width: number; paint: Paint };

const narrowest = 80;
const widest = 200;
const severities: readonly Severity[] = ['critical', 'warning', 'info'];
const mostRows = 1_000;

/** What becomes of findings without people. */
const remedies: Readonly<Record<CheckResult['remedy'], string>> = {
  repair: 'repaired without a person, by the hourly reconciliation at the latest',
  review: 'given to people: the review queue has it',
  operator: 'nothing: it is told to whoever runs the system',
};

/** The width to write for, of a terminal or of whatever else. */
export function widthOf(columns: number | undefined): number {
  return Math.min(widest, Math.max(narrowest, columns ?? 100));
}

/** The diagnosis for people, in lines. */
export function describe(
  diagnosis: Diagnosis,
  verdict: Verdict,
  { width, paint }: ReportOptions,
): string {
  const { results } = diagnosis;
  const found = results.filter((result) => countOf(result) > 0);
  const failed = results.filter(({ error }) => error !== null);
  const [only] = results;
  const isOne = results.length === 1 && only?.rows !== undefined;
  const lines = [
    ...(isOne ? describeCheck(only, width, paint) : describeFound(found, width, paint)),
    ...failed.flatMap((result) => [
      paint('critical', `${result.name} could not be run.`),
      ...wrap(result.error ?? '', width - 4).map((line) => `    ${line}`),
      '',
    ]),
    ...conclusion(diagnosis, verdict, found.length, failed.length, width, paint),
  ];
  return `${lines.join('\n')}\n`;
}

function describeFound(found: readonly CheckResult[], width: number, paint: Paint): string[] {
  if (found.length === 0) return [];
  const head = ['severity', 'check', 'findings', 'hospital', 'for example'].map((text, column) => ({
    text,
    isNumber: column === 2,
    paint: (shown: string) => paint('faint', shown),
  }));
  const rows = severities.flatMap((severity) =>
    found
      .filter((result) => result.severity === severity)
      .toSorted((one, other) => countOf(other) - countOf(one))
      .flatMap((result) => result.counts.map((count) => rowOf(result, count, paint))),
  );
  return [...tableOf([head, ...rows], { width }), ''];
}

function rowOf(
  { name, severity }: CheckResult,
  { hospital, count, example }: CheckResult['counts'][number],
  paint: Paint,
): Cell[] {
  return [
    { text: severity, paint: (text) => paint(severity, text) },
    { text: name },
    { text: String(count), isNumber: true },
    { text: hospital ?? 'the system' },
    { text: example },
  ];
}

function describeCheck(result: CheckResult, width: number, paint: Paint): string[] {
  const says = (label: string, text: string) =>
    wrap(text, width - 16).map((line, index) =>
      `${paint('faint', (index === 0 ? label : '').padEnd(16))}${line}`.trimEnd(),
    );
  const rows = result.rows ?? [];
  return [
    `${paint(result.severity, result.severity)}  ${paint('strong', result.name)}  ${result.title}`,
    '',
    ...says('It means', result.meaning),
    ...says('Why it matters', result.importance),
    ...says('What to do', result.resolution),
    ...says('By itself', remedies[result.remedy]),
    ...says('To look again', `select * from checks.${result.name};`),
    '',
    ...rows.slice(0, mostRows).flatMap((row) => describeRow(row, width, paint)),
    ...(rows.length > mostRows ? [`… and ${rows.length - mostRows} more.`] : []),
    ...(rows.length > 0 ? [''] : []),
  ];
}

function describeRow(row: FoundRow, width: number, paint: Paint): string[] {
  const who = [row.hospital ?? 'the system', row.entityType, row.entityId]
    .filter(Boolean)
    .join('  ');
  const since =
    row.firstSeenAt === undefined
      ? []
      : [paint('faint', `    since ${row.firstSeenAt.toISOString()}`)];
  return [
    paint('strong', who),
    ...wrap(row.detail, width - 4).map((line) => `    ${line}`),
    ...wrap(JSON.stringify(row.metadata).replaceAll(',"', ', "'), width - 4).map((line) =>
      paint('faint', `    ${line}`),
    ),
    ...since,
  ];
}

function conclusion(
  { results, hospital, isRemembered }: Diagnosis,
  verdict: Verdict,
  found: number,
  failed: number,
  width: number,
  paint: Paint,
): string[] {
  const where = hospital === undefined ? '' : ` in ${hospital}`;
  const how = isRemembered ? ', as the last runs remember it' : '';
  const silent = results.length - found - failed;
  const total = results.reduce((sum, result) => sum + countOf(result), 0);
  const words = {
    healthy: total === 0 ? 'All is well' : 'Nothing is wrong that needs anybody',
    warnings: 'Something will go wrong unless somebody acts',
    critical: 'Patients or data are at risk now',
    unknown: 'Not everything could be looked at',
  }[verdict];
  const tone = (
    { healthy: 'good', warnings: 'warning', critical: 'critical', unknown: 'critical' } as const
  )[verdict];
  const counts = `${total} ${total === 1 ? 'finding' : 'findings'}, ${silent} of ${results.length} ${results.length === 1 ? 'check' : 'checks'} silent.`;
  const further =
    found > 0 && results.length > 1 ? ['For one check: npm run doctor -- --check <name>'] : [];
  return [
    ...wrap(`${words}${where}${how}: ${counts}`, width).map((line) => paint(tone, line)),
    ...further.map((line) => paint('faint', line)),
  ];
}

/** The diagnosis for programs. */
export function toJson({ results, hospital, isRemembered }: Diagnosis, verdict: Verdict): string {
  const document = {
    verdict,
    source: isRemembered ? 'remembered' : 'live',
    hospital: hospital ?? null,
    findings: results.reduce((sum, result) => sum + countOf(result), 0),
    checks: results.map((result) => ({
      check: result.name,
      domain: result.domain,
      severity: result.severity,
      title: result.title,
      count: countOf(result),
      hospitals: result.counts,
      durationMs: Math.round(result.durationMs * 10) / 10,
      error: result.error,
      ...(result.rows === undefined ? null : { rows: result.rows }),
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
