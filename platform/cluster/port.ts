import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** The only address the embedded Postgres listens on. */
export const address = '127.0.0.1';

/** Whether nobody listens on this port of `host` (by default where the embedded Postgres would). */
export function isPortFree(port: number, host: string = address): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Finds a free port below the range that systems lend to outgoing connections: one of those
 * could occupy a port of that range at any later start.
 */
export async function chooseFreePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(20_000, 30_000);
    if (await isPortFree(port)) return port;
  }
  throw new Error('No free port between 20000 and 30000 was found. Set DB_PORT.');
}
