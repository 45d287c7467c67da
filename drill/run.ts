// npm run drill: damages a copy in every way that there is, and looks whether the checks notice.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { loadDemo } from '../demo/load.ts';
import { runCommand, say } from '../platform/command.ts';
import { findDatabase } from '../platform/open-database.ts';
import { copyHospital } from './copy-hospital.ts';
import { allDamages } from './damages/index.ts';
import { drill } from './drill.ts';
import { openDrillDatabase } from './open-drill-database.ts';
import { describeDrill } from './report.ts';

const usage = `Usage: npm run drill -- [--hospital slug] [--json]

  --hospital  a hospital of the running instance, which is copied and only read; otherwise the demo
  --json      the result as JSON

The drill makes a database of its own and drops it afterwards: in an embedded Postgres, or on the server of
DATABASE_URL, where it has to be a superuser.`;

await runCommand(async (config) => {
  const { hospital, json } = readArguments(process.argv.slice(2));
  const database = await openDrillDatabase(join(config.dataDir, 'drill'), config.databaseUrl);
  try {
    const hospitalId = await fill(database.urls.databaseUrl, hospital, async () => {
      const urls = await findDatabase(config);
      if (!urls) throw new Error('The database is not running. Start everything with: npm start');
      return urls.databaseUrl;
    });
    const damages = await allDamages();
    const result = await drill({
      url: database.urls.databaseUrl,
      hospitalId,
      damages,
      onCase: ({ check }) => {
        if (!json && process.stderr.isTTY) process.stderr.write(`\r\u001b[K${check}`);
      },
    });
    if (!json && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    say(json ? JSON.stringify(result, null, 2) : describeDrill(result));
    return result.isPassed ? 0 : 1;
  } finally {
    await database.close();
  }
});

/** Fills the database with the demo, or with a copy; returns the hospital that is to be damaged. */
async function fill(
  url: string,
  slug: string | undefined,
  original: () => Promise<string>,
): Promise<string> {
  if (slug !== undefined) return copyHospital(await original(), url, slug);
  await loadDemo(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      "select id from app_public.hospital where slug = 'demo'",
    );
    // As if a relay had carried what loading left: nobody waits for it here.
    await client.query('delete from app_private.outbox');
    return rows[0]?.id ?? '';
  } finally {
    await client.end();
  }
}

function readArguments(words: string[]): { hospital: string | undefined; json: boolean } {
  try {
    const { values } = parseArgs({
      args: words,
      options: { hospital: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    return { hospital: values.hospital, json: values.json };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}
