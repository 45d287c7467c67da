import { createServer } from 'node:http';
import { createPool } from '../platform/pool.ts';
import { runService } from '../platform/service.ts';
import { createApp } from './app.ts';
import { createAuth } from './auth/auth.ts';
import { listen } from './listen.ts';
import { openListener } from './listener.ts';
import { SlotChanges } from './slot-changes.ts';

await runService('server', async ({ config, jwtSecrets, urls, log }) => {
  const pool = createPool({
    url: urls.authenticatorUrl,
    applicationName: 'slotkeeper-server',
    log,
    max: 20,
  });
  const slotChanges = new SlotChanges();
  const draining = { isDraining: false };
  const auth = await createAuth({ pool, jwtSecrets, log });
  const app = createApp({ pool, config, log, auth, slotChanges, draining });
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, app.express);
  await app.attach(server);
  auth.endedSessions.whenEnded((sessionIds) => app.endSessions(sessionIds));
  const listener = await openListener({
    url: urls.authenticatorUrl,
    log,
    slotChanges,
    endSessions: (sessionIds) => auth.endedSessions.add(sessionIds),
    onGap: () => auth.endedSessions.poll(),
  });
  const url = await listen(server, config.port, config.host);
  log.info({ url }, 'listening');

  return {
    url,
    async stop() {
      draining.isDraining = true;
      const closed = new Promise((resolve) => server.close(resolve));
      slotChanges.close();
      await Promise.all([app.close(), closed]);
      await Promise.all([listener.close(), auth.close()]);
      await pool.end();
    },
  };
});
