import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { commandAs, type Identity } from './identity.ts';

const run = promisify(execFile);

/** Name of the file in the database folder that holds our settings. */
export const settingsFile = 'slotkeeper.conf';

/**
 * Whether the folder holds a whole database cluster. Ours are built beside their place and moved
 * there when done, so only a folder that came about otherwise can be half a cluster.
 */
export async function isInitialised(databaseFolder: string): Promise<boolean> {
  const files = ['PG_VERSION', 'global/pg_control', settingsFile];
  const found = await Promise.all(files.map((file) => exists(join(databaseFolder, file))));
  return found.every(Boolean);
}

/**
 * Creates the cluster of `databaseFolder`. Killed at any moment, it leaves no folder of that name,
 * only a draft that the next call removes. An unfinished folder is put aside, never deleted.
 */
export async function initialise(options: {
  databaseFolder: string;
  initdb: string;
  identity: Identity;
  password: string;
  durable: boolean;
  say: (message: string) => void;
}): Promise<void> {
  const { databaseFolder, identity } = options;
  await removeDrafts(databaseFolder);
  await putAside(databaseFolder, options.say);
  const draft = `${databaseFolder}.draft-${process.pid}-${randomBytes(3).toString('hex')}`;
  await mkdir(draft, { mode: 0o700 });
  await giveTo(identity, draft);
  await runInitdb({ ...options, cluster: join(draft, 'cluster'), draft });
  const cluster = join(draft, 'cluster');
  await appendFile(join(cluster, 'postgresql.conf'), `\ninclude = '${settingsFile}'\n`);
  await writeFile(join(cluster, settingsFile), '', { mode: 0o600 });
  await giveTo(identity, join(cluster, settingsFile));
  await rename(cluster, databaseFolder);
  await rm(draft, { recursive: true, force: true });
}

/** Hands a file or folder to the user that Postgres runs as. */
export async function giveTo(identity: Identity, path: string): Promise<void> {
  if (identity.kind === 'user') await chown(path, identity.uid, identity.gid);
}

async function runInitdb(options: {
  cluster: string;
  draft: string;
  initdb: string;
  identity: Identity;
  password: string;
  durable: boolean;
}): Promise<void> {
  const passwordFile = join(options.draft, 'password');
  await writeFile(passwordFile, options.password, { mode: 0o600, flag: 'wx' });
  await giveTo(options.identity, passwordFile);
  const command = commandAs(options.identity, options.initdb, [
    `--pgdata=${options.cluster}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(options.durable ? [] : ['--no-sync']),
  ]);
  try {
    await run(command.file, command.args, command.options);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`The database could not be created: ${stderr?.trim() || message}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

// The caller holds the lock of the data folder, so nobody waits for a draft any more; an initdb
// that outlived its killed parent merely fails.
async function removeDrafts(databaseFolder: string): Promise<void> {
  const parent = dirname(databaseFolder);
  const prefix = `${basename(databaseFolder)}.draft-`;
  const drafts = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  const removals = drafts.map((name) => rm(join(parent, name), { recursive: true, maxRetries: 5 }));
  await Promise.allSettled(removals);
}

async function putAside(databaseFolder: string, say: (message: string) => void): Promise<void> {
  if (!(await exists(databaseFolder))) return;
  if ((await readdir(databaseFolder)).length === 0) return rm(databaseFolder, { recursive: true });
  const aside = `${databaseFolder}.unfinished-${new Date().toISOString().replaceAll(':', '-')}`;
  await rename(databaseFolder, aside);
  say(`${databaseFolder} was only half created; it now stands in ${aside}.`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
