import pg from 'pg';
import { openThrowAwayDatabase, type ThrowAwayDatabase } from '../platform/throw-away-database.ts';

/**
 * Makes a database of the drill's own: in an embedded Postgres that is made for it, or on the server of
 * `serverUrl`, whose login roles keep their passwords.
 */
export async function openDrillDatabase(
  home: string,
  serverUrl: string | undefined,
): Promise<ThrowAwayDatabase> {
  if (serverUrl !== undefined) await demandSuperuser(serverUrl);
  return openThrowAwayDatabase({
    home,
    prefix: 'slotkeeper_drill_',
    serverUrl,
    durable: false,
    keepsPasswords: true,
  });
}

/** Damages put the guards to sleep, which only a superuser may. */
async function demandSuperuser(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ is_superuser: boolean }>(
      "select current_setting('is_superuser') = 'on' as is_superuser",
    );
    if (rows[0]?.is_superuser) return;
  } finally {
    await client.end();
  }
  throw new Error(
    'The drill makes a database of its own and damages it, which takes a superuser. Run it without DATABASE_URL, or as one.',
  );
}
