import { expect, test } from 'vitest';
import { readArguments, usage } from '../../import/arguments.ts';

test('what is needed, and what may be', () => {
  expect(readArguments(['patients', 'a.csv', '--hospital', 'demo'])).toEqual({
    kind: 'patients',
    file: 'a.csv',
    hospital: 'demo',
    isDryRun: false,
    maxFaults: 1_000,
  });
  expect(
    readArguments(['--dry-run', '--max-faults', '5', '--hospital=demo', 'doctors', 'b.csv']),
  ).toMatchObject({ kind: 'doctors', isDryRun: true, maxFaults: 5 });
});

test.each([
  [[], 'Say what to import: doctors, patients, schedules, appointments.'],
  [['nurses'], '"nurses" is none of doctors, patients, schedules, appointments.'],
  [['doctors'], 'The file to import is missing.'],
  [['doctors', 'a.csv', 'b.csv'], 'One file at a time; "b.csv" is one too many.'],
  [['doctors', 'a.csv'], '--hospital is missing.'],
  [
    ['doctors', 'a.csv', '--hospital', 'h', '--max-faults', '0'],
    '--max-faults 0 is not a number from 1 to 100000.',
  ],
  [
    ['doctors', 'a.csv', '--hospital', 'h', '--max-faults', 'many'],
    '--max-faults many is not a number from 1 to 100000.',
  ],
  [['doctors', 'a.csv', '--force'], "Unknown option '--force'"],
])('%j is refused with the usage', (words, message) => {
  const attempt = () => readArguments(words);
  expect(attempt).toThrow(message);
  expect(attempt).toThrow(usage);
});
