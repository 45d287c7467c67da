// npm run bench: every workload with its yardstick, on a database of the run's own.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, say } from '../platform/command.ts';
import { listenForStop } from '../platform/stop-signals.ts';
import { openBenchDatabase } from './harness/database.ts';
import { describeResult, type KeptResult, keepable, writeResults } from './harness/results.ts';
import type { Bench, Workload } from './harness/workload.ts';
import { archive } from './workloads/archive.ts';
import { booking } from './workloads/booking.ts';
import { bookingBesideJobs } from './workloads/booking-beside-jobs.ts';
import { bookingOverGraphql } from './workloads/booking-graphql.ts';
import { checks } from './workloads/checks.ts';
import { freeSlots } from './workloads/free-slots.ts';
import { generateManySlots } from './workloads/generate-slots.ts';
import { jobRecords } from './workloads/job-records.ts';
import { noShow } from './workloads/no-show.ts';
import { race } from './workloads/race.ts';
import { rival } from './workloads/rival.ts';
import { verification } from './workloads/verification.ts';

const workloads: readonly Workload[] = [
  booking,
  bookingOverGraphql,
  race,
  rival,
  generateManySlots,
  freeSlots,
  noShow,
  archive,
  jobRecords,
  checks,
  verification,
  bookingBesideJobs,
];

const usage = `Usage: npm run bench -- [--small | --huge] [--only name]…

  --small  small sizes, for correctness alone; the figures are kept beside the data, not in bench/results
  --huge   the largest sizes as well: 10,000,000 slots or appointments stored; takes tens of minutes and some 10 GB
  --only   one workload, repeatable: ${workloads.map(({ name }) => name).join(', ')}

With DATABASE_URL, a database is made on that server and dropped afterwards; its login roles
app_authenticator and app_worker get passwords of this run. Otherwise an embedded Postgres is made.`;

// From the first moment on: the database has to be stopped, whenever the word comes.
const stop = listenForStop();

await runCommand(async (config) => {
  const { isSmall, isHuge, chosen } = readArguments(process.argv.slice(2));
  const home = join(config.dataDir, 'bench');
  const database = await openBenchDatabase(home, config.databaseUrl);
  const { urls, owner, dataDir } = database;
  const bench: Bench = { urls, owner, dataDir, isSmall, isHuge, say };
  const results: KeptResult[] = [];
  const stopped = stop.first.then(() => Promise.reject(new Error('Stopped.')));
  try {
    const version = await serverVersion(bench);
    for (const workload of chosen) {
      say(`\n${workload.name}: ${workload.title}`);
      const result = keepable(
        workload,
        await Promise.race([workload.run(bench), stopped]),
        version,
        isSmall,
      );
      results.push(result);
      say(describeResult(result));
    }
  } finally {
    await database.close();
  }
  const folder = isSmall ? join(home, 'results') : join(import.meta.dirname, 'results');
  await writeResults(folder, results);
  say(`\nWritten to ${join(folder, 'latest.md')}`);
  return results.every(({ faults }) => faults.length === 0) ? 0 : 1;
});
// What a stopped workload still has open does not keep the process.
process.exit();

function readArguments(words: string[]): {
  isSmall: boolean;
  isHuge: boolean;
  chosen: readonly Workload[];
} {
  const { values } = parse(words);
  const names = values.only ?? [];
  const unknown = names.filter((name) => !workloads.some((workload) => workload.name === name));
  if (unknown.length > 0) throw new Error(`There is no workload "${unknown[0]}".\n\n${usage}`);
  const chosen = workloads.filter(({ name }) => names.length === 0 || names.includes(name));
  return { isSmall: values.small, isHuge: values.huge, chosen };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        small: { type: 'boolean', default: false },
        huge: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
      },
    });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}

async function serverVersion({ owner }: Bench): Promise<string> {
  const { rows } = await owner.query<{ version: string }>(
    `select split_part(current_setting('server_version'), ' ', 1) as version`,
  );
  return rows[0]?.version ?? 'unknown';
}
