// The catalog of refusals and the code agree, in both directions.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type CatalogEntry, catalogQuery, errorsPage } from '../../docs/errors-page.ts';
import { createDatabase } from '../helpers/database.ts';
import {
  refusalsInTypeScript,
  scenariosInSql,
  scenariosTakenFromCatalog,
} from './scenarios-in-code.ts';

const { ownerPool } = await createDatabase();
const { rows: catalog } = await ownerPool.query<CatalogEntry>(catalogQuery);
const known = new Map(catalog.map((entry) => [entry.scenario, entry]));

const inSql = await scenariosInSql();
const inTypeScript = await refusalsInTypeScript();
const taken = await scenariosTakenFromCatalog();

test('the code is read: each way to refuse is found', () => {
  const words = (found: readonly { scenario: string }[]) => found.map(({ scenario }) => scenario);
  // Plain, in a case, as a verdict, as a fallback.
  expect(words(inSql)).toEqual(
    expect.arrayContaining(['not_logged_in', 'slot_is_not_blocked', 'during_break', 'slot_booked']),
  );
  // As a form, by a function of the transport, as a limit, in the table of limits.
  expect(words(inTypeScript)).toEqual(
    expect.arrayContaining(['try_again', 'malformed_json', 'too_many_tokens', 'query_too_deep']),
  );
  expect(words(taken)).toContain('invalid_credentials');
});

test('every scenario that the database raises is in the catalog', () => {
  expect(inSql.filter(({ scenario }) => !known.has(scenario))).toEqual([]);
});

test('every scenario that the server raises is in the catalog', () => {
  expect([...inTypeScript, ...taken].filter(({ scenario }) => !known.has(scenario))).toEqual([]);
});

test('every scenario of the catalog is raised somewhere', () => {
  const raised = new Set([...inSql, ...inTypeScript, ...taken].map(({ scenario }) => scenario));
  expect(catalog.map(({ scenario }) => scenario).filter((each) => !raised.has(each))).toEqual([]);
});

test.each(inTypeScript)('$scenario of $file is of the kind that the catalog says', (refusal) => {
  const entry = known.get(refusal.scenario);
  expect({ code: refusal.code, recoverable: refusal.recoverable }).toEqual({
    code: entry?.code,
    recoverable: entry?.is_recoverable,
  });
});

// Where the words depend on the case, the catalog has the general ones.
const general: Readonly<Record<string, string>> = {
  invalid_request: 'says what is missing',
  query_too_deep: 'says which depth',
};

test.each(inTypeScript.filter(({ scenario }) => !general[scenario]))(
  '$scenario of $file has the words of the catalog',
  ({ scenario, message, hint }) => {
    const entry = known.get(scenario);
    if (message !== undefined) expect(message).toBe(entry?.message);
    if (hint !== undefined) expect(hint).toBe(entry?.hint);
  },
);

test('docs/errors.md is up to date: npm run docs', async () => {
  const page = await readFile(resolve(import.meta.dirname, '../../docs/errors.md'), 'utf8');
  expect(page).toBe(errorsPage(catalog));
});
