import { Secret, TOTP } from 'otpauth';
import { afterAll, describe, expect, test } from 'vitest';
import { open, seal } from '../../platform/sealed.ts';
import { eventsOf, later } from './auth-links.ts';
import { type Client, DATA_KEYS, type LoggedIn, openAuthServer, PASSWORD } from './auth-server.ts';

const server = await openAuthServer();
afterAll(() => server.close());

const { hospital, newClient, ownerPool } = server;

/** The code of a secret, some steps from now. One step either way is good, so time may go on meanwhile. */
function codeOf(secret: string, steps = 0): string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  return totp.generate({ timestamp: Date.now() + steps * 30_000 });
}

/** The code of the step after this one: good now and a minute long, and after any code shown before. */
const nextCodeOf = (secret: string) => codeOf(secret, 1);

const bearer = ({ accessToken }: LoggedIn) => ({ authorization: `Bearer ${accessToken}` });

/** Enrols a second factor; the code of the present step is used up by that. */
async function enrol(name: string, client = newClient()) {
  const loggedIn = await client.loggedIn(name);
  const enrolled = await client.post('/auth/totp/enroll', { password: PASSWORD }, bearer(loggedIn));
  expect(enrolled.status).toBe(200);
  const { secret, uri } = enrolled.body as { secret: string; uri: string };
  const usedCode = codeOf(secret);
  const confirmed = await client.post('/auth/totp/confirm', { code: usedCode }, bearer(loggedIn));
  expect(confirmed.status).toBe(200);
  const { recoveryCodes } = confirmed.body as { recoveryCodes: string[] };
  return { loggedIn, secret, uri, recoveryCodes, usedCode };
}

async function challengeFor(client: Client, name: string): Promise<string> {
  const { error } = await client.login(name);
  expect(error.scenario).toBe('second_factor_required');
  return String(error.details?.challenge);
}

const show = (client: Client, challenge: string, shown: Record<string, string>) =>
  client.post('/auth/login/second-factor', { challenge, ...shown });

