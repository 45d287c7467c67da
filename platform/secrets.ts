import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DataKey } from './sealed.ts';

const secretsShape = z.object({
  superuserPassword: z.string().min(16),
  authenticatorPassword: z.string().min(16),
  workerPassword: z.string().min(16),
  jwtSecrets: z.array(z.object({ kid: z.string().min(1), secret: z.string().min(32) })).min(1),
  // Files from before there was one lack it.
  dataKeys: z
    .array(z.object({ kid: z.string().min(1), secret: z.string().min(32) }))
    .min(1)
    .optional(),
});

/** What this installation generated for itself and tells nobody. */
export type Secrets = z.infer<typeof secretsShape>;

/** One key that signs and verifies access tokens; `kid` names it in a token's header. */
export type JwtSecret = Secrets['jwtSecrets'][number];

/**
 * The keys that secrets at rest are sealed with. A file from before there were any gets one that is made of
 * what it has and that never changes, so that every process finds the same one without writing the file.
 */
export function dataKeysOf({ dataKeys, superuserPassword }: Secrets): DataKey[] {
  if (dataKeys !== undefined) return dataKeys;
  const secret = Buffer.from(hkdfSync('sha256', superuserPassword, '', 'slotkeeper data key', 48));
  return [{ kid: 'first', secret: secret.toString('base64url') }];
}

/** One key that signs and verifies the links in messages; `kid` names it in them. */
export type LinkSecret = { kid: string; secret: string };

/**
 * The keys of links where none are configured: one from each JWT secret, so that server and worker agree
 * without a word, and neither kind of key tells anything of the other.
 */
export function linkSecretsFrom(jwtSecrets: readonly JwtSecret[]): LinkSecret[] {
  return jwtSecrets.map(({ kid, secret }) => ({
    kid: createHash('sha256').update(kid).digest('hex').slice(0, 16),
    secret: Buffer.from(hkdfSync('sha256', secret, '', 'slotkeeper links', 32)).toString(
      'base64url',
    ),
  }));
}

/** The file that holds the secrets of an installation. */
export function secretsFile(dataDir: string): string {
  return join(dataDir, 'secrets.json');
}

/**
 * Reads `<dataDir>/secrets.json`, generating it once where it is missing. The file is readable by
 * its owner alone; wider rights are taken away. A damaged file is an error and never replaced,
 * because the database was created with what stood in it.
 */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const path = secretsFile(dataDir);
  const known = await readSecrets(path);
  if (known) return known;
  await mkdir(dataDir, { recursive: true });
  await createOnce(path, generateSecrets());
  const created = await readSecrets(path);
  if (!created) throw new Error(`${path} disappeared while it was being created.`);
  return created;
}

function generateSecrets(): Secrets {
  return {
    superuserPassword: randomBytes(24).toString('base64url'),
    authenticatorPassword: randomBytes(24).toString('base64url'),
    workerPassword: randomBytes(24).toString('base64url'),
    jwtSecrets: [
      { kid: randomBytes(4).toString('hex'), secret: randomBytes(48).toString('base64url') },
    ],
    dataKeys: [
      { kid: randomBytes(4).toString('hex'), secret: randomBytes(48).toString('base64url') },
    ],
  };
}

// A hard link either creates the name with its whole content or fails because it exists: of two
// processes that start at once, both read the same secrets, and none reads half a file.
async function createOnce(path: string, secrets: Secrets): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
}

async function readSecrets(path: string): Promise<Secrets | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) await chmod(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseSecrets(path, text);
}

// The text of the file never reaches the message: a parser's complaint would quote it.
function parseSecrets(path: string, text: string): Secrets {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not valid JSON. Restore it from a backup.`);
  }
  const parsed = secretsShape.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))];
  throw new Error(`${path} lacks or misstates: ${faults.join(', ')}. Restore it from a backup.`);
}
