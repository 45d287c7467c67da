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

  test('a wait for the database is a number of milliseconds', () => {
    expect(readConfig({})).toMatchObject({ databaseWaitMs: 2_000 });
    expect(readConfig({ DATABASE_WAIT_MS: '99999' })).toMatchObject({ databaseWaitMs: 99_999 });
    for (const DATABASE_WAIT_MS of ['0', '-1', '100000', '2s', '1.5']) {
      expect(faultsOf({ DATABASE_WAIT_MS })).toEqual([
        'DATABASE_WAIT_MS must be a number of milliseconds, from 1 to 99999',
      ]);
    }
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

  test.each([
    ['CRON_API_KEYS', 'cronApiKeys'],
    ['MONITOR_API_KEYS', 'monitorApiKeys'],
  ] as const)('%s: none, one, or two while one follows the other', (variable, name) => {
    const other = `${long}-2`;
    expect(readConfig({})[name]).toEqual([]);
    expect(readConfig({ [variable]: `${long}, ${other}` })[name]).toEqual([long, other]);
    for (const keys of ['short', `${long},`, `${long},${long}`, `${long},${other},${other}-3`]) {
      const [fault = ''] = faultsOf({ [variable]: keys });
      expect(fault).toMatch(new RegExp(`^${variable} must`));
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

  test('takes the address of the server for that of links, unless told', () => {
    expect(readConfig({ PORT: '4001' })).toMatchObject({
      publicUrl: 'http://127.0.0.1:4001',
      linkSecrets: undefined,
      webhooksAllowPrivate: false,
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

describe('what reaches people outside', () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

  test('is off unless it is configured', () => {
    expect(readConfig({})).toMatchObject({ email: undefined, sms: undefined, chat: undefined });
  });

  test('is a mail server with a sender, and gateways with a secret', () => {
    const config = readConfig({
      SMTP_URL: 'smtps://me:pass@mail.example',
      MAIL_FROM: 'City Hospital <no-reply@hospital.example>',
      SMS_WEBHOOK_URL: 'https://gateway.example/sms',
      SMS_WEBHOOK_SECRET: secret,
    });
    expect(config.email).toEqual({
      url: 'smtps://me:pass@mail.example',
      from: 'City Hospital <no-reply@hospital.example>',
    });
    expect(config.sms).toEqual({ url: 'https://gateway.example/sms', secret });
    expect(config.chat).toBeUndefined();
  });

  test('one half is not enough, and no fault shows a value', () => {
    const faults = faultsOf({
      SMTP_URL: 'smtp://me:swordfish@mail.example',
      SMS_WEBHOOK_SECRET: 'swordfish',
      CHAT_WEBHOOK_URL: 'ftp://me:swordfish@gateway.example',
    });
    expect(faults).toEqual([
      'SMS_WEBHOOK_SECRET must be whsec_ and at least 24 bytes in base64',
      'CHAT_WEBHOOK_URL must be a URL such as https://gateway.example/sms',
      'MAIL_FROM is required with SMTP_URL',
      'SMS_WEBHOOK_URL is required with SMS_WEBHOOK_SECRET',
      'CHAT_WEBHOOK_SECRET is required with CHAT_WEBHOOK_URL',
    ]);
  });

  test.each(['a@b\nBcc: c@d', 'Nobody', 'A <a@b> <c@d>', 'A <a b@c>'])(
    '%j sends nothing',
    (from) => {
      expect(faultsOf({ SMTP_URL: 'smtp://mail.example', MAIL_FROM: from })).toEqual([
        'MAIL_FROM must be an address such as Hospital <no-reply@hospital.example>',
      ]);
    },
  );
});
