import { expect, test } from 'vitest';
import { createDatabase } from '../helpers/database.ts';

const { ownerPool } = await createDatabase();

async function fill(words: string, facts: Record<string, unknown> | null): Promise<string> {
  const { rows } = await ownerPool.query<{ filled: string }>(
    'select app_private.fill_template(words => $1, facts => $2) as filled',
    [words, facts],
  );
  return rows[0]?.filled ?? '';
}

test.each([
  ['a text without names', 'Nothing to fill.', {}, 'Nothing to fill.'],
  ['a name at each end', '{a} and {b}', { a: 'one', b: 'two' }, 'one and two'],
  ['a name that comes twice', '{a}, {a}!', { a: 'one' }, 'one, one!'],
  ['names next to each other', '{a}{b}{a}', { a: '1', b: '2' }, '121'],
  ['a fact that nobody asks for', 'On {a}.', { a: 'Monday', b: 'Tuesday' }, 'On Monday.'],
  ['a name without a fact', 'With {doctor}, {location}.', { doctor: 'Dr. One' }, 'With Dr. One, .'],
  ['a fact that is null', 'It was cancelled. {reason}', { reason: null }, 'It was cancelled.'],
  ['a fact that is empty', 'It was cancelled. {reason}', { reason: '' }, 'It was cancelled.'],
  ['no facts at all', 'It was {how} cancelled. {reason}', null, 'It was  cancelled.'],
  ['percent signs, backslashes, quotes', '100 % {a}', { a: "%s \\1 'x'" }, "100 % %s \\1 'x'"],
  ['a number', '{a} days', { a: 3 }, '3 days'],
])('%s', async (_what, words, facts, filled) => {
  expect(await fill(words, facts)).toBe(filled);
});

test('what a person wrote is never read as a template, whatever comes first', async () => {
  const facts = { reason: 'see {doctor} {reason} {', doctor: '{reason}', a: '}{doctor}' };
  expect(await fill('{doctor}: {reason}', facts)).toBe('{reason}: see {doctor} {reason} {');
  expect(await fill('{a}{reason}', facts)).toBe('}{doctor}see {doctor} {reason} {');
});
