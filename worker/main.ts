import { runService } from '../platform/service.ts';
import { openTransports } from './transports/open-transports.ts';
import { openWorker } from './worker.ts';

await runService('worker', async ({ config, linkSecrets, urls, log }) => {
  const transports = openTransports(config);
  const worker = await openWorker({
    url: urls.workerUrl,
    log,
    environment: config.environment,
    surroundings: {
      transports,
      links: { publicUrl: config.publicUrl, linkSecrets },
      webhooks: { allowPrivate: config.webhooksAllowPrivate },
    },
  });
  return {
    ended: worker.ended,
    async stop() {
      await worker.stop();
      await transports.close();
    },
  };
});
