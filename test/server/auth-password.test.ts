import { afterAll, describe, expect, test, vi } from 'vitest';
import { Links } from '../../server/auth/links.ts';
import { eventsOf, later, tokenMailedTo } from './auth-links.ts';
import { emailOf, openAuthServer, PASSWORD } from './auth-server.ts';

const server = await openAuthServer();
afterAll(() => server.close());

const { hospital, newClient, ownerPool } = server;
const NEW_PASSWORD = 'nine purple lamps hum';
/** What happens after an answer takes its time on a busy machine. */
const SOON = { timeout: 30_000 };

const forgot = (email: string, client = newClient()) =>
  client.post('/auth/password/forgot', { hospital: hospital.slug, email });
const reset = (token: string, password = NEW_PASSWORD, client = newClient()) =>
  client.post('/auth/password/reset', { token, password });

/** Asks for a link for this login and returns its token. */
async function linkFor(name: string): Promise<string> {
  await ownerPool.query('delete from app_private.outgoing_mail where address = $1', [
    emailOf(server, name),
  ]);
  expect((await forgot(emailOf(server, name))).status).toBe(202);
  return vi.waitFor(async () => {
    const token = await tokenMailedTo(server, emailOf(server, name));
    expect(token).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
    return token;
  }, SOON);
}

describe('a forgotten password', () => {
  test('is answered alike for an account, no account and no hospital, before anything is looked up', async () => {
    const ask = vi.spyOn(Links.prototype, 'requestReset');
    const answers = [
      await forgot(emailOf(server, 'nurse')),
      await forgot('nobody@nowhere.test'),
      await newClient().post('/auth/password/forgot', { hospital: 'elsewhere', email: 'a@b.test' }),
    ];
    const seen = answers.map(({ body, status }) => JSON.stringify({ body, status }));
    expect(new Set(seen)).toEqual(new Set(['{"body":{"accepted":true},"status":202}']));
    // One path for all of them.
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(3), SOON);
    ask.mockRestore();
  });

  test('is asked for a few times an account, whether it exists or not', async () => {
    for (const name of ['doctor2', 'nobody']) {
      const seen: number[] = [];
      for (let number = 0; number < 4; number++) {
        seen.push((await forgot(emailOf(server, name))).status);
      }
      expect(seen, name).toEqual([202, 202, 202, 429]);
    }
  });

  test('a link sets a new password once, ends every session at once and tells the account', async () => {
    const client = newClient();
    const loggedIn = await client.loggedIn('reception');
    const token = await linkFor('reception');
    expect((await reset(token)).status).toBe(204);
    expect((await client.whoAmI(loggedIn.accessToken)).error.scenario).toBe('session_ended');
    expect((await client.refresh(loggedIn.refreshToken)).status).toBe(401);
    expect((await newClient().login('reception')).status).toBe(401);
    expect((await newClient().login('reception', NEW_PASSWORD)).status).toBe(200);
    expect((await reset(token)).error).toMatchObject({ code: 'SK401', scenario: 'link_not_valid' });

    const { accountId } = hospital.receptionist;
    expect(await eventsOf(server, accountId)).toEqual(
      expect.arrayContaining(['reset_requested', 'password_changed']),
    );
    const { rows } = await ownerPool.query(
      `select event from app_public.notification where account_id = $1
       union all select subject from app_private.outgoing_mail where address = $2`,
      [accountId, emailOf(server, 'reception')],
    );
    expect(rows.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['password_changed', expect.stringContaining('password was changed')]),
    );
  });

  test('of two who use one link at once, one does', async () => {
    const token = await linkFor('nurse');
    const answers = await Promise.all([
      reset(token, 'nine purple lamps hum'),
      reset(token, 'nine yellow lamps hum'),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 401]);
  });

  test('a link dies with the next one, and after 30 minutes by the database clock', async () => {
    const first = await linkFor('patient');
    const second = await linkFor('patient');
    expect((await reset(first)).error.scenario).toBe('link_not_valid');
    const { error } = await later(server, '31 minutes', () => reset(second));
    expect(error.scenario).toBe('link_not_valid');
    expect((await reset(second)).status).toBe(204);
  });

  test('a weak password does not use the link up', async () => {
    const token = await linkFor('doctor');
    expect((await reset(token, 'password1234')).error.scenario).toBe('password_too_weak');
    expect((await reset(token)).status).toBe(204);
  });

  test('unlocks the account', async () => {
    const { accountId } = hospital.otherPatient;
    const token = await linkFor('patient2');
    await ownerPool.query(
      "update app_private.account_secret set failed_attempts = 20, locked_until = now() + interval '1 hour' where account_id = $1",
      [accountId],
    );
    for (let number = 0; number < 5; number++)
      await newClient().login('patient2', 'wrong password');
    expect((await newClient().login('patient2')).status).toBe(429);
    expect((await reset(token)).status).toBe(204);
    expect((await newClient().login('patient2', NEW_PASSWORD)).status).toBe(200);
  });

  test('links that never were are few from one address', async () => {
    const client = newClient();
    const seen: number[] = [];
    for (let number = 0; number < 11; number++) {
      seen.push((await reset(`${'A'.repeat(22)}.${'b'.repeat(43)}`, NEW_PASSWORD, client)).status);
    }
    expect(seen).toEqual([...Array<number>(10).fill(401), 429]);
  });
});

describe('changing the password', () => {
  test('asks for the present one, and ends the other sessions only', async () => {
    const client = newClient();
    const [kept, other] = [await client.loggedIn('admin'), await client.loggedIn('admin')];
    const change = (currentPassword: string) =>
      client.post(
        '/auth/password/change',
        { currentPassword, newPassword: NEW_PASSWORD },
        { authorization: `Bearer ${kept.accessToken}` },
      );
    expect((await change('not the password')).error.scenario).toBe('invalid_credentials');
    expect((await change(PASSWORD)).status).toBe(204);
    expect((await client.whoAmI(kept.accessToken)).status).toBe(200);
    expect((await client.whoAmI(other.accessToken)).error.scenario).toBe('session_ended');
    expect((await newClient().login('admin', NEW_PASSWORD)).status).toBe(200);
  });

  test('is for somebody who is logged in', async () => {
    const { error } = await newClient().post('/auth/password/change', {
      currentPassword: PASSWORD,
      newPassword: NEW_PASSWORD,
    });
    expect(error.scenario).toBe('not_logged_in');
  });
});

test('no link, password or address stands in the log, the audit or an event', async () => {
  const { rows } = await ownerPool.query<{ text: string }>(
    `select coalesce(string_agg(entry::text, ''), '') as text from (
       select to_jsonb(audit_entry) - 'old_state' - 'new_state' from app_public.audit_entry
       union all select to_jsonb(security_event) from app_public.security_event) as all_of (entry)`,
  );
  const log = server.lines.join('');
  expect(log).toContain('password changed by link');
  for (const secret of [NEW_PASSWORD, PASSWORD, '$argon2', emailOf(server, 'reception')]) {
    expect(log + rows[0]?.text).not.toContain(secret);
  }
  const { rows: hashes } = await ownerPool.query(
    "select from app_private.login_token where token_hash::text ~ '\\.'",
  );
  expect(hashes).toEqual([]);
});
