import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseFreePort, isPortFree } from './port.ts';

/** The port that the cluster of `dataDir` used last, if it ever had one. */
export async function rememberedPort(dataDir: string): Promise<number | undefined> {
  try {
    const { port } = JSON.parse(await readFile(portFile(dataDir), 'utf8')) as { port?: unknown };
    return typeof port === 'number' ? port : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/**
 * The port to start the cluster of `dataDir` on: `wanted` when given, else the remembered one,
 * else (never chosen, or taken by somebody else now) a free one, remembered from here on.
 */
export async function settlePort(dataDir: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) {
    if (!(await isPortFree(wanted))) {
      throw new Error(`Port ${wanted} (DB_PORT) is taken. Free it, or choose another DB_PORT.`);
    }
    return remember(dataDir, wanted);
  }
  const known = await rememberedPort(dataDir);
  if (known !== undefined && (await isPortFree(known))) return known;
  return remember(dataDir, await chooseFreePort());
}

async function remember(dataDir: string, port: number): Promise<number> {
  const draft = `${portFile(dataDir)}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify({ port })}\n`);
  await rename(draft, portFile(dataDir));
  return port;
}

function portFile(dataDir: string): string {
  return join(dataDir, 'cluster.json');
}
