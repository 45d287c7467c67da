import { expect, test } from 'vitest';
import { createDatabase } from '../helpers/database.ts';

const { ownerPool } = await createDatabase();

type Facts = Record<string, string | null>;

async function fill(words: string, facts: Facts | null = {}): Promise<string> {
  const { patient = null, doctor = null, location = null, starts_at = null, ...more } = facts ?? {};
  const { rows } = await ownerPool.query<{ filled: string }>(
    `select app_private.fill_template(words => $1, patient => $2, doctor => $3, location => $4,
       starts_at => $5, facts => $6) as filled`,
    [words, patient, doctor, location, starts_at, facts && more],
  );
  return rows[0]?.filled ?? '';
}

test.each<[string, string, Facts | null, string]>([
  ['a text without names', 'Nothing to fill.', {}, 'Nothing to fill.'],
  [
    'a name at each end',
    '{doctor} and {patient}',
    { doctor: 'one', patient: 'two' },
    'one and two',
  ],
  ['a name that comes twice', '{doctor}, {doctor}!', { doctor: 'one' }, 'one, one!'],
  ['names next to each other', '{reason}{doctor}{reason}', { reason: '1', doctor: '2' }, '121'],
  [
    'a fact that nobody asks for',
    'On {starts_at}.',
    { starts_at: 'Monday', reason: 'x' },
    'On Monday.',
  ],
  ['a name without a fact', 'With {doctor}, {location}.', { doctor: 'Dr. One' }, 'With Dr. One, .'],
  ['a fact that is null', 'It was cancelled. {reason}', { reason: null }, 'It was cancelled.'],
  ['a fact that is empty', 'It was cancelled. {reason}', { reason: '' }, 'It was cancelled.'],
  ['no further facts at all', 'It was cancelled. {reason} {message}', null, 'It was cancelled.'],
  ['percent signs in the words', '100 %s %1$s of {doctor}', { doctor: 'x' }, '100 %s %1$s of x'],
  [
    'percent signs, backslashes, quotes in a fact',
    '{reason}',
    { reason: "%s \\1 'x'" },
    "%s \\1 'x'",
  ],
])('%s', async (_what, words, facts, filled) => {
  expect(await fill(words, facts)).toBe(filled);
});

test('what a person wrote is never read as a template, whichever comes first', async () => {
  const facts = {
    reason: 'see {doctor} {reason} { %2$s',
    doctor: '{reason}',
    patient: '}{doctor}',
  };
  expect(await fill('{doctor}: {reason}', facts)).toBe('{reason}: see {doctor} {reason} { %2$s');
  expect(await fill('{patient}{reason}', facts)).toBe('}{doctor}see {doctor} {reason} { %2$s');
});

test('every name that a template may use is filled', async () => {
  const { rows } = await ownerPool.query<{ definition: string }>(
    `select pg_get_constraintdef(oid) as definition from pg_catalog.pg_constraint
     where conname = 'names_in_braces_stand_for_facts'`,
  );
  const names =
    /\(((?:[a-z_]+\|)+[a-z_]+)\)/.exec(rows[0]?.definition ?? '')?.[1]?.split('|') ?? [];
  expect(names).toContain('starts_at');
  const facts = Object.fromEntries(names.map((name) => [name, `<${name}>`]));
  expect(await fill(names.map((name) => `{${name}}`).join(' '), facts)).toBe(
    names.map((name) => `<${name}>`).join(' '),
  );
});
