// npm run replay: one real day, booked through the running server.
import cliProgress from 'cli-progress';
import { runCommand, say } from '../platform/command.ts';
import { findDatabase } from '../platform/open-database.ts';
import { readArguments } from './arguments.ts';
import { replayDay } from './replay-day.ts';

await runCommand(async (config) => {
  const chosen = readArguments(process.argv.slice(2));
  const urls = await findDatabase(config);
  if (!urls) throw new Error('The database is not running. Start everything with: npm start');
  const { databaseUrl } = urls;
  const { proofs } = await replayDay({ ...chosen, databaseUrl, say, showProgress });
  const refuted = proofs.filter(({ contradictions }) => contradictions !== 0).length;
  say(refuted === 0 ? '\nProven.' : `\n${refuted} of ${proofs.length} claims do not hold.`);
  return refuted === 0 ? 0 : 1;
});

/** A bar on a terminal, nothing elsewhere. */
function showProgress(total: number) {
  if (!process.stderr.isTTY) return { step: () => {}, end: () => {} };
  const bar = new cliProgress.SingleBar(
    { format: '{bar} {value} of {total}', clearOnComplete: true, stream: process.stderr },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0);
  return { step: () => bar.increment(), end: () => bar.stop() };
}
