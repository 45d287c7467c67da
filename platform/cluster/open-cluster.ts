import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../lock.ts';
import { loadSecrets } from '../secrets.ts';
import { locateBinaries } from './binaries.ts';
import { chooseIdentity } from './identity.ts';
import { initialise, isInitialised } from './initialise.ts';
import { address } from './port.ts';
import { PortTaken, startPostmaster, stopPostmaster, untilSettled } from './postmaster.ts';
import { isAlive } from './processes.ts';
import { settlePort } from './remembered-port.ts';
import { findRunning } from './running.ts';

/** How to open the embedded Postgres. */
export interface ClusterOptions {
  /** Folder of this installation; the cluster lives in `postgres` below it. */
  dataDir: string;
  /** Port to listen on; without it one is chosen once and remembered. */
  port?: number | undefined;
  /** False only for throw-away clusters of tests: nothing is forced to disk. */
  durable?: boolean;
  /** Told, in a sentence, what people should know. */
  say?: (message: string) => void;
}

/** A running embedded Postgres. */
export interface Cluster {
  /** URL of the superuser to the database `postgres`. */
  url: string;
  port: number;
  pid: number;
  /** False when it ran already and was attached to. */
  startedByUs: boolean;
  /** Whether its main process still runs. */
  isAlive(): Promise<boolean>;
  /** Stops it and waits; `unless` is asked, while nobody can open it, whether to leave it running. */
  stop(options?: { unless?: () => boolean }): Promise<void>;
}

/**
 * Opens the embedded Postgres of `dataDir`: attaches to the one that runs, or creates and starts
 * it. Whatever was killed before, at whatever moment, this recovers. Any number of processes may
 * call it at once; one starts the cluster and the others attach.
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const place = await placeOf(options.dataDir);
  const { superuserPassword: password } = await loadSecrets(place.dataDir);
  return withClusterLock(place, async () => {
    const running = await findOrWait(place, password);
    if (running) return clusterOf(place, { ...running, password, startedByUs: false });
    const started = await start(place, password, options);
    return clusterOf(place, { ...started, password, startedByUs: true });
  });
}

/** The embedded Postgres of `dataDir` if it runs and takes connections; starts nothing. */
export async function findCluster(dataDir: string): Promise<Cluster | undefined> {
  const place = await placeOf(dataDir);
  const { superuserPassword: password } = await loadSecrets(place.dataDir);
  const running = await findRunning(place.databaseFolder, password);
  if (running.state !== 'ready') return undefined;
  return clusterOf(place, { ...running, password, startedByUs: false });
}

/** Stops the Postgres of `dataDir` if one runs, whatever its state; says whether one did. */
export async function stopLeftOver(dataDir: string): Promise<boolean> {
  const place = await placeOf(dataDir);
  const { superuserPassword: password } = await loadSecrets(place.dataDir);
  return withClusterLock(place, async () => {
    const running = await findRunning(place.databaseFolder, password);
    if (running.state === 'absent') return false;
    await stopPostmaster(running.pid);
    return true;
  });
}

interface Place {
  dataDir: string;
  databaseFolder: string;
  lock: string;
  startLog: string;
}

async function placeOf(given: string): Promise<Place> {
  await mkdir(given, { recursive: true });
  const dataDir = await realpath(given);
  return {
    dataDir,
    databaseFolder: join(dataDir, 'postgres'),
    lock: join(dataDir, 'cluster.lock'),
    startLog: join(dataDir, 'postgres-start.log'),
  };
}

function withClusterLock<T>(place: Place, work: () => Promise<T>): Promise<T> {
  const complaint = `Another process has been starting or stopping the database in ${place.dataDir} for six minutes.`;
  return withLock(place.lock, 360_000, complaint, work);
}

async function findOrWait(
  place: Place,
  password: string,
): Promise<{ pid: number; port: number } | undefined> {
  const running = await untilSettled(place.databaseFolder, password);
  return running.state === 'ready' ? running : undefined;
}

async function start(
  place: Place,
  password: string,
  options: ClusterOptions,
): Promise<{ pid: number; port: number }> {
  const { databaseFolder, dataDir, startLog } = place;
  const durable = options.durable ?? true;
  const say = options.say ?? (() => {});
  const { initdb, postgres } = await locateBinaries();
  const settings = { dataDir, databaseFolder, postgres, say };
  const fresh = !(await isInitialised(databaseFolder));
  const identity = await chooseIdentity({ ...settings, isFresh: fresh });
  if (fresh) await initialise({ databaseFolder, initdb, identity, password, durable, say });
  for (let attempt = 1; ; attempt += 1) {
    const port = await settlePort(dataDir, options.port);
    const request = { databaseFolder, startLog, postgres, identity, password, port, durable };
    try {
      return { ...(await startPostmaster(request)), port };
    } catch (error) {
      if (!(error instanceof PortTaken) || attempt === 3) throw error;
    }
  }
}

function clusterOf(
  place: Place,
  found: { pid: number; port: number; password: string; startedByUs: boolean },
): Cluster {
  const { pid, port, password, startedByUs } = found;
  return {
    url: `postgres://postgres:${encodeURIComponent(password)}@${address}:${port}/postgres`,
    port,
    pid,
    startedByUs,
    isAlive: () => isAlive(pid),
    stop: ({ unless = () => false } = {}) =>
      withClusterLock(place, async () => {
        if (unless()) return;
        const running = await findRunning(place.databaseFolder, password);
        if (running.state === 'absent') return;
        await stopPostmaster(running.pid);
      }),
  };
}
