import { randomBytes } from 'node:crypto';
import { request } from 'node:http';

/** A Postgres in a container. */
export interface Container {
  url: string;
  stop(): Promise<void>;
}

const engine = '/var/run/docker.sock';

/** Starts a throw-away Postgres 18 in Docker; undefined where no engine answers or nothing pulls. */
export async function startContainer(): Promise<Container | undefined> {
  if (!(await answers())) return undefined;
  const { GenericContainer, Wait } = await import('testcontainers');
  const password = randomBytes(12).toString('hex');
  try {
    const container = await new GenericContainer('postgres:18-alpine')
      .withEnvironment({ POSTGRES_PASSWORD: password })
      .withCommand([
        'postgres',
        '-c',
        'fsync=off',
        '-c',
        'max_connections=200',
        '-c',
        'autovacuum=off',
      ])
      .withExposedPorts(5432)
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start();
    const address = `${container.getHost()}:${container.getMappedPort(5432)}`;
    return {
      url: `postgres://postgres:${password}@${address}/postgres`,
      stop: async () => {
        await container.stop();
      },
    };
  } catch (error) {
    process.stderr.write(
      `Docker gave no Postgres (${(error as Error).message}); using the embedded one.\n`,
    );
    return undefined;
  }
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath: engine, path: '/_ping', timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.on('close', () => resolve(false));
    ping.end();
  });
}
