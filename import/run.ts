// npm run import: all rows of a file, or none.
import { runCommand, say } from '../platform/command.ts';
import { findDatabase } from '../platform/open-database.ts';
import { listenForStop } from '../platform/stop-signals.ts';
import { readArguments } from './arguments.ts';
import { importFile } from './import-file.ts';
import { barOn, linesTo } from './progress.ts';
import { describeReport } from './report.ts';

const refused = 1;
const notCarriedOut = 2;

await runCommand(async (config) => {
  const stop = listenForStop();
  try {
    const chosen = readArguments(process.argv.slice(2));
    const urls = await findDatabase(config);
    if (!urls) throw new Error('The database is not running. Start everything with: npm start');
    const interruption = new AbortController();
    void stop.first.then(() => interruption.abort());
    const report = await importFile({
      ...chosen,
      databaseUrl: urls.databaseUrl,
      progress: process.stderr.isTTY ? barOn(process.stderr) : linesTo(say),
      signal: interruption.signal,
    });
    say(describeReport(report));
    return report.is_accepted ? 0 : refused;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return notCarriedOut;
  } finally {
    stop.end();
  }
});
