// npm run doctor: what is wrong, by the checks, with the rights of who may only look.
import { readConfig } from '../platform/config.ts';
import { findDatabase } from '../platform/open-database.ts';
import { readArguments, usage } from './arguments.ts';
import { exitCodes, verdictOf } from './diagnosis.ts';
import { examine } from './examine.ts';
import { paintFor } from './paint.ts';
import { describe, toJson, widthOf } from './report.ts';

process.exitCode = await run(process.argv.slice(2));

async function run(words: readonly string[]): Promise<number> {
  try {
    const wish = readArguments(words);
    if (wish.isHelp) {
      process.stdout.write(`${usage}\n`);
      return exitCodes.healthy;
    }
    const urls = await findDatabase(readConfig(process.env));
    if (!urls) throw new Error('The database is not running. Start everything with: npm start');
    const diagnosis = await examine({ ...wish, databaseUrl: urls.databaseUrl });
    const verdict = verdictOf(diagnosis, wish.isStrict);
    const paint = paintFor(process.stdout, process.env);
    const width = widthOf(process.stdout.columns);
    process.stdout.write(
      wish.isJson ? toJson(diagnosis, verdict) : describe(diagnosis, verdict, { width, paint }),
    );
    return exitCodes[verdict];
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return exitCodes.unknown;
  }
}
