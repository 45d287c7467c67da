// npm run stop: stops a running instance, or a database that a killed one left behind.
import { setTimeout as delay } from 'node:timers/promises';
import { stopLeftOver } from './cluster/open-cluster.ts';
import { runCommand, say } from './command.ts';
import { findInstance, isInstanceRunning } from './instance.ts';

const patienceMs = 90_000;

await runCommand(async ({ dataDir }) => {
  const instance = await findInstance(dataDir);
  if (instance) process.kill(instance.pid, 'SIGTERM');
  const deadline = Date.now() + patienceMs;
  while (isInstanceRunning(dataDir)) {
    if (Date.now() > deadline) throw new Error('The instance has not stopped within 90 seconds.');
    await delay(50);
  }
  const leftOver = await stopLeftOver(dataDir);
  if (instance) say('Stopped.');
  else say(leftOver ? 'Stopped a database that was left running.' : 'Nothing was running.');
  return 0;
});
