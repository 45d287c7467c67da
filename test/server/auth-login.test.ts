import jwt from 'jsonwebtoken';
import { afterAll, describe, expect, test } from 'vitest';
import { type Client, emailOf, type LoggedIn, openAuthServer, PASSWORD } from './auth-server.ts';

const server = await openAuthServer();
afterAll(() => server.close());

const { hospital, newClient, ownerPool } = server;

describe('logging in', () => {
  test.each([
    ['admin', hospital.admin],
    ['reception', hospital.receptionist],
    ['nurse', hospital.nurse],
    ['doctor', hospital.doctor],
    ['patient', hospital.patient],
  ] as const)('%s gets tokens that say who it is', async (name, actor) => {
    const answer = await newClient().login(name);
    const { accessToken, account, expiresIn, refreshToken } = answer.body as LoggedIn;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(expiresIn).toBe(900);
    expect(refreshToken).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
    expect(account).toEqual({
      id: actor.accountId,
      hospitalId: hospital.id,
      email: emailOf(server, name),
      displayName: name,
      role: actor.role,
      doctorId: 'doctorId' in actor ? actor.doctorId : null,
      patientId: 'patientId' in actor ? actor.patientId : null,
    });
    const { header, payload } = jwt.decode(accessToken, { complete: true }) ?? {};
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'new' });
    expect(payload).toMatchObject({
      iss: 'slotkeeper',
      aud: 'slotkeeper-api',
      sub: actor.accountId,
      hospital_id: hospital.id,
      role: actor.role,
    });
  });

  test('capitals and spaces around the names make no difference', async () => {
    const answer = await newClient().post('/auth/login', {
      hospital: ` ${hospital.slug.toUpperCase()} `,
      email: `NURSE@${hospital.slug}.Test`,
      password: PASSWORD,
    });
    expect(answer.status).toBe(200);
  });

  test('the token is good for GraphQL', async () => {
    const client = newClient();
    const { accessToken } = await client.loggedIn('doctor');
    const { body } = await client.whoAmI(accessToken);
    expect(body).toEqual({
      data: { currentAccount: { id: expect.any(String), role: expect.stringMatching(/doctor/i) } },
    });
  });

  test('only the hash of the refresh token is stored', async () => {
    const { refreshToken } = await newClient().loggedIn('nurse');
    const { rows } = await ownerPool.query(
      'select from app_private.refresh_token where token_hash = sha256(convert_to($1, $2))',
      [refreshToken, 'UTF8'],
    );
    expect(rows).toHaveLength(1);
  });
});

describe('a login that fails', () => {
  const attempts: [string, (client: Client) => ReturnType<Client['login']>][] = [
    ['a wrong password', (client) => client.login('doctor2', 'not the password')],
    ['an unknown address', (client) => client.login('nobody')],
    ['an unknown hospital', (client) => client.login('doctor2', PASSWORD, 'elsewhere')],
    ['the password in capitals', (client) => client.login('doctor2', PASSWORD.toUpperCase())],
  ];

  test.each(attempts)('%s is invalid_credentials', async (_, attempt) => {
    const { headers, status, error } = await attempt(newClient());
    expect(status).toBe(401);
    expect(error).toMatchObject({ code: 'SK401', scenario: 'invalid_credentials' });
    expect(headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  test('all answers are equal, to the letter', async () => {
    const answers = await Promise.all(attempts.map(([, attempt]) => attempt(newClient())));
    const seen = answers.map(({ body, headers, status }) => {
      const shown = [...headers].filter(([name]) => !/^(x-request-id|date|etag)$/.test(name));
      return JSON.stringify({ status, body, shown });
    });
    expect(new Set(seen).size).toBe(1);
  });

  test('an inactive account looks like an unknown one', async () => {
    await ownerPool.query('update app_public.account set is_active = false where id = $1', [
      hospital.otherPatient.accountId,
    ]);
    const { error } = await newClient().login('patient2');
    expect(error.scenario).toBe('invalid_credentials');
  });

  test('no password and no token ever stands in the log', async () => {
    const client = newClient();
    const { accessToken, refreshToken } = await client.loggedIn('reception');
    await client.login('reception', 'a password that is wrong');
    await client.refresh(refreshToken);
    await client.refresh(refreshToken);
    await client.post('/auth/login', { password: 'a password at a wrong place', email: 1 });
    await client.whoAmI(`${accessToken}x`);
    const log = server.lines.join('');
    expect(log).toContain('login failed');
    for (const secret of [PASSWORD, 'a password', accessToken, refreshToken, '$argon2']) {
      expect(log).not.toContain(secret);
    }
    expect(log).not.toContain(emailOf(server, 'reception'));
  });
});

describe('input', () => {
  const good = { hospital: hospital.slug, email: 'a@b.test', password: PASSWORD };

  test.each([
    ['an empty object', {}, ['hospital', 'email', 'password']],
    ['a number for a text', { ...good, password: 12 }, ['password']],
    ['an address without @', { ...good, email: 'somebody' }, ['email']],
    ['a hospital that is no name', { ...good, hospital: "x' or 1=1" }, ['hospital']],
    ['a NUL character', { ...good, email: 'a\u0000@b.test' }, ['email']],
    ['a password of 5,000 characters', { ...good, password: 'x'.repeat(5_000) }, ['password']],
    ['an unknown field', { ...good, admin: true }, ['body']],
    ['a list', [good], ['body']],
    ['null', 'null', ['body']],
    ['no JSON', '{"hospital":', ['body']],
  ])('%s is invalid_input, by field', async (_, body, fields) => {
    const { error, status } = await newClient().post('/auth/login', body);
    expect(status).toBe(400);
    expect(error).toMatchObject({ code: 'SK400', scenario: 'invalid_input' });
    expect(Object.keys(error.details ?? {})).toEqual(fields);
  });

  test('the answer never repeats what was sent', async () => {
    const password = 'x'.repeat(600);
    const { body } = await newClient().post('/auth/login', { ...good, password, secretive: 1 });
    expect(JSON.stringify(body)).not.toMatch(/xxx|secretive/);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
  ])('%s is refused', async (type) => {
    const { error } = await newClient().post('/auth/login', good, { 'content-type': type });
    expect(error).toMatchObject({
      scenario: 'invalid_input',
      details: { body: expect.stringContaining('application/json') },
    });
  });

  test('a body beyond 10 kB is refused', async () => {
    const { error, status } = await newClient().post('/auth/login', {
      ...good,
      password: 'x'.repeat(11_000),
    });
    expect(status).toBe(413);
    expect(error.scenario).toBe('body_too_large');
  });
});
