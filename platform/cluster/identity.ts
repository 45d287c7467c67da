import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';

/**
 * As whom Postgres runs; it refuses to run as root.
 * - `self`: as the user of this process.
 * - `user`: as another user, which root can become.
 * - `namespace`: as root seen from outside, as user 1 seen from inside a user namespace; for
 *   folders that no other user may enter.
 */
export type Identity =
  | { kind: 'self' }
  | { kind: 'user'; name: string; uid: number; gid: number }
  | { kind: 'namespace' };

/** A command line that runs a program as an identity, for the functions of node:child_process. */
export interface Command {
  file: string;
  args: string[];
  options: { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv };
}

/** Builds the command that runs `file` as `identity`, with nothing of our environment in it. */
export function commandAs(identity: Identity, file: string, args: string[]): Command {
  const options = { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } };
  switch (identity.kind) {
    case 'self':
      return { file, args, options };
    case 'user':
      return { file, args, options: { ...options, uid: identity.uid, gid: identity.gid } };
    case 'namespace':
      return { file: 'unshare', args: ['--user', '--map-user=1', '--', file, ...args], options };
  }
}

/**
 * Chooses as whom Postgres runs. The owner of an existing database folder is remembered by the
 * file system itself; a fresh one goes to the first who can both enter `dataDir` and run `postgres`.
 * Creating a user is the last resort and said through `say`.
 */
export async function chooseIdentity(options: {
  dataDir: string;
  databaseFolder: string;
  isFresh: boolean;
  postgres: string;
  say: (message: string) => void;
}): Promise<Identity> {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const owner = options.isFresh ? undefined : await ownerOf(options.databaseFolder);
  if (owner) return owner.uid === 0 ? { kind: 'namespace' } : asUser(owner);
  const fits = (identity: Identity | undefined): identity is Identity =>
    identity !== undefined && canRun(identity, options.dataDir, options.postgres);
  const folderOwner = await ownerOf(options.dataDir);
  const candidates: (() => Identity | undefined)[] = [
    () => (folderOwner && folderOwner.uid !== 0 ? asUser(folderOwner) : undefined),
    () => existingUser('postgres'),
    () => existingUser('nobody'),
    () => ({ kind: 'namespace' }),
    () => createUser('slotkeeper', options.say),
  ];
  for (const candidate of candidates) {
    const identity = candidate();
    if (fits(identity)) return identity;
  }
  throw new Error(
    `Postgres cannot run as root, and no other user can enter ${options.dataDir}. ` +
      'Start as an ordinary user, set DATA_DIR to a folder that others may enter, or set DATABASE_URL.',
  );
}

async function ownerOf(path: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function asUser({ uid, gid }: { uid: number; gid: number }): Identity {
  return { kind: 'user', name: `user ${uid}`, uid, gid };
}

function existingUser(name: string): Identity | undefined {
  const ask = (flag: string): number => {
    const answer = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return answer.status === 0 ? Number(answer.stdout.trim()) : Number.NaN;
  };
  const uid = ask('-u');
  const gid = ask('-g');
  return uid > 0 && Number.isInteger(gid) ? { kind: 'user', name, uid, gid } : undefined;
}

function createUser(name: string, say: (message: string) => void): Identity | undefined {
  const args = [
    '--system',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    name,
  ];
  if (spawnSync('useradd', args).status !== 0) return undefined;
  say(
    `Created the system user "${name}": Postgres refuses to run as root, and nothing else worked.`,
  );
  return existingUser(name);
}

function canRun(identity: Identity, folder: string, postgres: string): boolean {
  // initdb wants a name for whoever it runs as.
  const script = 'id -un && cd -- "$1" && exec "$2" --version';
  const command = commandAs(identity, '/bin/sh', ['-c', script, 'sh', folder, postgres]);
  const result: SpawnSyncReturns<Buffer> = spawnSync(command.file, command.args, {
    ...command.options,
    stdio: 'ignore',
    timeout: 10_000,
  });
  return result.status === 0;
}
