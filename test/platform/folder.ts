import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stopLeftOver } from '../../platform/cluster/open-cluster.ts';

/** A folder of this test's own, gone afterwards together with any Postgres that runs in it. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slotkeeper-'));
  onTestFinished(async () => {
    await stopLeftOver(folder);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}
