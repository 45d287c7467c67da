// The pages of the checks say what the catalog says, and show what their damages show.
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { exampleOf } from '../../docs/check-example.ts';
import {
  type CheckEntry,
  checkPage,
  checksPage,
  checksQuery,
  exampleFence,
} from '../../docs/check-pages.ts';
import { allDamages } from '../../drill/damages/index.ts';
import { createDatabase } from '../helpers/database.ts';

const { ownerPool } = await createDatabase();
const docs = resolve(import.meta.dirname, '../../docs');
const { rows: entries } = await ownerPool.query<CheckEntry>(checksQuery);
const damages = await allDamages();

test('docs/checks.md is up to date: npm run docs', async () => {
  expect(await readFile(resolve(docs, 'checks.md'), 'utf8')).toBe(checksPage(entries));
});

test('every check has its page, and every page its check: npm run docs', async () => {
  const pages = await readdir(resolve(docs, 'checks')).catch(() => []);
  expect(pages.toSorted()).toEqual(entries.map(({ name }) => `${name}.md`).toSorted());
});

test.each(entries)('the page of $name is up to date: npm run docs', async (entry) => {
  const page = await readFile(resolve(docs, 'checks', `${entry.name}.md`), 'utf8');
  const own = damages.filter(({ check }) => check === entry.name);
  const client = await ownerPool.connect();
  try {
    const example = own[0] && (await exampleOf(client, own[0]));
    const made = checkPage(entry, own, example);
    expect(wordsOf(page)).toBe(wordsOf(made));
    // Counts may be of the machine that made them.
    expect(withoutNumbers(exampleIn(page))).toBe(withoutNumbers(exampleIn(made)));
  } finally {
    client.release();
  }
});

function wordsOf(page: string): string {
  return page.replace(exampleIn(page), '');
}

function exampleIn(page: string): string {
  return page.slice(page.indexOf(exampleFence.begins), page.indexOf(exampleFence.ends));
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+(\.\d+)?/g, '0');
}
