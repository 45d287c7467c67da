import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDay } from '../../replay/read-day.ts';

const header = 'appointment_id,patient_id,gender,age,health_post,requested_at,day,showed_up';
const good = '5217179,1.42333E+12,M,84,SANTO ANDRÉ,2016-01-05T11:53:44Z,2016-04-29,yes';

test('a day is read in the order of request, whatever the order of the file', async () => {
  const requests = readDay(await readFile(join(import.meta.dirname, 'a-day.csv'), 'utf8'));
  expect(requests).toHaveLength(40);
  expect(requests.map(({ line }) => line).slice(0, 4)).toEqual([4, 3, 2, 5]);
  const times = requests.map(({ requestedAt }) => requestedAt.getTime());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('every column has its meaning; a byte order mark and other line ends do no harm', () => {
  const [request, ...others] = readDay(`\uFEFF${header}\r\n${good}\r\n`);
  expect(others).toEqual([]);
  expect(request).toEqual({
    line: 2,
    appointmentNumber: '5217179',
    patientNumber: '1.42333E+12',
    age: 84,
    healthPost: 'SANTO ANDRÉ',
    requestedAt: new Date('2016-01-05T11:53:44Z'),
    showedUp: true,
  });
});

test('requests of the same instant keep the order of the file', () => {
  const rows = Array.from({ length: 20 }, (_, number) =>
    good.replace('5217179', String(number + 1)),
  );
  const requests = readDay([header, ...rows].join('\n'));
  expect(requests.map(({ appointmentNumber }) => Number(appointmentNumber))).toEqual(
    rows.map((_, number) => number + 1),
  );
});

test.each([
  ['appointment_id', 'x1', 'appointment_id "x1" is not a number'],
  ['patient_id', '', 'patient_id "" is not a number'],
  ['patient_id', '-5', 'patient_id "-5" is not a number'],
  ['gender', 'X', 'gender "X" is neither F nor M'],
  ['age', '-1', 'age "-1" is not a number of years'],
  ['age', '131', 'age "131" is more than 130 years'],
  ['health_post', '  ', 'health_post "  " is empty'],
  ['health_post', 'x'.repeat(201), 'is longer than 200 characters'],
  ['requested_at', '2016-01-05', 'requested_at "2016-01-05" is not an instant'],
  ['requested_at', '2016-13-05T11:53:44Z', 'is not an instant'],
  ['day', '29.04.2016', 'day "29.04.2016" is not a day'],
  ['showed_up', 'maybe', 'showed_up "maybe" is neither yes nor no'],
])('%s = "%s" is told with its line', (column, value, complaint) => {
  const cells = good.split(',');
  cells[header.split(',').indexOf(column)] = value;
  const next = good.replace('5217179', '5217180');
  expect(() => readDay([header, next, cells.join(',')].join('\n'))).toThrow(`line 3: `);
  expect(() => readDay([header, next, cells.join(',')].join('\n'))).toThrow(complaint);
});

test.each([
  ['nothing at all', '', 'The file holds no appointment.'],
  ['a header alone', header, 'The file holds no appointment.'],
  ['columns missing', 'appointment_id,age\n1,2', 'line 1: columns are missing: patient_id, gender'],
  ['one column missing', good.replace('5217179,', ''), 'line 1: columns are missing'],
  ['a row too short', `${header}\n1,2,F`, 'The file is not CSV: Invalid Record Length'],
  ['an open quote', `${header}\n"${good}`, 'The file is not CSV: Quote Not Closed'],
  [
    'an id twice',
    `${header}\n${good}\n${good}`,
    'line 3: appointment_id 5217179 is that of line 2',
  ],
  [
    'two days',
    `${header}\n${good}\n${good.replace('5217179', '1').replace('04-29', '04-30')}`,
    'line 3: day is 2016-04-30, but the file began with 2016-04-29',
  ],
])('a file with %s is refused', (_what, text, complaint) => {
  expect(() => readDay(text)).toThrow(complaint);
});

test('all faults are counted, the first ten are shown', () => {
  const rows = Array.from({ length: 14 }, () => good.replace('5217179', 'x'));
  const read = () => readDay([header, ...rows].join('\n'));
  expect(read).toThrow('The file has 14 faults:');
  expect(read).toThrow('line 11: ');
  expect(read).not.toThrow('line 12: ');
  expect(read).toThrow('and 4 more');
});

test('a very long value does not fill the terminal', () => {
  const line = good.replace('5217179', 'x'.repeat(5_000));
  expect(() => readDay(`${header}\n${line}`)).toThrow(`"${'x'.repeat(40)}…"`);
});
