import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/**
 * Computes what Postgres stores for a password (RFC 5803), so that the password itself is never
 * sent and can stand in no log of the server. The password must be ASCII: those are generated.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const iterations = 4096;
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const key = (name: string) => createHmac('sha256', salted).update(name).digest();
  const storedKey = createHash('sha256').update(key('Client Key')).digest('base64');
  const serverKey = key('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
