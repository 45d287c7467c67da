import pg from 'pg';
import { scramVerifier } from './scram.ts';

/** Whether one can log in with a URL; false when its password is refused, other errors are thrown. */
export async function canLogIn(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, application_name: 'slotkeeper:migrate' });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Gives the login role named in `url` the password named there. */
export async function setPassword(owner: pg.Client, url: string): Promise<void> {
  const { username, password } = new URL(url);
  const role = pg.escapeIdentifier(decodeURIComponent(username));
  const verifier = pg.escapeLiteral(scramVerifier(decodeURIComponent(password)));
  await owner.query(`alter role ${role} password ${verifier}`);
}
