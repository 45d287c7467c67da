// npm run db:commit -- "what it does": makes migrations/current a committed migration.
import { resolve } from 'node:path';
import { runCommand, say } from './command.ts';
import { withDatabase } from './database-urls.ts';
import { dropDatabase, ensureDatabase } from './migrate.ts';
import { commitCurrent } from './migration/runner.ts';
import { openDatabase } from './open-database.ts';

// The development database has had the current migration already, so the commit is tried on two
// databases that have not.
const trials = { databaseUrl: 'slotkeeper_commit', shadowUrl: 'slotkeeper_commit_shadow' };

await runCommand(async (config) => {
  if (config.environment === 'production' || config.databaseUrl !== undefined) {
    throw new Error('db:commit works on the embedded database in development only.');
  }
  const database = await openDatabase(config, say);
  const rootUrl = database.cluster?.url ?? '';
  const drop = () => Promise.all(Object.values(trials).map((name) => dropDatabase(rootUrl, name)));
  try {
    await drop();
    await ensureDatabase(rootUrl, trials.databaseUrl);
    await commitCurrent(
      {
        folder: resolve(import.meta.dirname, '..'),
        databaseUrl: withDatabase(rootUrl, trials.databaseUrl),
        shadowUrl: withDatabase(rootUrl, trials.shadowUrl),
        rootUrl,
        say,
      },
      process.argv[2],
    );
    say('Committed. The development database still has the uncommitted one: npm run db:reset');
  } finally {
    await drop();
    await database.close();
  }
  return 0;
});
