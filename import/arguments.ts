import { parseArgs } from 'node:util';
import { type ImportKind, importKinds } from './columns.ts';

/** What the command line asks for. */
export interface ImportArguments {
  kind: ImportKind;
  file: string;
  /** Slug of the hospital. */
  hospital: string;
  /** Whether everything is only tried. */
  isDryRun: boolean;
  /** How many faults are listed; all are counted. */
  maxFaults: number;
}

/** Shown beneath every complaint about the command line. */
export const usage = `Usage: npm run import -- <${importKinds.join('|')}> <file.csv> --hospital <slug> [--dry-run] [--max-faults 1000]

  --hospital    short name of the hospital that the rows are for
  --dry-run     tries everything, tells every fault, stores nothing
  --max-faults  how many faults are listed, 1 to 100000; all are counted

Leaves with 0 when everything was imported (or would be), 1 when rows are at fault, 2 when the import
could not be carried out. In the last two cases nothing was stored.`;

/** Reads the command line; throws an Error that says what is wrong with it. */
export function readArguments(words: readonly string[]): ImportArguments {
  const { values, positionals } = parse(words);
  const [kind, file, ...more] = positionals;
  if (kind === undefined) throw complaint(`Say what to import: ${importKinds.join(', ')}.`);
  if (!isKind(kind)) throw complaint(`"${kind}" is none of ${importKinds.join(', ')}.`);
  if (file === undefined) throw complaint('The file to import is missing.');
  if (more.length > 0) throw complaint(`One file at a time; "${more[0]}" is one too many.`);
  if (values.hospital === undefined) throw complaint('--hospital is missing.');
  return {
    kind,
    file,
    hospital: values.hospital,
    isDryRun: values['dry-run'],
    maxFaults: readMaxFaults(values['max-faults']),
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        hospital: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        'max-faults': { type: 'string', default: '1000' },
      },
    });
  } catch (error) {
    throw complaint(error instanceof Error ? error.message : String(error));
  }
}

function isKind(word: string): word is ImportKind {
  return importKinds.some((kind) => kind === word);
}

function readMaxFaults(text: string): number {
  const count = Number(text);
  if (!/^\d{1,6}$/.test(text) || count < 1 || count > 100_000)
    throw complaint(`--max-faults ${text} is not a number from 1 to 100000.`);
  return count;
}

function complaint(message: string): Error {
  return new Error(`${message}\n\n${usage}`);
}
