import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface ReplayArguments {
  file: string;
  /** The local day onto which the file's day is laid, YYYY-MM-DD. */
  day: string;
  /** Address of the running server. */
  url: string;
  /** How many requests are under way at once. */
  inFlight: number;
  /** Slug of the hospital to make; undefined takes the next free `replay-<day>`. */
  hospital: string | undefined;
  /** Whether the clock then moves through the day, with staff and jobs at work. */
  throughTheDay: boolean;
}

/** Shown beneath every complaint about the command line. */
export const usage = `Usage: npm run replay -- <file.csv> --day <YYYY-MM-DD> [--url http://127.0.0.1:4000] [--in-flight 16] [--hospital slug] [--through-the-day]

  --day        a day ahead of today: the file's appointments are booked on it
  --url        the running server (npm start)
  --in-flight  requests under way at once, 1 to 200
  --hospital   name of the hospital to make; otherwise replay-<day>, replay-<day>-2, …
  --through-the-day
               then lets the day happen: moves the clock of the whole database through it, for all its
               hospitals, and back; needs the worker as well (npm start)`;

/** Reads the command line; throws an Error that says what is wrong with it. */
export function readArguments(words: readonly string[]): ReplayArguments {
  const { values, positionals } = parse(words);
  const [file, ...more] = positionals;
  if (file === undefined) throw complaint('The file to replay is missing.');
  if (more.length > 0) throw complaint(`One file at a time; "${more[0]}" is one too many.`);
  if (values.day === undefined) throw complaint('--day is missing.');
  if (!isDay(values.day)) throw complaint(`--day ${values.day} is not a day YYYY-MM-DD.`);
  return {
    file,
    day: values.day,
    url: readUrl(values.url),
    inFlight: readInFlight(values['in-flight']),
    hospital: values.hospital === undefined ? undefined : readSlug(values.hospital),
    throughTheDay: values['through-the-day'],
  };
}

/** Whether the text names a day of the calendar, as YYYY-MM-DD. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const instant = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(text);
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        day: { type: 'string' },
        url: { type: 'string', default: 'http://127.0.0.1:4000' },
        'in-flight': { type: 'string', default: '16' },
        hospital: { type: 'string' },
        'through-the-day': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw complaint(error instanceof Error ? error.message : String(error));
  }
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw complaint(`--url ${text} is not an http address.`);
  return url.origin;
}

function readInFlight(text: string): number {
  const inFlight = Number(text);
  if (!/^\d+$/.test(text) || inFlight < 1 || inFlight > 200)
    throw complaint(`--in-flight ${text} is not a number from 1 to 200.`);
  return inFlight;
}

function readSlug(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text))
    throw complaint(`--hospital ${text} is not made of lower-case letters, digits and dashes.`);
  return text;
}

function complaint(message: string): Error {
  return new Error(`${message}\n\n${usage}`);
}
