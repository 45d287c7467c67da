import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { type CatalogEntry, catalogQuery, errorsPage } from './errors-page.ts';

/** Writes docs/errors.md from the catalog of refusals. */
export async function generateErrors(client: ClientBase): Promise<void> {
  const { rows } = await client.query<CatalogEntry>(catalogQuery);
  await writeFile(join(import.meta.dirname, 'errors.md'), errorsPage(rows));
}
