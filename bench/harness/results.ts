import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { ms, whole } from './figures.ts';
import type { Workload, WorkloadResult } from './workload.ts';

/** A result with where it came from. */
export interface KeptResult extends WorkloadResult {
  name: string;
  title: string;
  command: string;
  /** Instant of the measurement, ISO 8601. */
  measuredAt: string;
  machine: string;
  /** Too small for its figures to mean anything. */
  isSmall: boolean;
}

/** Adds to a result what is needed to judge it later. */
export function keepable(
  workload: Workload,
  result: WorkloadResult,
  database: string,
  isSmall: boolean,
): KeptResult {
  const { name, title } = workload;
  return {
    name,
    title,
    command: `npm run bench -- --only ${name}${isSmall ? ' --small' : ''}`,
    measuredAt: new Date().toISOString(),
    machine: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}, PostgreSQL ${database}; load ${loadavg()[0]?.toFixed(1)}`,
    isSmall,
    ...result,
  };
}

/** A result for the terminal. */
export function describeResult(result: KeptResult): string {
  const { ratio, faults } = result;
  return [
    `  ${result.command}`,
    `  ${result.size}`,
    ...result.measurements.map(({ what, rate, latency, note }) =>
      [
        `  ${what.padEnd(36)}`,
        rate === undefined ? ''.padStart(12) : `${whole(rate)}/s`.padStart(12),
        latency
          ? `   p50 ${ms(latency.p50)}  p95 ${ms(latency.p95)}  p99 ${ms(latency.p99)}  max ${ms(latency.max)}`
          : '',
        note === undefined ? '' : `   (${note})`,
      ].join(''),
    ),
    ...(ratio ? [`  ${ratio.value.toFixed(2)} × ${ratio.of}; ${verdict(result)}`] : []),
    ...faults.slice(0, 10).map((fault) => `  FAULT: ${fault}`),
  ].join('\n');
}

function verdict({ ratio, isSmall }: KeptResult): string {
  if (isSmall) return 'a small run says nothing of speed';
  return `must be ${ratio?.mustReach}: ${ratio?.isReached ? 'reached' : 'NOT reached'}`;
}

/**
 * Writes latest.json and latest.md: the newest result of every workload, those of an earlier run
 * where this one left them out.
 */
export async function writeResults(folder: string, results: readonly KeptResult[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'latest.json');
  const earlier = await readResults(file);
  const merged = new Map([...earlier, ...results].map((result) => [result.name, result]));
  const kept = [...merged.values()];
  await writeFile(file, `${JSON.stringify(kept, null, 2)}\n`);
  await writeFile(join(folder, 'latest.md'), toMarkdown(kept));
}

async function readResults(file: string): Promise<KeptResult[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as KeptResult[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function toMarkdown(results: readonly KeptResult[]): string {
  const sections = results.flatMap((result) => [
    `## ${result.name}`,
    '',
    `${result.title}.`,
    '',
    `\`${result.command}\` · ${result.size} · ${result.measuredAt.slice(0, 16).replace('T', ' ')} UTC · ${result.machine}`,
    '',
    '| | rate | p50 | p95 | p99 | max | |',
    '|---|---:|---:|---:|---:|---:|---|',
    ...result.measurements.map(({ what, rate, latency, note }) =>
      [
        '',
        what,
        rate === undefined ? '' : `${whole(rate)}/s`,
        ...(latency
          ? [latency.p50, latency.p95, latency.p99, latency.max].map(ms)
          : ['', '', '', '']),
        note ?? '',
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
    result.ratio
      ? `**${result.ratio.value.toFixed(2)} ×** ${result.ratio.of}; ${verdict(result)}.`
      : '',
    result.faults.length === 0
      ? 'Answers and tables were right.'
      : `**Wrong**: ${result.faults.slice(0, 10).join('; ')}.`,
    '',
  ]);
  return [
    '# Figures of the last run',
    '',
    'Written by `npm run bench`. Only ratios within one run can be compared; both sides of a ratio ran in turns on the same machine, which also ran the client.',
    '',
    ...sections,
  ].join('\n');
}
