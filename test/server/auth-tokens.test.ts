import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, describe, expect, test } from 'vitest';
import { claimsToSettings } from '../../server/auth/claims.ts';
import { JWT_SECRETS, openAuthServer, payloadOf } from './auth-server.ts';

const server = await openAuthServer();
afterAll(() => server.close());

const { hospital, newClient } = server;
const [signing, older] = JWT_SECRETS as [
  (typeof JWT_SECRETS)[number],
  (typeof JWT_SECRETS)[number],
];
const client = newClient();

const good: jwt.SignOptions = {
  algorithm: 'HS256',
  keyid: signing.kid,
  issuer: 'slotkeeper',
  audience: 'slotkeeper-api',
  subject: hospital.doctor.accountId,
  expiresIn: 900,
};
const payload = payloadOf(hospital.doctor, randomUUID());

/** A token as ours, but for what is given; undefined takes an option away. */
function forge(
  options: { [Name in keyof jwt.SignOptions]: jwt.SignOptions[Name] | undefined } = {},
  claims: Record<string, unknown> = {},
  secret: string = signing.secret,
): string {
  const merged = Object.entries({ ...good, ...options }).filter(([, value]) => value !== undefined);
  const said = Object.entries({ ...payload, ...claims }).filter(([, value]) => value !== undefined);
  return jwt.sign(Object.fromEntries(said), secret, Object.fromEntries(merged));
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const partsOf = (token: string) => token.split('.') as [string, string, string];

/** Signs any header and payload with our own key. */
function signRaw(header: unknown, body: unknown): string {
  const text = `${encode(header)}.${encode(body)}`;
  return `${text}.${createHmac('sha256', signing.secret).update(text).digest('base64url')}`;
}

describe('an access token', () => {
  test('like ours is good, also when an older key signed it', async () => {
    for (const token of [forge(), forge({ keyid: older.kid }, {}, older.secret)]) {
      const { body, status } = await client.whoAmI(token);
      expect(status).toBe(200);
      expect(body).toMatchObject({ data: { currentAccount: { id: expect.any(String) } } });
    }
  });

  test('of a role without a doctor or patient is good without them', async () => {
    const token = forge(
      { subject: hospital.nurse.accountId },
      { role: 'nurse', doctor_id: undefined },
    );
    expect((await client.whoAmI(token)).status).toBe(200);
  });

  test('and its expiry are told to whoever verifies it', async () => {
    const token = forge();
    const { claims, expiresAt } = await server.auth.verify(token);
    expect(claims).toEqual({
      hospitalId: hospital.id,
      accountId: hospital.doctor.accountId,
      role: 'doctor',
      doctorId: hospital.doctor.doctorId,
      patientId: null,
      sessionId: payload.session_id,
    });
    const { exp } = jwt.decode(token) as { exp: number };
    expect(expiresAt).toEqual(new Date(exp * 1_000));
  });

  const now = Math.floor(Date.now() / 1_000);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const [header, body, signature] = partsOf(forge());
  const whole = { ...payload, iss: 'slotkeeper', aud: 'slotkeeper-api', sub: randomUUID() };
  const admin = encode({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), role: 'admin' });

  /** Fits every role but doctor and patient. */
  const nobody = { doctor_id: undefined };

  const forgeries: [string, string][] = [
    ['of algorithm none', `${encode({ alg: 'none', typ: 'JWT', kid: 'new' })}.${body}.`],
    ['of algorithm none, signed', `${encode({ alg: 'none', kid: 'new' })}.${body}.${signature}`],
    ['of algorithm NoNe', `${encode({ alg: 'NoNe', kid: 'new' })}.${body}.`],
    ['of algorithm HS384', forge({ algorithm: 'HS384' })],
    ['of algorithm HS512', forge({ algorithm: 'HS512' })],
    [
      'of algorithm RS256',
      jwt.sign(payload, privateKey, { ...good, algorithm: 'RS256' } as jwt.SignOptions),
    ],
    ['without an algorithm', `${encode({ kid: 'new' })}.${body}.${signature}`],
    ['signed with another key', forge({}, {}, 'another-secret-that-is-long-enough-too')],
    ['signed with an empty key', signRawWith('', header, body)],
    ['with an unknown kid', forge({ keyid: 'newer' })],
    ['with the kid of another key', forge({ keyid: older.kid })],
    ['without a kid', forge({ keyid: undefined })],
    ['with a kid of Object.prototype', forge({ keyid: 'constructor' })],
    ['with a kid that is no text', signRaw({ alg: 'HS256', kid: ['new'] }, body)],
    ['of another issuer', forge({ issuer: 'elsewhere' })],
    ['without an issuer', forge({ issuer: undefined })],
    ['for another audience', forge({ audience: 'elsewhere' })],
    ['without an audience', forge({ audience: undefined })],
    ['without a subject', forge({ subject: undefined })],
    ['whose subject is no account', forge({ subject: 'root' })],
    ['not yet valid', forge({ notBefore: 600 })],
    ['without an expiry', signRaw({ alg: 'HS256', kid: 'new' }, { ...whole, iat: now })],
    ['good for a year', forge({ expiresIn: '1y' })],
    [
      'whose expiry is a text',
      signRaw({ alg: 'HS256', kid: 'new' }, { ...whole, iat: now, exp: `${now + 60}` }),
    ],
    ['of role app_owner', forge({}, { ...nobody, role: 'app_owner' })],
    ['of role owner', forge({}, { ...nobody, role: 'owner' })],
    ['of role anonymous', forge({}, { ...nobody, role: 'anonymous' })],
    ['of role __proto__', forge({}, { ...nobody, role: '__proto__' })],
    ['of several roles', forge({}, { ...nobody, role: ['nurse'] })],
    ['without a role', forge({}, { ...nobody, role: undefined })],
    ['without a hospital', forge({}, { hospital_id: undefined })],
    ['whose hospital is SQL', forge({}, { hospital_id: "' or true --" })],
    ['without a session', forge({}, { session_id: undefined })],
    ['of a doctor without the doctor', forge({}, { doctor_id: undefined })],
    ['of an admin with a doctor', forge({}, { role: 'admin' })],
    ['of a doctor who is a patient', forge({}, { patient_id: randomUUID() })],
    ['with another payload', `${header}.${admin}.${signature}`],
    ['without its signature', `${header}.${body}.`],
    ['cut short', `${header}.${body}.${signature.slice(0, -2)}`],
    ['of two parts', `${header}.${body}`],
    ['of four parts', `${header}.${body}.${signature}.${signature}`],
    [
      'whose payload is no JSON',
      `${header}.${Buffer.from('{').toString('base64url')}.${signature}`,
    ],
    ['of eight kilobytes', forge({}, { filler: 'x'.repeat(8_000) })],
  ];

  test.each(forgeries)('%s is invalid_token', async (_, token) => {
    const { error, headers, status } = await client.whoAmI(token);
    expect(status).toBe(401);
    expect(error).toMatchObject({ code: 'SK401', scenario: 'invalid_token', recoverable: true });
    expect(headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
  });

  test('that has expired is token_expired', async () => {
    const { error, status } = await client.whoAmI(forge({ expiresIn: -1 }));
    expect([status, error.scenario]).toEqual([401, 'token_expired']);
  });

  test('that has expired and is forged is invalid_token', async () => {
    const token = forge({ expiresIn: -1 }, {}, 'another-secret-that-is-long-enough-too');
    expect((await client.whoAmI(token)).error.scenario).toBe('invalid_token');
  });

  test('says in no answer and in no log why it was refused', async () => {
    const { body } = await client.whoAmI(forge({ issuer: 'elsewhere' }));
    expect(JSON.stringify(body)).not.toMatch(/issuer|elsewhere|jwt/i);
    expect(server.lines.join('')).not.toContain('elsewhere');
  });
});

describe('the header', () => {
  test('may be missing: then nobody is logged in', async () => {
    const { body, status } = await client.whoAmI();
    expect(status).toBe(200);
    expect(JSON.stringify(body)).toContain('not_logged_in');
  });

  test('takes Bearer in any case', async () => {
    expect((await client.whoAmI(forge(), 'bearer')).status).toBe(200);
  });

  test.each(['Basic', 'Token', 'Bearer Bearer', ''])(
    'with "%s" is invalid_token',
    async (scheme) => {
      const { error, status } = await client.whoAmI(forge(), scheme);
      expect([status, error.scenario]).toEqual([401, 'invalid_token']);
    },
  );
});

test('a role of the database comes from the list, the claims from the token', () => {
  const { hospitalId, ...claims } = {
    hospitalId: randomUUID(),
    accountId: randomUUID(),
    role: 'nurse' as const,
    doctorId: null,
    patientId: null,
    sessionId: randomUUID(),
  };
  expect(claimsToSettings({ hospitalId, ...claims }, 'request-1')).toEqual({
    role: 'app_nurse',
    'claims.role': 'nurse',
    'claims.hospital_id': hospitalId,
    'claims.account_id': claims.accountId,
    'claims.doctor_id': '',
    'claims.patient_id': '',
    'claims.session_id': claims.sessionId,
    'claims.request_id': 'request-1',
  });
  expect(claimsToSettings(null, undefined)).toEqual({
    role: 'app_anonymous',
    'claims.role': 'anonymous',
  });
});

function signRawWith(secret: string, header: string, body: string): string {
  const text = `${header}.${body}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
