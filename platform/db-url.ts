// npm run db:url: prints the URL of the running database, for psql and the like.
import { runCommand } from './command.ts';
import { findDatabase } from './open-database.ts';

await runCommand(async (config) => {
  const urls = await findDatabase(config);
  if (!urls) throw new Error('The database is not running. Start it with: npm start');
  process.stdout.write(`${urls.databaseUrl}\n`);
  return 0;
});
