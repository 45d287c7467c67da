import { type Config, ConfigError, readConfig } from './config.ts';
import type { DatabaseUrls } from './database-urls.ts';
import { createLog, type Log } from './log.ts';
import { findDatabase } from './open-database.ts';
import type { DataKey } from './sealed.ts';
import {
  dataKeysOf,
  type JwtSecret,
  type LinkSecret,
  linkSecretsFrom,
  loadSecrets,
} from './secrets.ts';
import {
  awaitGo,
  isSupervised,
  type ServiceMessage,
  unrecoverable,
} from './supervision-protocol.ts';

/** What a service gets to work with. */
export interface ServiceContext {
  config: Config;
  /** Configured or generated; the first signs, all verify. */
  jwtSecrets: JwtSecret[];
  /** Configured or generated; the first seals, all open. */
  dataKeys: DataKey[];
  /** Configured or derived; the first signs, all verify. */
  linkSecrets: LinkSecret[];
  urls: DatabaseUrls;
  log: Log;
}

/** A service that has started. */
export interface RunningService {
  /** Where it listens, e.g. http://127.0.0.1:4000; only of a server. */
  url?: string;
  /** Settles when the service ends by itself, which it should not; the process then exits with 1. */
  ended?: Promise<unknown>;
  /** Finishes what runs and closes everything. */
  stop(): Promise<void>;
}

// After this the process leaves with whatever is still open.
const stopWithinMs = 25_000;

/**
 * The main function of a process of the house, `server` or `worker`. Reads the configuration, waits
 * until the database is migrated when `npm start` supervises it (alone it expects that), opens the
 * service, and stops it on SIGTERM, SIGINT or when its supervisor is gone. Exit codes: 0 stopped as
 * told, 1 crashed, 78 cannot work with this configuration, so trying again is no use.
 */
export async function runService(
  name: string,
  open: (context: ServiceContext) => Promise<RunningService>,
): Promise<void> {
  const told = stopSignal();
  let log = createLog({ name, level: 'info' });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'unexpected error, ending');
    process.exit(1);
  });
  try {
    const config = readConfig(process.env);
    log = createLog({ name, level: config.logLevel });
    const context = await Promise.race([prepare(config, log), told]);
    if (context === 'stop') process.exit(0);
    const service = await Promise.race([open(context), told]);
    // Nobody is being served yet, so there is nothing to finish.
    if (service === 'stop') process.exit(0);
    tell(service.url === undefined ? { kind: 'ready' } : { kind: 'ready', url: service.url });
    const ended = service.ended?.then(() => 'ended' as const) ?? new Promise<never>(() => {});
    const reason = await Promise.race([told, ended]);
    if (reason === 'ended') throw new Error('The service ended by itself.');
    await stopInTime(service, log);
    process.exit(0);
  } catch (error) {
    process.exit(report(error, log));
  }
}

async function prepare(config: Config, log: Log): Promise<ServiceContext> {
  const jwtSecrets = config.jwtSecrets ?? (await loadSecrets(config.dataDir)).jwtSecrets;
  const dataKeys = config.dataKeys ?? dataKeysOf(await loadSecrets(config.dataDir));
  const urls = isSupervised() ? await awaitGo() : await findDatabase(config);
  if (!urls)
    throw new ConfigError(['the embedded database is not running; start it with npm start']);
  const linkSecrets = config.linkSecrets ?? linkSecretsFrom(jwtSecrets);
  return { config, jwtSecrets, dataKeys, linkSecrets, urls, log };
}

function stopSignal(): Promise<'stop'> {
  return new Promise((resolve) => {
    const stop = () => resolve('stop');
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.once('disconnect', stop);
  });
}

async function stopInTime(service: RunningService, log: Log): Promise<void> {
  const tooLong = setTimeout(() => {
    log.error('stopping took too long, leaving');
    process.exit(1);
  }, stopWithinMs);
  await service.stop();
  clearTimeout(tooLong);
}

function report(error: unknown, log: Log): number {
  const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  if (!taken && !(error instanceof ConfigError)) {
    log.fatal({ err: error }, 'unexpected error, ending');
    return 1;
  }
  const { port, message } = error as Error & { port?: number };
  const reason = taken ? `Port ${port} is taken. Free it, or choose another PORT.` : message;
  log.fatal(reason);
  tell({ kind: 'hopeless', reason });
  return unrecoverable;
}

function tell(message: ServiceMessage): void {
  if (isSupervised()) process.send?.(message);
}
