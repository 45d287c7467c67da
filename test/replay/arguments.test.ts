import { expect, test } from 'vitest';
import { isDay, readArguments } from '../../replay/arguments.ts';

test('a file and a day are enough', () => {
  expect(readArguments(['day.csv', '--day', '2027-03-01'])).toEqual({
    file: 'day.csv',
    day: '2027-03-01',
    url: 'http://127.0.0.1:4000',
    inFlight: 16,
    hospital: undefined,
    throughTheDay: false,
  });
});

test('everything can be chosen', () => {
  const words =
    '--day 2027-03-01 --url http://localhost:5000/ --in-flight 3 --hospital city --through-the-day day.csv';
  expect(readArguments(words.split(' '))).toEqual({
    file: 'day.csv',
    day: '2027-03-01',
    url: 'http://localhost:5000',
    inFlight: 3,
    hospital: 'city',
    throughTheDay: true,
  });
});

test.each([
  ['', 'The file to replay is missing.'],
  ['day.csv', '--day is missing.'],
  ['day.csv other.csv --day 2027-03-01', '"other.csv" is one too many'],
  ['day.csv --day tomorrow', '--day tomorrow is not a day'],
  ['day.csv --day 2027-02-29', '--day 2027-02-29 is not a day'],
  ['day.csv --day 2027-03-01 --url ftp://here', '--url ftp://here is not an http address'],
  ['day.csv --day 2027-03-01 --in-flight 0', '--in-flight 0 is not a number from 1 to 200'],
  ['day.csv --day 2027-03-01 --in-flight 201', '--in-flight 201 is not'],
  ['day.csv --day 2027-03-01 --in-flight 1.5', '--in-flight 1.5 is not'],
  ['day.csv --day 2027-03-01 --hospital The_City', '--hospital The_City is not made of'],
  ['day.csv --day 2027-03-01 --fast', "Unknown option '--fast'"],
])('"%s" is told: %s', (words, complaint) => {
  const read = () => readArguments(words.split(' ').filter(Boolean));
  expect(read).toThrow(complaint);
  expect(read).toThrow('Usage: npm run replay');
});

test('a day is one of the calendar', () => {
  expect(['2028-02-29', '2027-12-31'].map(isDay)).toEqual([true, true]);
  expect(['2027-02-29', '2027-13-01', '27-01-01', '2027-1-1', '2027-01-01T'].map(isDay)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});
