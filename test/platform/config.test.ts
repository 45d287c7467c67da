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
    const production = { NODE_ENV: 'production', JWT_SECRETS: `k:${long}` };
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
    ]);
  });

  test('secrets keep their order, and may hold colons', () => {
    const { jwtSecrets } = readConfig({ JWT_SECRETS: `new:${long}:x,old:${long}` });
    expect(jwtSecrets).toEqual([
      { kid: 'new', secret: `${long}:x` },
      { kid: 'old', secret: long },
    ]);
  });

  test.each([
    ['no kid', long],
    ['too short', `k:${'x'.repeat(31)}`],
    ['one kid twice', `k:${long},k:${long}`],
  ])('refuses secrets with %s, without repeating them', (_name, value) => {
    const faults = faultsOf({ JWT_SECRETS: value });
    expect(faults).toHaveLength(1);
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

  test('takes the address of the server for that of links, unless told', () => {
    expect(readConfig({ PORT: '4001' })).toMatchObject({
      publicUrl: 'http://127.0.0.1:4001',
      linkSecrets: undefined,
    });
    expect(readConfig({ HOST: '::1' }).publicUrl).toBe('http://[::1]:4000');
    const told = { PUBLIC_URL: 'https://visits.example.org/hospital/' };
    expect(readConfig(told).publicUrl).toBe('https://visits.example.org/hospital');
  });

  test.each(['visits.example.org', 'ftp://x.test', 'https://x.test?a=b', 'https://me:pw@x.test'])(
    'refuses %s as the base of links',
    (PUBLIC_URL) => {
      expect(faultsOf({ PUBLIC_URL }).map((fault) => fault.split(' ')[0])).toEqual(['PUBLIC_URL']);
    },
  );

  test('reads keys of links, and never tells a bad one', () => {
    expect(readConfig({ LINK_SECRETS: `a:${long},b-1:${long}2` }).linkSecrets).toEqual([
      { kid: 'a', secret: long },
      { kid: 'b-1', secret: `${long}2` },
    ]);
    for (const LINK_SECRETS of ['a:short', `a/b:${long}`, `${'k'.repeat(33)}:${long}`, long]) {
      const faults = faultsOf({ LINK_SECRETS });
      expect(faults.map((fault) => fault.split(' ')[0])).toEqual(['LINK_SECRETS']);
      expect(faults.join()).not.toContain(long);
    }
  });
});
