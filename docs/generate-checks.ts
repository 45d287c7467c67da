import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import type { Damage } from '../drill/damage.ts';
import { allDamages } from '../drill/damages/index.ts';
import { exampleOf } from './check-example.ts';
import { type CheckEntry, checkPage, checksPage, checksQuery } from './check-pages.ts';

/** Writes docs/checks.md and a page for each check of the catalog, each with an example that shows it. */
export async function generateChecks(client: ClientBase): Promise<void> {
  const folder = join(import.meta.dirname, 'checks');
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (name.endsWith('.md')) await rm(join(folder, name));
  }
  const damages = await allDamages();
  const { rows: entries } = await client.query<CheckEntry>(checksQuery);
  for (const entry of entries) {
    const own = damages.filter(({ check }) => check === entry.name);
    const example = own[0] && (await shown(client, own[0]));
    const page = checkPage(entry, own, example);
    await writeFile(join(folder, `${entry.name}.md`), page);
  }
  await writeFile(join(import.meta.dirname, 'checks.md'), checksPage(entries));
}

async function shown(client: ClientBase, damage: Damage): Promise<string> {
  try {
    return await exampleOf(client, damage);
  } catch (error) {
    throw new Error(`There is no example of ${damage.check}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
