import { type Case, type DrillResult, isWell } from './drill.ts';

/** The table of a drill for people: each damage, and what became of it. */
export function describeDrill({ falseAlarms, unproven, cases, isPassed }: DrillResult): string {
  const rows = cases.map(rowOf);
  const widths = header.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const bad = cases.filter((outcome) => !isWell(outcome));
  return [
    ...falseAlarms.map(({ check_name, detail }) => `False alarm: ${check_name}: ${detail}`),
    ...(falseAlarms.length > 0 ? [''] : []),
    line(header),
    ...rows.map(line),
    '',
    ...bad.flatMap(({ check, story, faults }) => [
      `${check}: ${story}`,
      ...faults.map((fault) => `  ${fault}`),
    ]),
    ...unproven.map((check) => `No damage proves ${check}.`),
    totalsOf(cases, falseAlarms.length),
    isPassed ? 'Passed: every damage was found, and nothing was invented.' : 'Not passed.',
  ].join('\n');
}

const header = ['damage', 'detected', 'latency', 'repaired', 'queued', 'told', 'verdict'];

function rowOf(outcome: Case): string[] {
  const { check, detectedBy, latencyMs, isRepaired, isQueued, isTold } = outcome;
  return [
    check,
    detectedBy ?? 'no',
    latencyMs === null ? '' : `${Math.round(latencyMs)} ms`,
    isRepaired ? 'yes' : '',
    isQueued ? 'yes' : '',
    isTold ? 'yes' : '',
    isWell(outcome) ? 'ok' : 'FAILED',
  ];
}

function totalsOf(cases: readonly Case[], falseAlarms: number): string {
  const count = (is: (outcome: Case) => boolean) => cases.filter(is).length;
  const safe = count(({ ends }) => ends === 'repaired');
  const repaired = count(({ ends, isRepaired }) => ends === 'repaired' && isRepaired);
  const open = cases.filter(({ ends }) => ends !== 'repaired');
  const passedOn = open.filter(({ ends, isQueued, isTold }) =>
    ends === 'reviewed' ? isQueued : isTold,
  ).length;
  return [
    `${cases.length} damages`,
    `${count(({ isDetected }) => isDetected)} detected`,
    `${repaired} of ${safe} repaired`,
    `${passedOn} of ${open.length} given to people`,
    `${falseAlarms} false alarms before`,
  ].join(', ');
}
