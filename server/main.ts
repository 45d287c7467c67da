import { runService } from '../platform/service.ts';
import { openServer } from './open-server.ts';

await runService('server', async ({ config, jwtSecrets, dataKeys, linkSecrets, urls, log }) => {
  const { authenticatorUrl } = urls;
  const keys = { jwtSecrets, dataKeys, linkSecrets };
  const server = await openServer({ config, ...keys, authenticatorUrl, log });
  log.info({ url: server.url }, 'listening');
  return server;
});
