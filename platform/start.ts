// npm start: everything, on one machine: database, migrations, demo, server, worker.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isPortFree } from './cluster/port.ts';
import { runCommand, say } from './command.ts';
import type { Config } from './config.ts';
import { demoGuide, loadDemo } from './demo.ts';
import { becomeInstance, findInstance, forgetInstance } from './instance.ts';
import { logFolder } from './log-file.ts';
import { type OpenDatabase, openDatabase } from './open-database.ts';
import { listenForStop, type StopSignals } from './stop-signals.ts';
import { type Supervised, supervise } from './supervise.ts';
import { watchCluster } from './watch-cluster.ts';

const projectFolder = resolve(import.meta.dirname, '..');

// From the first moment on: what is started below has to be stopped in order.
const stop = listenForStop();

await runCommand(async (config) => {
  await mkdir(config.dataDir, { recursive: true });
  const baseUrl = `http://${config.host}:${config.port}`;
  const lock = await becomeInstance(config.dataDir, baseUrl);
  if (!lock) throw new Error(await describeOther(config.dataDir));
  try {
    if (!(await isPortFree(config.port, config.host))) {
      throw new Error(
        `Port ${config.port} is taken. Free it, or choose another one: PORT=4001 npm start`,
      );
    }
    return await run(config, stop);
  } finally {
    await forgetInstance(config.dataDir);
    lock.release();
  }
});
// Nothing is left to do; a leaked handle must not keep a stopped instance on the terminal.
process.exit();

async function describeOther(dataDir: string): Promise<string> {
  const other = await findInstance(dataDir);
  const where = other ? ` (process ${other.pid}, ${other.url})` : '';
  return `Slotkeeper runs already on ${dataDir}${where}. Stop it with: npm run stop`;
}

async function run(config: Config, stop: StopSignals): Promise<number> {
  const stopping = new AbortController();
  const house = openHouse(config);
  const starting = start(config, house, stopping.signal);
  // A failure is not lost: `starting` is awaited below, whoever wins.
  const failed = starting.then(() => new Promise<never>(() => {}));
  let exitCode = 0;
  try {
    await Promise.race([failed, stop.first, house.hopeless]);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    exitCode = 1;
  }
  stopping.abort();
  say('\nStopping.');
  // Requests and jobs that are being worked on are what takes long; the database goes fast and
  // clean in any case.
  void stop.second.then(() => {
    say('Hurrying.');
    for (const child of house.children) child.kill();
  });
  await stopServices(house);
  // What was still starting when the word came is there now, and goes as well.
  await starting.catch(() => {});
  await house.watching;
  await house.database?.cluster?.stop();
  stop.end();
  if (exitCode === 0) say('Stopped.');
  return exitCode;
}

interface House {
  server: Supervised;
  worker: Supervised;
  children: Supervised[];
  database: OpenDatabase | undefined;
  watching: Promise<void> | undefined;
  /** Where the server listens, once it does. */
  listening: Promise<string>;
  /** Rejects when a process cannot run at all. */
  hopeless: Promise<never>;
}

function openHouse({ dataDir }: Config): House {
  const listening = Promise.withResolvers<string>();
  const hopeless = Promise.withResolvers<never>();
  const child = (name: string) =>
    supervise({
      name,
      script: join(projectFolder, name, 'main.ts'),
      dataDir,
      say,
      onReady: (url) => url !== undefined && listening.resolve(url),
      onHopeless: (reason) => hopeless.reject(new Error(reason)),
    });
  const server = child('server');
  const worker = child('worker');
  return {
    server,
    worker,
    children: [server, worker],
    database: undefined,
    watching: undefined,
    listening: listening.promise,
    hopeless: hopeless.promise,
  };
}

async function start(config: Config, house: House, signal: AbortSignal): Promise<void> {
  const migrating = import('./migrate-configured.ts');
  const database = await openDatabase(config, say);
  house.database = database;
  if (signal.aborted) return;
  const { migrateConfigured } = await migrating;
  await migrateConfigured(config, database, () => {});
  if (signal.aborted) return;
  for (const child of house.children) child.go(database.urls);
  house.watching = keepDatabase(config, house, signal);
  // The server builds its schema meanwhile.
  if (config.demo) await loadDemo(projectFolder, database.urls.databaseUrl, say);
  if (signal.aborted) return;
  const url = await Promise.race([house.listening, aborted(signal)]);
  if (url === undefined) return;
  say(`\nGraphQL: ${url}/graphql`);
  if (config.demo && database.cluster) say(await demoGuide(projectFolder, url));
  say(`Logs: ${logFolder(config.dataDir)}\nStop with Ctrl-C.`);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
}

async function keepDatabase(config: Config, house: House, signal: AbortSignal): Promise<void> {
  const cluster = house.database?.cluster;
  if (!cluster) return;
  const reopen = async () => {
    const database = await openDatabase(config, say);
    house.database = database;
    for (const child of house.children) child.go(database.urls);
    return database.cluster ?? cluster;
  };
  await watchCluster({ cluster, reopen, signal, say });
}

async function stopServices(house: House): Promise<void> {
  await house.server.stop();
  await house.worker.stop();
}
