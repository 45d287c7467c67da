// npm run migrate: brings the database up to date and says what was done.
import { runCommand, say } from './command.ts';
import { describeResult, migrateConfigured } from './migrate-configured.ts';
import { openDatabase } from './open-database.ts';

await runCommand(async (config) => {
  const database = await openDatabase(config, say);
  try {
    say(describeResult(await migrateConfigured(config, database, () => {})));
  } finally {
    await database.close();
  }
  return 0;
});
