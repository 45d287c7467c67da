import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';

/** One migration: its file, and the hash in the file's head or in the database. */
export interface Migration {
  filename: string;
  hash: string;
}

/**
 * The committed migrations of a folder, in order. The database knows them by their number alone:
 * `000001-foundation.sql` is `000001.sql` there, and here.
 */
export async function committedMigrations(migrationsFolder: string): Promise<Migration[]> {
  const folder = join(migrationsFolder, 'committed');
  const files = (await namesIn(folder)).flatMap((name) => {
    const number = /^(\d+)(-[-\w]*)?\.sql$/.exec(name)?.[1];
    return number === undefined ? [] : [{ name, filename: `${number}.sql` }];
  });
  const migrations = files.map(async ({ name, filename }) => {
    const text = await readFile(join(folder, name), 'utf8');
    return { filename, hash: /^--! Hash: (.*)$/m.exec(text)?.[1]?.trim() ?? '' };
  });
  const all = await Promise.all(migrations);
  return all.sort((one, other) => (one.filename < other.filename ? -1 : 1));
}

/** The migrations that a database has had, in order. */
export async function appliedMigrations(client: Client): Promise<Migration[]> {
  const { rows } = await client.query<{ exists: boolean }>(
    "select pg_catalog.to_regclass('graphile_migrate.migrations') is not null as exists",
  );
  if (!rows[0]?.exists) return [];
  const applied = await client.query<Migration>(
    'select filename, hash from graphile_migrate.migrations order by filename collate "C"',
  );
  return applied.rows;
}

/** Throws when the database has had migrations that this code does not know, or knows otherwise. */
export function refuseUnknown(applied: Migration[], committed: Migration[]): void {
  const known = new Map(committed.map(({ filename, hash }) => [filename, hash]));
  const newer = applied.filter(({ filename }) => !known.has(filename));
  if (newer.length > 0) {
    const names = newer.map(({ filename }) => filename).join(', ');
    throw new Error(
      `The database is newer than this code: it has had ${names}, which this code does not know. ` +
        'Run the newer code, or restore a backup from before.',
    );
  }
  const changed = applied.filter(({ filename, hash }) => known.get(filename) !== hash);
  if (changed.length > 0) {
    const names = changed.map(({ filename }) => filename).join(', ');
    throw new Error(`Committed migrations were changed after the database had them: ${names}.`);
  }
}

/** Whether something stands in `migrations/current` besides comments. */
export async function hasCurrentMigration(migrationsFolder: string): Promise<boolean> {
  const folder = join(migrationsFolder, 'current');
  const names = (await namesIn(folder)).filter((name) => name.endsWith('.sql'));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.some((text) => text.split('\n').some((line) => !/^\s*(--(?!!).*)?$/.test(line)));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
