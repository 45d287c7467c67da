import { afterAll, describe, expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { scenarioOf } from '../helpers/refusals.ts';
import { eventsOf, later, tokenMailedTo } from './auth-links.ts';
import { type LoggedIn, openAuthServer } from './auth-server.ts';

const server = await openAuthServer();
afterAll(() => server.close());

const { hospital, newClient, ownerPool } = server;
const NEW_PASSWORD = 'nine purple lamps hum';
let invitedSoFar = 0;

const accept = (token: string, password = NEW_PASSWORD) =>
  newClient().post('/auth/invite/accept', { token, password });

/** Invites somebody new; the mail holds the token. */
async function invite(role = 'nurse'): Promise<{ id: string; email: string; token: string }> {
  invitedSoFar += 1;
  const email = `invited${invitedSoFar}@staff.test`;
  const id = await asAdmin<string>(
    "select (app_public.invite_account(email => $1, display_name => 'Invited', role => $2)).id as value",
    [email, role],
  );
  return { id, email, token: await tokenMailedTo(server, email) };
}

async function asAdmin<T>(sql: string, values: unknown[]): Promise<T> {
  const { rows } = await committedAs(ownerPool, hospital.admin, (db) =>
    db.query<{ value: T }>(sql, values),
  );
  return rows[0]?.value as T;
}

describe('an invitation', () => {
  test('becomes an account with a session, by the link in the mail alone', async () => {
    const { email, id, token } = await invite();
    const answer = await accept(token);
    expect(answer.status).toBe(201);
    const { accessToken, account } = answer.body as LoggedIn;
    expect(account).toMatchObject({ email, role: 'nurse', displayName: 'Invited' });
    expect((await newClient().whoAmI(accessToken)).status).toBe(200);
    const { rows } = await ownerPool.query(
      'select status, account_id, invited_by from app_public.invitation where id = $1',
      [id],
    );
    expect(rows).toEqual([
      { status: 'accepted', account_id: account.id, invited_by: hospital.admin.accountId },
    ]);
    expect(await eventsOf(server, String(account.id))).toEqual(['invitation_accepted', 'login']);
    expect((await accept(token)).error.scenario).toBe('link_not_valid');
  });

  test('of two who accept at once, one gets the account', async () => {
    const { token } = await invite();
    const answers = await Promise.all([accept(token), accept(token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401]);
  });

  test('sent again, has a new link, and the old one is dead', async () => {
    const { email, id, token } = await invite();
    await asAdmin('select app_public.resend_invitation($1)', [id]);
    const next = await tokenMailedTo(server, email);
    expect(next).not.toBe(token);
    expect((await accept(token)).error.scenario).toBe('link_not_valid');
    expect((await accept(next)).status).toBe(201);
  });

  test('revoked, has no link any more', async () => {
    const { id, token } = await invite();
    await asAdmin('select app_public.revoke_invitation($1)', [id]);
    expect((await accept(token)).error.scenario).toBe('link_not_valid');
    const again = asAdmin('select app_public.revoke_invitation($1)', [id]);
    expect(await again.catch(scenarioOf)).toBe('invitation_not_pending');
  });

  test('ends after seven days by the database clock; sent again, it is good again', async () => {
    const { email, id, token } = await invite();
    await later(server, '8 days', async () => {
      expect((await accept(token)).error.scenario).toBe('link_not_valid');
      await ownerPool.query('select app_private.tidy_login($1)', [hospital.id]);
      await asAdmin('select app_public.resend_invitation($1)', [id]);
      expect((await accept(await tokenMailedTo(server, email))).status).toBe(201);
    });
  });

  test('of an address that has an account, or is invited, is refused', async () => {
    const { email } = await invite();
    const attempt = (address: string) =>
      asAdmin("select app_public.invite_account($1, 'x', 'nurse')", [address]).catch(scenarioOf);
    expect(await attempt(email.toUpperCase())).toBe('already_invited');
    expect(await attempt(`nurse@${hospital.slug}.test`)).toBe('email_taken');
  });

  test.each([
    ['patient', null, 'role_not_possible'],
    ['doctor', null, 'role_not_possible'],
    ['nurse', hospital.doctorIds[0], 'role_not_possible'],
    ['doctor', hospital.doctorIds[0], 'doctor_has_account'],
    ['doctor', hospital.id, 'doctor_not_found'],
  ])('as %s with doctor %s is %s', async (role, doctorId, scenario) => {
    const attempt = asAdmin("select app_public.invite_account('a@b.test', 'x', $1, $2)", [
      role,
      doctorId,
    ]);
    expect(await attempt.catch(scenarioOf)).toBe(scenario);
  });

  test('is for admins, and a weak password is refused before anything is made', async () => {
    const { token } = await invite();
    expect((await accept(token, 'short')).error.scenario).toBe('password_too_weak');
    const attempt = committedAs(ownerPool, hospital.receptionist, (db) =>
      db.query("select app_public.invite_account('a@b.test', 'x', 'admin')"),
    );
    expect(await attempt.catch(scenarioOf)).toBe('42501');
    expect((await accept(token)).status).toBe(201);
  });

  test('neither its answer nor the log, the audit or an event holds the link', async () => {
    const { token } = await invite();
    const { rows } = await ownerPool.query<{ text: string }>(
      `select string_agg(entry::text, '') as text from (
         select to_jsonb(audit_entry) from app_public.audit_entry
         union all select to_jsonb(invitation) from app_public.invitation
         union all select to_jsonb(outbox) from app_private.outbox
         union all select to_jsonb(security_event) from app_public.security_event) as all_of (entry)`,
    );
    const [, secret = ''] = token.split('.');
    expect(secret).toHaveLength(43);
    expect(server.lines.join('') + rows[0]?.text).not.toContain(secret);
  });
});
