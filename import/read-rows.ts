import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { columnsOf, type ImportKind } from './columns.ts';

/** A file that cannot be read as CSV of its kind. */
export class ImportFileError extends Error {
  override readonly name = 'ImportFileError';
}

/** One row of a file. */
export interface FileRow {
  /** As a spreadsheet numbers it: the header is row 1. */
  row: number;
  /** By column; null when the row has another number of cells than the header. */
  cells: Readonly<Record<string, string>> | null;
}

// A quote that is never closed would otherwise take in the rest of the file.
const longestRecord = 100_000;

/**
 * Reads the rows of a file one after the other, never more of it than a moment needs: UTF-8 with or
 * without a byte order mark, commas, quotes as in RFC 4180, any line ends. Rows without any text are
 * passed over. Throws an ImportFileError for what is not CSV and for a header of another kind.
 */
export async function* readRows(
  file: string,
  kind: ImportKind,
  onBytes: (count: number) => void,
): AsyncGenerator<FileRow> {
  const parser = parse({
    relax_column_count: true,
    skip_empty_lines: false,
    max_record_size: longestRecord,
  });
  // What goes wrong on the way in comes out of the parser.
  pipeline(Readable.from(textOf(file, onBytes)), parser, () => {});
  let header: string[] | undefined;
  let row = 0;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      row += 1;
      if (!header) {
        header = checkHeader(record, kind);
        continue;
      }
      if (record.every((cell) => cell.trim() === '')) continue;
      yield { row, cells: cellsOf(header, record) };
    }
  } catch (error) {
    throw explained(error);
  }
  if (!header) throw new ImportFileError('The file is empty.');
}

function cellsOf(header: readonly string[], record: readonly string[]): FileRow['cells'] {
  if (record.length !== header.length) return null;
  return Object.fromEntries(header.map((name, index) => [name, record[index] ?? '']));
}

async function* textOf(file: string, onBytes: (count: number) => void): AsyncGenerator<string> {
  // It takes a byte order mark away.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  const decode = (chunk?: Buffer) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new ImportFileError(
        `The file is not in UTF-8: ${lineOfFault(chunk, line)}. Save it as CSV UTF-8.`,
      );
    }
  };
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const text = decode(chunk);
    const nul = text.indexOf('\0');
    if (nul !== -1) {
      const at = line + linesIn(text.slice(0, nul));
      throw new ImportFileError(`line ${at}: a NUL character. Save the file as CSV UTF-8.`);
    }
    line += linesIn(text);
    yield text;
    onBytes(chunk.length);
  }
  yield decode();
}

/** The line in which a chunk stops being UTF-8, found by decoding it piece by piece. */
function lineOfFault(chunk: Buffer | undefined, line: number): string {
  if (!chunk) return `line ${line} ends within a character`;
  const lossy = new TextDecoder().decode(chunk);
  const fault = lossy.indexOf('\uFFFD');
  return `line ${line + linesIn(lossy.slice(0, Math.max(fault, 0)))}`;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

function checkHeader(record: readonly string[], kind: ImportKind): string[] {
  const header = record.map((name) => name.trim());
  const { needed, optional } = columnsOf[kind];
  const known = [...needed, ...optional];
  const missing = needed.filter((name) => !header.includes(name));
  const unknown = header.filter((name) => !known.includes(name));
  const repeated = new Set(header.filter((name, index) => header.indexOf(name) < index));
  const faults = [
    ...list('missing', missing),
    ...list('unknown', unknown),
    ...list('there twice', [...repeated]),
  ];
  if (faults.length === 0) return header;
  const hint =
    header.length === 1 && /[;\t]/.test(header[0] ?? '')
      ? ' The columns seem to be separated by something else than commas.'
      : '';
  throw new ImportFileError(
    `line 1: ${faults.join('; ')}.${hint} A file of ${kind} has the columns ${needed.join(',')} and may have ${optional.join(',')}.`,
  );
}

function list(fault: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const quoted = names.map((name) => JSON.stringify(name.slice(0, 60)));
  return [`${names.length === 1 ? 'column' : 'columns'} ${fault}: ${quoted.join(', ')}`];
}

function wordsOf(error: CsvError): string {
  // Found at the end of the file, or far below: what helps is where it began.
  const began = `row ${Number(error.records) + 1}: a quote is opened and never closed`;
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return `${began}.`;
  if (error.code === 'CSV_MAX_RECORD_SIZE') return `${began}, or the row is far too long.`;
  return error.message;
}

function explained(error: unknown): Error {
  if (error instanceof CsvError)
    return new ImportFileError(`The file is not CSV: ${wordsOf(error)}`, { cause: error });
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new ImportFileError('There is no such file.', { cause: error });
  if (code === 'EISDIR') return new ImportFileError('That is a folder.', { cause: error });
  return error as Error;
}
