import type { ImportKind } from './columns.ts';

/** Something in an import that stands in its way; a row of app_public.import_fault. */
export interface ImportFault {
  /** Null: the import as a whole. */
  row_number: number | null;
  column_name: string | null;
  scenario: string;
  message: string;
  value: string | null;
}

/** What became of an import; app_public.import_report. */
export interface ImportReport {
  run_id: string | null;
  kind: ImportKind;
  is_accepted: boolean;
  is_dry_run: boolean;
  row_count: number;
  fault_count: number;
  faults: ImportFault[];
}

/** The report for people: every listed fault, and what it comes to. */
export function describeReport(report: ImportReport): string {
  const { faults, fault_count: total } = report;
  const rest = total - faults.length;
  return [
    ...(faults.length > 0 ? tableOf(faults) : []),
    ...(rest > 0 ? [`and ${count(rest)} more ${rest === 1 ? 'fault' : 'faults'}`] : []),
    ...(faults.length > 0 ? [''] : []),
    summaryOf(report),
  ].join('\n');
}

function summaryOf(report: ImportReport): string {
  const rows = `${count(report.row_count)} ${report.row_count === 1 ? report.kind.slice(0, -1) : report.kind}`;
  if (!report.is_accepted) {
    const faults = `${count(report.fault_count)} ${report.fault_count === 1 ? 'fault' : 'faults'}`;
    return `Refused: ${faults} in ${rows}. Nothing was imported.`;
  }
  if (report.is_dry_run) return `No fault in ${rows}. Nothing was imported: this was a dry run.`;
  return `Imported ${rows}, run ${report.run_id}.`;
}

function tableOf(faults: readonly ImportFault[]): string[] {
  const lines = faults.map((fault) => [
    fault.row_number === null ? '' : String(fault.row_number),
    fault.column_name ?? '',
    fault.scenario,
    fault.value === null ? fault.message : `${fault.message} (${shown(fault.value)})`,
  ]);
  const table = [['row', 'column', 'scenario', 'what is wrong'], ...lines];
  const widths = [0, 1, 2].map((column) =>
    table.reduce((most, line) => Math.max(most, line[column]?.length ?? 0), 0),
  );
  return table.map((line) =>
    line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '),
  );
}

/** A cell in quotes, without anything that a terminal would obey. */
function shown(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
