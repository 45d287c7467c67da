import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

const project = resolve(import.meta.dirname, '..', '..');

/** A file of sql/, by its path there. */
export type SqlFile = { path: string; text: string };

/** All files of sql/, in an order in which they can be applied to a migrated database. */
export async function sqlFolder(): Promise<SqlFile[]> {
  const files = await sqlFilesIn('sql');
  const steps = [/^roles\.sql$/, /^functions\/foundation\//, /^functions\//, /^policies\//, /^/];
  const stepOf = ({ path }: SqlFile) => steps.findIndex((step) => step.test(path));
  return files.toSorted(
    (one, other) => stepOf(one) - stepOf(other) || (one.path < other.path ? -1 : 1),
  );
}

/** Files of sql/ that some migration includes; a committed migration holds them between marks. */
export async function includedFiles(): Promise<Set<string>> {
  const migrations = [
    ...(await sqlFilesIn('migrations/current')),
    ...(await sqlFilesIn('migrations/committed')),
  ];
  const marks = migrations.flatMap(({ text }) => [
    ...text.matchAll(/^--! ?[Ii]nclude[d]? (\S+)$/gm),
  ]);
  return new Set(marks.map(([, path = '']) => path));
}

async function sqlFilesIn(folder: string): Promise<SqlFile[]> {
  const root = join(project, folder);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.sql'))
    .map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (path) => ({
      path: relative(root, path),
      text: await readFile(path, 'utf8'),
    })),
  );
}
