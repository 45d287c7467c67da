import { createServer } from 'node:http';
import type { RequestHandler } from 'express';
import type { Pool } from 'pg';
import type { Config } from '../platform/config.ts';
import type { Log } from '../platform/log.ts';
import { type OperationsLogOptions, openOperationsLog } from '../platform/operations-log.ts';
import { createPool, withTransaction } from '../platform/pool.ts';
import type { DataKey } from '../platform/sealed.ts';
import { type JwtSecret, type LinkSecret, linkSecretsFrom } from '../platform/secrets.ts';
import { type AppOptions, createApp } from './app.ts';
import { type Auth, type AuthOptions, createAuth } from './auth/auth.ts';
import { readErrorCatalog } from './auth/error-catalog.ts';
import { createCalendarFeeds } from './calendar/calendar-feeds.ts';
import {
  createExternalTrigger,
  EXTERNAL_TRIGGERS,
  type ExternalTriggerOptions,
} from './jobs/external-trigger.ts';
import { createVisitLinks } from './links/visit-links.ts';
import { listen } from './listen.ts';
import { openListener } from './listener.ts';
import { createHealthChecks, type HealthChecksOptions } from './monitor/health-checks.ts';
import { NotificationChanges } from './notification-changes.ts';
import { startServerHeartbeat } from './server-heartbeat.ts';
import { SlotChanges } from './slot-changes.ts';
import { StageAlertChanges } from './stage-alert-changes.ts';

export type ServerOptions = {
  config: AppOptions['config'] &
    Pick<Config, 'port' | 'host' | 'databaseWaitMs' | 'cronApiKeys' | 'monitorApiKeys'>;
  /** The first signs, all verify. */
  jwtSecrets: readonly JwtSecret[];
  /** The first seals, all open. */
  dataKeys: readonly DataKey[];
  /** All verify; derived from the JWT secrets unless given. */
  linkSecrets?: readonly LinkSecret[];
  /** URL of the server's login role. */
  authenticatorUrl: string;
  log: Log;
  /** Limits of the login, where they are not the usual ones. */
  auth?: Pick<AuthOptions, 'limits' | 'pollSessionsEveryMs'>;
  /** What schedulers outside may start, where it is not the usual. */
  externalTrigger?: Pick<ExternalTriggerOptions, 'triggers' | 'waitMs'>;
  /** How the checks are watched from outside, where it is not the usual. */
  healthChecks?: Pick<HealthChecksOptions, 'runMs'>;
  /** How often an address may ask within a minute, where it is not as often as usual. */
  mostInAMinute?: { links?: number; calendars?: number; missingCalendars?: number };
  /** How the log is written, where it is not the usual. */
  operationsLog?: Partial<OperationsLogOptions>;
  slotChanges?: SlotChanges;
  notificationChanges?: NotificationChanges;
  stageAlertChanges?: StageAlertChanges;
};

/** A server that listens. */
export type OpenServer = {
  /** Where it listens, e.g. http://127.0.0.1:4000. */
  url: string;
  auth: Auth;
  /** Turns readiness off, lets requests in flight finish, and closes everything. */
  stop(): Promise<void>;
};

/** Opens the whole server. Rejects when the database cannot be asked or the port is taken. */
export async function openServer(options: ServerOptions): Promise<OpenServer> {
  const { authenticatorUrl, config, dataKeys, jwtSecrets, log } = options;
  const pool = createPool({
    url: authenticatorUrl,
    applicationName: 'slotkeeper-server',
    log,
    max: 20,
    waitMs: config.databaseWaitMs,
  });
  const slotChanges = options.slotChanges ?? new SlotChanges();
  const notificationChanges = options.notificationChanges ?? new NotificationChanges();
  const stageAlertChanges = options.stageAlertChanges ?? new StageAlertChanges();
  const draining = { isDraining: false };
  const auth = await createAuth({ pool, jwtSecrets, dataKeys, log, ...options.auth });
  const externalTrigger = createExternalTrigger({
    pool,
    log,
    keys: config.cronApiKeys,
    secret: jwtSecrets[0]?.secret ?? '',
    ...options.externalTrigger,
  });
  const healthChecks = createHealthChecks({
    pool,
    log,
    keys: config.monitorApiKeys,
    secret: jwtSecrets[0]?.secret ?? '',
    ...options.healthChecks,
  });
  const operations = openOperationsLog({
    log,
    send: (batch) => writeLog(pool, batch),
    ...options.operationsLog,
  });
  const heart = startServerHeartbeat({ pool, log, environment: config.environment });
  const app = createApp({
    pool,
    config,
    log,
    operations,
    auth,
    slotChanges,
    notificationChanges,
    stageAlertChanges,
    draining,
    externalTrigger: {
      router: externalTrigger.router,
      paths: Object.keys(options.externalTrigger?.triggers ?? EXTERNAL_TRIGGERS),
    },
    pages: [healthChecks.router, auth.pages, ...(await createPages(options, pool))],
  });
  const server = createServer(
    // Proxies keep idle connections for a minute; who closes first must not be the server.
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    app.express,
  );
  await app.attach(server);
  auth.endedSessions.whenEnded((sessionIds) => app.endSessions(sessionIds));
  const listener = await openListener({
    url: authenticatorUrl,
    log,
    slotChanges,
    notificationChanges,
    stageAlertChanges,
    endSessions: (sessionIds) => auth.endedSessions.add(sessionIds),
    onGap: () => auth.endedSessions.poll(),
  });
  const url = await listen(server, config.port, config.host);

  return {
    url,
    auth,
    async stop() {
      draining.isDraining = true;
      const closed = new Promise((resolve) => server.close(resolve));
      slotChanges.close();
      notificationChanges.close();
      stageAlertChanges.close();
      await Promise.all([app.close(), closed]);
      await Promise.all([
        listener.close(),
        auth.close(),
        externalTrigger.close(),
        healthChecks.close(),
        operations.close(),
        heart.stop(),
      ]);
      await pool.end();
    },
  };
}

/** That the log is on disk is worth no wait: what a crash of the database loses of it is half a second. */
async function writeLog(pool: Pool, batch: string): Promise<void> {
  const settings = { role: 'app_login', synchronous_commit: 'off' };
  await withTransaction(pool, settings, (client) =>
    client.query('select app_private.write_log(entries => $1::jsonb)', [batch]),
  );
}

/** What is served to those who are not logged in but know a secret address. */
async function createPages(options: ServerOptions, pool: Pool): Promise<RequestHandler[]> {
  const { jwtSecrets, log, mostInAMinute: most } = options;
  const linkSecrets = options.linkSecrets ?? linkSecretsFrom(jwtSecrets);
  const catalog = await readErrorCatalog(pool);
  return [
    createVisitLinks({ pool, linkSecrets, catalog, log, mostInAMinute: most?.links }),
    createCalendarFeeds({
      pool,
      mostInAMinute: most?.calendars,
      mostMissesInAMinute: most?.missingCalendars,
    }),
  ];
}
