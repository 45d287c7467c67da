import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readRows } from '../../import/read-rows.ts';

const folder = await mkdtemp(join(tmpdir(), 'slotkeeper-import-'));
afterAll(() => rm(folder, { recursive: true }));
const file = join(folder, 'patients.csv');
const header = 'medical_record_number,name,phone';

async function read(content: string | Uint8Array) {
  await writeFile(file, content);
  let bytes = 0;
  const rows = await Array.fromAsync(readRows(file, 'patients', (count) => (bytes += count)));
  expect(bytes).toBe(Buffer.byteLength(content));
  return rows;
}

async function complaint(content: string | Uint8Array): Promise<string> {
  await writeFile(file, content);
  const attempt = Array.fromAsync(readRows(file, 'patients', () => {}));
  const error = await attempt.then(
    () => new Error('it was read'),
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ name: 'ImportFileError' });
  return error.message;
}

const ann = { medical_record_number: '1', name: 'Ann', phone: '123' };

describe('a file is read whatever made it', () => {
  test.each([
    ['plain', `${header}\n1,Ann,123\n`],
    ['without a last line end', `${header}\n1,Ann,123`],
    ['from Windows', `${header}\r\n1,Ann,123\r\n`],
    ['with a byte order mark', `\uFEFF${header}\n1,Ann,123\n`],
    ['with quotes', `"medical_record_number","name","phone"\n"1","Ann","123"\n`],
    ['with spaces in the header', `medical_record_number , name,phone\n1,Ann,123\n`],
    ['with columns in another order', `phone,name,medical_record_number\n123,Ann,1\n`],
  ])('%s', async (_, content) => {
    expect(await read(content)).toEqual([{ row: 2, cells: ann }]);
  });

  test('quotes keep commas, quotes and line ends; letters are those of the world', async () => {
    expect(await read(`${header}\n1,"Ann ""A."" O'Neil,\njunior",\n2,Ñandú 患者 🏥,\n`)).toEqual([
      { row: 2, cells: { ...ann, name: 'Ann "A." O\'Neil,\njunior', phone: '' } },
      { row: 3, cells: { medical_record_number: '2', name: 'Ñandú 患者 🏥', phone: '' } },
    ]);
  });

  test('rows are numbered as a spreadsheet does, and those without text are passed over', async () => {
    const rows = await read(`${header}\n\n1,Ann,123\n,,\n  , ,\n1,Ann,123\n\n`);
    expect(rows.map(({ row }) => row)).toEqual([3, 6]);
  });

  test('a row with more or fewer cells than the header is told apart', async () => {
    expect(await read(`${header}\n1,Ann\n1,Ann,123\n1,Ann,123,\n`)).toEqual([
      { row: 2, cells: null },
      { row: 3, cells: ann },
      { row: 4, cells: null },
    ]);
  });

  test('letters that fall apart between two pieces of the file come together', async () => {
    const names = Array.from({ length: 40_000 }, (_, index) => `${index},患者${index},`);
    const rows = await read(`${header}\n${names.join('\n')}\n`);
    expect(rows).toHaveLength(40_000);
    expect(rows.every(({ cells }, index) => cells?.name === `患者${index}`)).toBe(true);
  });
});

describe('a file that is something else is told so', () => {
  const needed =
    'A file of patients has the columns medical_record_number,name and may have phone,email,date_of_birth.';
  test.each([
    ['nothing', '', 'The file is empty.'],
    [
      'no header',
      '1,Ann\n',
      `line 1: columns missing: "medical_record_number", "name"; columns unknown: "1", "Ann". ${needed}`,
    ],
    [
      'a column too few',
      'name,phone\n',
      `line 1: column missing: "medical_record_number". ${needed}`,
    ],
    ['a column too many', `${header},age\n`, `line 1: column unknown: "age". ${needed}`],
    ['a column twice', `${header},name\n`, `line 1: column there twice: "name". ${needed}`],
    [
      'semicolons',
      'medical_record_number;name\n',
      `line 1: columns missing: "medical_record_number", "name"; column unknown: "medical_record_number;name". The columns seem to be separated by something else than commas. ${needed}`,
    ],
  ])('%s', async (_, content, message) => {
    expect(await complaint(content)).toBe(message);
  });

  test('a quote that is never closed, with the row where it opens', async () => {
    expect(await complaint(`${header}\n1,Ann,\n2,"Bob,\n3,Cleo,\n`)).toBe(
      'The file is not CSV: row 3: a quote is opened and never closed.',
    );
  });

  test('a quote in the middle of a cell, with its line', async () => {
    expect(await complaint(`${header}\n1,Ann,\n2,"Bob" Smith,\n`)).toMatch(
      /^The file is not CSV: .*line 3/,
    );
    expect(await complaint(`${header}\n1,Ann "A.",\n`)).toMatch(/^The file is not CSV: .*line 2/);
  });

  test('a quote that takes in the whole rest ends early', async () => {
    const rest = '2,Bob,\n'.repeat(50_000);
    expect(await complaint(`${header}\n1,"Ann,\n${rest}`)).toBe(
      'The file is not CSV: row 2: a quote is opened and never closed, or the row is far too long.',
    );
  });

  test('another encoding, with the line where it shows', async () => {
    const latin = Buffer.from(`${header}\n1,Ann,\n2,Jos\u00e9,\n`, 'latin1');
    expect(await complaint(latin)).toBe('The file is not in UTF-8: line 3. Save it as CSV UTF-8.');
    const utf16 = Buffer.from(`\uFEFF${header}\n1,Ann,\n`, 'utf16le');
    expect(await complaint(utf16)).toBe('The file is not in UTF-8: line 1. Save it as CSV UTF-8.');
    const cut = Buffer.from(`${header}\n1,患`).subarray(0, -1);
    expect(await complaint(cut)).toMatch(/^The file is not in UTF-8: line 2 ends within/);
  });

  test('a NUL, which no text of the database can hold', async () => {
    expect(await complaint(`${header}\n1,Ann\0,\n`)).toMatch(/^line 2: a NUL character/);
  });

  test('no file, and a folder', async () => {
    const attempt = (path: string) =>
      Array.fromAsync(readRows(path, 'patients', () => {})).catch((error: Error) => error.message);
    expect(await attempt(join(folder, 'nowhere.csv'))).toBe('There is no such file.');
    expect(await attempt(folder)).toBe('That is a folder.');
  });
});
