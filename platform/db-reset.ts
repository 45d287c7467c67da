// npm run db:reset: drops the embedded database and builds it again from the migrations.
import { runCommand, say } from './command.ts';
import { databaseName } from './database-urls.ts';
import { isInstanceRunning } from './instance.ts';
import { dropDatabase } from './migrate.ts';
import { describeResult, migrateConfigured } from './migrate-configured.ts';
import { openDatabase } from './open-database.ts';

await runCommand(async (config) => {
  if (config.environment === 'production' || config.databaseUrl !== undefined) {
    throw new Error(
      'db:reset deletes everything, so it works on the embedded database in development only.',
    );
  }
  if (isInstanceRunning(config.dataDir)) {
    throw new Error('An instance is running on this database. Stop it first: npm run stop');
  }
  const database = await openDatabase(config, say);
  try {
    if (database.cluster) await dropDatabase(database.cluster.url, databaseName);
    say(
      `Dropped the database. ${describeResult(await migrateConfigured(config, database, () => {}))}`,
    );
  } finally {
    await database.close();
  }
  return 0;
});
