import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster/open-cluster.ts';

/**
 * Watches the embedded Postgres until `signal` aborts, and opens it again whenever its main
 * process is gone; whatever was committed is there again after its recovery.
 */
export async function watchCluster(options: {
  cluster: Cluster;
  reopen: () => Promise<Cluster>;
  signal: AbortSignal;
  say: (message: string) => void;
}): Promise<void> {
  const { signal, say } = options;
  let { cluster } = options;
  while (await pause(500, signal)) {
    if (await cluster.isAlive()) continue;
    say('The database is gone; starting it again.');
    try {
      cluster = await options.reopen();
      say('The database runs again.');
    } catch (error) {
      say(`The database does not start: ${(error as Error).message}`);
      await pause(5_000, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await delay(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