describe('a second factor', () => {
  test('is enrolled, confirmed and asked for; a code is good once', async () => {
    const { loggedIn, recoveryCodes, secret, uri, usedCode } = await enrol('nurse');
    expect(uri).toMatch(/^otpauth:\/\/totp\/slotkeeper:/);
    expect(new Set(recoveryCodes).size).toBe(10);
    expect(recoveryCodes[0]).toMatch(/^([a-z0-9]{4}-){3}[a-z0-9]{4}$/);
    const client = newClient();
    const challenge = await challengeFor(client, 'nurse');
    // The code that confirmed is used up.
    const used = await show(client, challenge, { code: usedCode });
    expect(used.error.scenario).toBe('second_factor_wrong');
    const answer = await show(client, challenge, { code: nextCodeOf(secret) });
    expect(answer.status).toBe(200);
    expect((await client.whoAmI((answer.body as LoggedIn).accessToken)).status).toBe(200);
    // The challenge is used up too.
    const again = await show(client, challenge, { recoveryCode: recoveryCodes[0] ?? '' });
    expect(again.error.scenario).toBe('challenge_not_valid');
    // A challenge is no token for anything else.
    const other = await challengeFor(client, 'nurse');
    expect((await client.refresh(other)).error.scenario).toBe('invalid_refresh_token');
    expect((await client.whoAmI(other)).error.scenario).toBe('invalid_token');
    expect(loggedIn.account.role).toBe('nurse');
    expect(await eventsOf(server, hospital.nurse.accountId)).toEqual(
      expect.arrayContaining(['second_factor_enabled', 'second_factor_failed', 'login']),
    );
  });

  test('of two who use one code, or one recovery code, at once, one does', async () => {
    const { recoveryCodes, secret } = await enrol('doctor2');
    const client = newClient();
    const [one, two] = [newClient(), newClient()];
    for (const shown of [
      { code: nextCodeOf(secret) },
      { recoveryCode: recoveryCodes[0]?.toUpperCase() ?? '' },
    ]) {
      const challenge = await challengeFor(client, 'doctor2');
      // A second challenge beside the first, as two logins at the same moment make them.
      await ownerPool.query(
        `insert into app_private.login_token (hospital_id, token_hash, purpose, account_id, expires_at)
         select hospital_id, sha256(convert_to($1, 'UTF8')), purpose, account_id, expires_at
         from app_private.login_token
         where token_hash = sha256(convert_to($2, 'UTF8'))`,
        [`${challenge.slice(0, -4)}AAAA`, challenge],
      );
      const answers = await Promise.all([
        show(one, challenge, shown),
        show(two, `${challenge.slice(0, -4)}AAAA`, shown),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    }
  });

  test('five wrong codes end a challenge, and make the account wait', async () => {
    const { secret } = await enrol('reception');
    const client = newClient();
    const challenge = await challengeFor(client, 'reception');
    for (let number = 0; number < 5; number++) {
      const { error } = await show(newClient(), challenge, { recoveryCode: 'aaaabbbbccccdddd' });
      expect(error.scenario).toBe('second_factor_wrong');
    }
    const { error } = await show(newClient(), challenge, { code: nextCodeOf(secret) });
    expect(error.scenario).toBe('challenge_not_valid');
    const next = await challengeFor(client, 'reception');
    expect((await show(newClient(), next, { code: nextCodeOf(secret) })).status).toBe(429);
  });

  test('a challenge ends after five minutes, by the database clock', async () => {
    const { recoveryCodes } = await enrol('doctor');
    const client = newClient();
    const challenge = await challengeFor(client, 'doctor');
    const shown = { recoveryCode: recoveryCodes[3] ?? '' };
    const { error } = await later(server, '6 minutes', () => show(client, challenge, shown));
    expect(error.scenario).toBe('challenge_not_valid');
    expect((await show(client, challenge, shown)).status).toBe(200);
  });

  test('the secret is sealed for its account: with another one it does not open', async () => {
    const { rows } = await ownerPool.query<{ sealed_secret: string }>(
      'select sealed_secret from app_private.second_factor',
    );
    for (const { sealed_secret } of rows) expect(sealed_secret).toMatch(/^v1\.test\.[\w-]+$/);
    const loggedIn = await newClient().loggedIn('admin');
    await ownerPool.query(
      `insert into app_private.second_factor (hospital_id, account_id, sealed_secret, confirmed_at)
       select hospital_id, $1, sealed_secret, now() from app_private.second_factor limit 1`,
      [hospital.admin.accountId],
    );
    const disabled = await newClient().post(
      '/auth/totp/disable',
      { password: PASSWORD, code: '123456' },
      bearer(loggedIn),
    );
    expect(disabled.error.scenario).toBe('unexpected_error');
    await ownerPool.query('delete from app_private.second_factor where account_id = $1', [
      hospital.admin.accountId,
    ]);
  });

  test('sealed with an older key, it still opens, and is sealed anew with the present one', async () => {
    const { accountId } = hospital.nurse;
    const secret = new Secret({ size: 20 }).base32;
    const context = `second factor of ${hospital.id}/${accountId}`;
    await ownerPool.query(
      'update app_private.second_factor set sealed_secret = $2, last_used_step = 0 where account_id = $1',
      [accountId, seal(DATA_KEYS.slice(1), secret, context)],
    );
    const client = newClient();
    const challenge = await challengeFor(client, 'nurse');
    expect((await show(client, challenge, { code: codeOf(secret) })).status).toBe(200);
    const { rows } = await ownerPool.query<{ sealed_secret: string }>(
      'select sealed_secret from app_private.second_factor where account_id = $1',
      [accountId],
    );
    expect(rows[0]?.sealed_secret).toMatch(/^v1\.test\./);
    expect(open(DATA_KEYS, rows[0]?.sealed_secret ?? '', context)).toBe(secret);
  });

  test('a patient has none', async () => {
    const client = newClient();
    const loggedIn = await client.loggedIn('patient');
    const answer = await client.post('/auth/totp/enroll', { password: PASSWORD }, bearer(loggedIn));
    expect(answer.error.scenario).toBe('forbidden');
  });

  test('the password is asked again before it is enrolled', async () => {
    const client = newClient();
    const loggedIn = await client.loggedIn('patient2');
    for (const [headers, scenario] of [
      [bearer(loggedIn), 'invalid_credentials'],
      [{}, 'not_logged_in'],
    ] as const) {
      const answer = await client.post(
        '/auth/totp/enroll',
        { password: 'wrong password' },
        headers,
      );
      expect(answer.error.scenario).toBe(scenario);
    }
  });
});

describe('a hospital that requires it of its admins', () => {
  test('lets an admin without one enrol and do nothing else; who has one cannot be rid of it', async () => {
    await ownerPool.query(
      'update app_public.hospital set is_second_factor_required = true where id = $1',
      [hospital.id],
    );
    const client = newClient();
    const { error } = await client.login('admin');
    expect(error.scenario).toBe('second_factor_enrolment_required');
    const challenge = String(error.details?.challenge);
    const shown = await show(client, challenge, { code: '123456' });
    expect(shown.error.scenario).toBe('challenge_not_valid');
    const enrolled = await client.post('/auth/totp/enroll', { challenge });
    const { secret } = enrolled.body as { secret: string };
    const confirmed = await client.post('/auth/totp/confirm', {
      challenge,
      code: codeOf(secret),
    });
    expect(confirmed.status).toBe(200);
    const loggedIn = confirmed.body as LoggedIn & { recoveryCodes: string[] };
    expect(loggedIn.recoveryCodes).toHaveLength(10);
    expect((await client.whoAmI(loggedIn.accessToken)).status).toBe(200);
    const disabled = await client.post(
      '/auth/totp/disable',
      { password: PASSWORD, code: nextCodeOf(secret) },
      bearer(loggedIn),
    );
    expect(disabled.error.scenario).toBe('second_factor_is_required');
  });
});

test('no secret, code or challenge stands in the log, the audit or an event', async () => {
  const client = newClient();
  const { error } = await client.login('nurse');
  const { rows } = await ownerPool.query<{ text: string }>(
    `select string_agg(entry::text, '') as text from (
       select to_jsonb(audit_entry) from app_public.audit_entry
       union all select to_jsonb(security_event) from app_public.security_event) as all_of (entry)`,
  );
  const log = server.lines.join('');
  expect(log).toContain('logged in with a second factor');
  for (const secret of [String(error.details?.challenge), 'aaaabbbb', 'otpauth', 'v1.test']) {
    expect(log + rows[0]?.text).not.toContain(secret);
  }
});
