import { runService } from '../platform/service.ts';
import { openServer } from './open-server.ts';

await runService('server', async ({ config, jwtSecrets, linkSecrets, urls, log }) => {
  const { authenticatorUrl } = urls;
  const server = await openServer({ config, jwtSecrets, linkSecrets, authenticatorUrl, log });
  log.info({ url: server.url }, 'listening');
  return server;
});
