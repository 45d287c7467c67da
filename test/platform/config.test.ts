import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../platform/config.ts';

const long = 'a-secret-of-more-than-thirty-two-characters';

function faultsOf(environment: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  test('needs nothing in development', () => {
    expect(readConfig({}, '/somewhere')).toMatchObject({
      environment: 'development',
      port: 4000,
      host: '127.0.0.1',
      dataDir: '/somewhere/.data',
      databaseUrl: undefined,
      trustProxy: false,
      graphiql: true,
      introspection: true,
      demo: true,
    });
  });

  test('shows nothing of the schema in production unless told', () => {
    const production = { NODE_ENV: 'production', JWT_SECRETS: `k:${long}`, DATA_KEYS: `k:${long}` };
    expect(readConfig(production)).toMatchObject({
      graphiql: false,
      introspection: false,
      demo: false,
    });
    expect(readConfig({ ...production, GRAPHIQL: 'true' })).toMatchObject({ graphiql: true });
  });

  test('lists every fault at once', () => {
    const faults = faultsOf({
      PORT: '70000',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x/y',
      DB_PORT: '0',
    });
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
      'PORT',
      'DATABASE_URL',
      'DB_PORT',
      'LOG_LEVEL',
    ]);
  });

  test('an empty variable counts as not set', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({
      port: 4000,
      databaseUrl: undefined,
    });
  });

  test('production without secrets of its own is refused', () => {
    expect(faultsOf({ NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/^JWT_SECRETS is required/),
      expect.stringMatching(/^DATA_KEYS is required/),
    ]);
  });

  test('keys of schedulers outside: none, one, or two while one follows the other', () => {
    const other = `${long}-2`;
    expect(readConfig({}).cronApiKeys).toEqual([]);
    expect(readConfig({ CRON_API_KEYS: `${long}, ${other}` }).cronApiKeys).toEqual([long, other]);
    for (const keys of ['short', `${long},`, `${long},${long}`, `${long},${other},${other}-3`]) {
      const [fault = ''] = faultsOf({ CRON_API_KEYS: keys });
      expect(fault).toMatch(/^CRON_API_KEYS must/);
      expect(fault).not.toContain(long);
    }
  });

  test('secrets keep their order, and may hold colons', () => {
    const { jwtSecrets } = readConfig({ JWT_SECRETS: `new:${long}:x,old:${long}` });
    const both = [
      { kid: 'new', secret: `${long}:x` },
      { kid: 'old', secret: long },
    ];
    expect(jwtSecrets).toEqual(both);
    expect(readConfig({ DATA_KEYS: `new:${long}:x,old:${long}` }).dataKeys).toEqual(both);
  });

  test.each([
    ['no kid', long],
    ['too short', `k:${'x'.repeat(31)}`],
    ['one kid twice', `k:${long},k:${long}`],
  ])('refuses secrets with %s, without repeating them', (_name, value) => {
    const faults = faultsOf({ JWT_SECRETS: value, DATA_KEYS: value });
    expect(faults).toHaveLength(2);
    expect(faults.join()).not.toContain('xxxx');
    expect(faults.join()).not.toContain(long);
  });

  test('refuses to trust every proxy', () => {
    expect(faultsOf({ TRUST_PROXY: 'true' })).toEqual([expect.stringContaining('TRUST_PROXY')]);
    expect(readConfig({ TRUST_PROXY: '2' }).trustProxy).toBe(2);
    expect(readConfig({ TRUST_PROXY: 'loopback' }).trustProxy).toBe('loopback');
  });

  test('a password in a faulty URL does not stand in the message', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://me:hunter2@host' }).join()).not.toContain(
      'hunter2',
    );
  });
});
