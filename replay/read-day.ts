import { type Info, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { isDay } from './arguments.ts';

/** One line of the file: somebody asked for an appointment. */
export interface DayRequest {
  /** Line of the file, for people. */
  line: number;
  appointmentNumber: string;
  /** As the file writes it. The source rounded these numbers, so different people may share one. */
  patientNumber: string;
  /** In years. */
  age: number;
  healthPost: string;
  requestedAt: Date;
  /** Whether the patient came, in the end. */
  showedUp: boolean;
}

/** A file that cannot be replayed; the message lists its faults by line. */
export class DayFileError extends Error {
  override readonly name = 'DayFileError';
}

const columns = [
  'appointment_id',
  'patient_id',
  'gender',
  'age',
  'health_post',
  'requested_at',
  'day',
  'showed_up',
] as const;

const shownFaults = 10;

const row = z.object({
  appointment_id: z.string().regex(/^\d{1,20}$/, 'is not a number'),
  patient_id: z
    .string()
    .max(64, 'is too long')
    .regex(/^\d+(\.\d+)?(E\+?\d{1,2})?$/i, 'is not a number'),
  gender: z.enum(['F', 'M'], 'is neither F nor M'),
  age: z
    .string()
    .regex(/^\d{1,3}$/, 'is not a number of years')
    .transform(Number)
    .refine((years) => years <= 130, 'is more than 130 years'),
  health_post: z.string().trim().min(1, 'is empty').max(200, 'is longer than 200 characters'),
  requested_at: z.iso
    .datetime({ offset: true, error: 'is not an instant such as 2016-04-29T08:30:00Z' })
    .transform((text) => new Date(text)),
  day: z.string().refine(isDay, 'is not a day YYYY-MM-DD'),
  showed_up: z.enum(['yes', 'no'], 'is neither yes nor no').transform((word) => word === 'yes'),
});

type Row = z.infer<typeof row>;

/**
 * Reads one day of appointments from CSV, in the order in which they were requested. Throws
 * {@link DayFileError} with every faulty line (the first ten are shown).
 */
export function readDay(text: string): DayRequest[] {
  const records = parseCsv(text);
  const faults: string[] = [];
  const lineOf = new Map<string, number>();
  const requests: DayRequest[] = [];
  let day: string | undefined;
  for (const { record, info } of records) {
    const { success, data, error } = row.safeParse(record);
    const { lines: line } = info;
    if (!success) {
      faults.push(...error.issues.map((issue) => describe(line, record, issue)));
      continue;
    }
    day ??= data.day;
    if (data.day !== day)
      faults.push(`line ${line}: day is ${data.day}, but the file began with ${day}`);
    const earlier = lineOf.get(data.appointment_id);
    if (earlier !== undefined)
      faults.push(`line ${line}: appointment_id ${data.appointment_id} is that of line ${earlier}`);
    lineOf.set(data.appointment_id, line);
    requests.push(toRequest(line, data));
  }
  if (faults.length > 0) throw new DayFileError(listFaults(faults));
  if (requests.length === 0) throw new DayFileError('The file holds no appointment.');
  return requests.sort((a, b) => a.requestedAt.getTime() - b.requestedAt.getTime());
}

type Parsed = { record: Record<string, string>; info: Info };

function parseCsv(text: string): Parsed[] {
  try {
    return parse(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      columns: checkHeader,
    }) as unknown as Parsed[];
  } catch (error) {
    if (error instanceof DayFileError) throw error;
    throw new DayFileError(`The file is not CSV: ${(error as Error).message}`);
  }
}

function checkHeader(header: string[]): string[] {
  const missing = columns.filter((name) => !header.includes(name));
  if (missing.length > 0)
    throw new DayFileError(
      `line 1: ${missing.length === 1 ? 'column is' : 'columns are'} missing: ${missing.join(', ')}. Expected: ${columns.join(',')}`,
    );
  return header;
}

function describe(line: number, record: Record<string, string>, issue: z.core.$ZodIssue): string {
  const column = String(issue.path[0]);
  const value = record[column] ?? '';
  return `line ${line}: ${column} "${value.length > 40 ? `${value.slice(0, 40)}…` : value}" ${issue.message}`;
}

function listFaults(faults: readonly string[]): string {
  const rest = faults.length - shownFaults;
  return [
    `The file has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:`,
    ...faults.slice(0, shownFaults).map((fault) => `  ${fault}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join('\n');
}

function toRequest(line: number, data: Row): DayRequest {
  return {
    line,
    appointmentNumber: data.appointment_id,
    patientNumber: data.patient_id,
    age: data.age,
    healthPost: data.health_post,
    requestedAt: data.requested_at,
    showedUp: data.showed_up,
  };
}
