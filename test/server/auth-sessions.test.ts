import { afterAll, describe, expect, test, vi } from 'vitest';
import { type LoggedIn, openAuthServer } from './auth-server.ts';

const server = await openAuthServer({ pollSessionsEveryMs: 100 });
const deaf = await openAuthServer({ pollSessionsEveryMs: 3_600_000 });
afterAll(() => Promise.all([server.close(), deaf.close()]));

const { auth, hospital, newClient, ownerPool } = server;

/** The outbox's messages about sessions, oldest first. */
async function toldSessions(): Promise<string[]> {
  const { rows } = await ownerPool.query<{ session_id: string }>(
    `select jsonb_array_elements_text(payload -> 'session_ids') as session_id
     from app_private.outbox where topic = 'session' order by id`,
  );
  return rows.map((row) => row.session_id);
}

function sessionIdOf({ accessToken }: LoggedIn): string {
  const [, payload = ''] = accessToken.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).session_id;
}

/** Resolves when so many calls of a function wait for a lock. */
async function waiting(functionName: string, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rowCount } = await ownerPool.query(
        `select from pg_catalog.pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like '%' || $1 || '%'`,
        [functionName],
      );
      expect(rowCount).toBe(count);
    },
    { timeout: 30_000, interval: 20 }, // they hash or connect before they come to the lock
  );
}

/** Waits until the server refuses the access token, and says with which scenario. */
async function refusalOf(client: ReturnType<typeof newClient>, accessToken: string) {
  return vi.waitFor(
    async () => {
      const { error, headers, status } = await client.whoAmI(accessToken);
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toMatch(/^Bearer /);
      return error.scenario;
    },
    { timeout: 30_000, interval: 50 },
  );
}

describe('refreshing', () => {
  test('one token buys the next, with the account as it is now', async () => {
    const client = newClient();
    const first = await client.loggedIn('nurse');
    const answer = await client.refresh(first.refreshToken);
    const second = answer.body as LoggedIn;
    expect(answer.status).toBe(200);
    expect(second.account).toEqual(first.account);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(sessionIdOf(second)).toBe(sessionIdOf(first));
    expect((await client.whoAmI(second.accessToken)).status).toBe(200);
    expect((await client.refresh(second.refreshToken)).status).toBe(200);
  });

  test('a second use ends the whole session, at once and on every server', async () => {
    const client = newClient();
    const first = await client.loggedIn('nurse');
    const second = (await client.refresh(first.refreshToken)).body as LoggedIn;
    const reused = await client.refresh(first.refreshToken);
    expect(reused.status).toBe(401);
    expect(reused.error).toMatchObject({ code: 'SK401', scenario: 'invalid_refresh_token' });
    const { error } = await client.refresh(second.refreshToken);
    expect(error.scenario).toBe('invalid_refresh_token');
    for (const { accessToken } of [first, second]) {
      expect((await client.whoAmI(accessToken)).error.scenario).toBe('session_ended');
    }
    expect(await toldSessions()).toContain(sessionIdOf(first));
  });

  test('of two uses at once, one wins and then both lose', async () => {
    const client = newClient();
    const loggedIn = await client.loggedIn('nurse');
    // Both are held at the session until both are under way.
    const holder = await ownerPool.connect();
    let uses: ReturnType<typeof client.refresh>[];
    try {
      await holder.query('begin');
      await holder.query('select from app_private.session where id = $1 for update', [
        sessionIdOf(loggedIn),
      ]);
      uses = [1, 2].map(() => client.refresh(loggedIn.refreshToken));
      await waiting('rotate_session', 2);
      await holder.query('commit');
    } finally {
      holder.release();
    }
    const answers = await Promise.all(uses);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    const winner = answers.find(({ status }) => status === 200)?.body as LoggedIn;
    const { error } = await client.refresh(winner.refreshToken);
    expect(error.scenario).toBe('invalid_refresh_token');
    expect((await client.whoAmI(winner.accessToken)).error.scenario).toBe('session_ended');
  });

  test.each([
    ['no form', 'whatever'],
    ['unknown', `${'A'.repeat(22)}.${'A'.repeat(43)}`],
    ['empty', ''],
  ])('a token that is %s is invalid_refresh_token', async (_, token) => {
    const { error, status } = await newClient().refresh(token);
    expect([status, error.scenario]).toEqual([401, 'invalid_refresh_token']);
  });

  test('a token of one hospital is not one of another', async () => {
    const { refreshToken } = await newClient().loggedIn('nurse');
    const [, secret] = refreshToken.split('.');
    const elsewhere = await newClient().refresh(`${'B'.repeat(22)}.${secret}`);
    expect(elsewhere.error.scenario).toBe('invalid_refresh_token');
    expect((await newClient().refresh(refreshToken)).status).toBe(200);
  });

  test('an inactive account is not refreshed, even if its session did not end', async () => {
    const { refreshToken } = await deaf.newClient().loggedIn('nurse');
    await deaf.ownerPool.query(`
      alter table app_public.account disable trigger account_change_ends_its_sessions;
      update app_public.account set is_active = false where email like 'nurse@%';
      alter table app_public.account enable trigger account_change_ends_its_sessions`);
    const { error } = await deaf.newClient().refresh(refreshToken);
    expect(error.scenario).toBe('invalid_refresh_token');
  });

  test('a session that has expired is not refreshed', async () => {
    const loggedIn = await newClient().loggedIn('nurse');
    await ownerPool.query('update app_private.session set expires_at = now() where id = $1', [
      sessionIdOf(loggedIn),
    ]);
    const { error } = await newClient().refresh(loggedIn.refreshToken);
    expect(error.scenario).toBe('invalid_refresh_token');
  });
});

describe('logging out', () => {
  test('ends the session, and only this one', async () => {
    const client = newClient();
    const [gone, kept] = [await client.loggedIn('doctor'), await client.loggedIn('doctor')];
    const answer = await client.logout(gone.refreshToken);
    expect([answer.status, answer.body]).toEqual([204, null]);
    expect((await client.whoAmI(gone.accessToken)).error.scenario).toBe('session_ended');
    expect((await client.refresh(gone.refreshToken)).error.scenario).toBe('invalid_refresh_token');
    expect((await client.whoAmI(kept.accessToken)).status).toBe(200);
    expect(await toldSessions()).toContain(sessionIdOf(gone));
  });

  test('again, or with a token that never was, is no error', async () => {
    const client = newClient();
    const { refreshToken } = await client.loggedIn('doctor');
    for (const token of [refreshToken, refreshToken, 'whatever', '']) {
      expect((await client.logout(token)).status).toBe(204);
    }
    expect((await client.post('/auth/logout', {})).error.scenario).toBe('invalid_input');
  });
});

describe('an account that changes', () => {
  const changes: [string, string, string][] = [
    ['is deactivated', 'reception', 'is_active = false'],
    ['becomes an admin', 'nurse', `role = 'admin'`],
    ['becomes another doctor', 'doctor2', `doctor_id = (select id from d)`],
  ];

  test.each(changes)('and %s loses its sessions at once', async (_, name, change) => {
    const client = newClient();
    const [one, two] = [await client.loggedIn(name), await client.loggedIn(name)];
    await ownerPool.query(
      `with d as (
         insert into app_public.doctor (hospital_id, display_name)
         select $1, 'Dr. New' where $3 like '%select id from d%' returning id)
       update app_public.account set ${change} where hospital_id = $1 and email like $2 || '@%'`,
      [hospital.id, name, change],
    );
    const told = await toldSessions();
    for (const session of [one, two]) {
      expect(told).toContain(sessionIdOf(session));
      expect(await refusalOf(client, session.accessToken)).toBe('session_ended');
      const { error } = await client.refresh(session.refreshToken);
      expect(error.scenario).toBe('invalid_refresh_token');
    }
  });

  test('and keeps who it is keeps its sessions', async () => {
    const client = newClient();
    const { refreshToken } = await client.loggedIn('admin');
    await ownerPool.query(
      `update app_public.account set display_name = 'Somebody', is_active = true, role = 'admin'
       where hospital_id = $1 and id = $2`,
      [hospital.id, hospital.admin.accountId],
    );
    const { body, status } = await client.refresh(refreshToken);
    expect(status).toBe(200);
    expect((body as LoggedIn).account).toMatchObject({ displayName: 'Somebody' });
  });

  test('while a login of it is on its way leaves no session behind', async () => {
    const changing = await ownerPool.connect();
    try {
      await changing.query('begin');
      await changing.query('update app_public.account set is_active = false where id = $1', [
        hospital.patient.accountId,
      ]);
      const login = newClient().login('patient');
      await waiting('begin_challenge', 1);
      await changing.query('commit');
      expect((await login).error.scenario).toBe('invalid_credentials');
    } finally {
      changing.release();
    }
    const { rowCount } = await ownerPool.query(
      'select from app_private.session where account_id = $1 and ended_at is null',
      [hospital.patient.accountId],
    );
    expect(rowCount).toBe(0);
  });
});

describe('ended sessions', () => {
  test('are refused as soon as the server is told, without asking the database', async () => {
    const client = deaf.newClient();
    const loggedIn = await client.loggedIn('doctor');
    expect((await client.whoAmI(loggedIn.accessToken)).status).toBe(200);
    const heard = vi.fn();
    deaf.auth.endedSessions.whenEnded(heard);
    deaf.auth.endedSessions.add([sessionIdOf(loggedIn)]);
    deaf.auth.endedSessions.add([sessionIdOf(loggedIn)]);
    expect((await client.whoAmI(loggedIn.accessToken)).error.scenario).toBe('session_ended');
    expect(heard.mock.calls).toEqual([[[sessionIdOf(loggedIn)]]]);
  });

  test('are heard of by asking, also when they committed late', async () => {
    const client = deaf.newClient();
    const loggedIn = await client.loggedIn('reception');
    const slow = await deaf.ownerPool.connect();
    try {
      await slow.query('begin');
      await slow.query('update app_public.account set is_active = false where id = $1', [
        deaf.hospital.receptionist.accountId,
      ]);
      await deaf.auth.endedSessions.poll();
      expect((await client.whoAmI(loggedIn.accessToken)).status).toBe(200);
      await slow.query('commit');
    } finally {
      slow.release();
    }
    await deaf.auth.endedSessions.poll();
    expect((await client.whoAmI(loggedIn.accessToken)).error.scenario).toBe('session_ended');
  });

  test('can be asked for while the database is away, which is logged once', async () => {
    const { endedSessions } = deaf.auth;
    const rights = (verb: string) =>
      deaf.ownerPool.query(
        `${verb} execute on function app_private.ended_sessions(timestamptz) ${verb === 'grant' ? 'to' : 'from'} app_login`,
      );
    await rights('revoke');
    await endedSessions.poll();
    await endedSessions.poll();
    await rights('grant');
    await endedSessions.poll();
    const warnings = deaf.lines.filter((line) => line.includes('could not be read'));
    expect(warnings).toHaveLength(1);
  });

  test('of a week ago are removed, with their tokens; those that are good stay', async () => {
    const loggedIn = await newClient().loggedIn('admin');
    await ownerPool.query(
      `insert into app_private.session (hospital_id, account_id, expires_at)
       values ($1, $2, now() - interval '8 days')`,
      [hospital.id, hospital.admin.accountId],
    );
    const told = await toldSessions();
    const { rows } = await ownerPool.query(
      'select app_private.remove_old_sessions($1) as removed',
      [hospital.id],
    );
    expect(rows).toEqual([{ removed: 1 }]);
    expect(await toldSessions()).toEqual(told);
    expect((await newClient().refresh(loggedIn.refreshToken)).status).toBe(200);
  });

  test('a session that is deleted while it is good is told as well', async () => {
    const loggedIn = await newClient().loggedIn('admin');
    await ownerPool.query('delete from app_private.session where id = $1', [sessionIdOf(loggedIn)]);
    expect(await toldSessions()).toContain(sessionIdOf(loggedIn));
    const { error } = await newClient().refresh(loggedIn.refreshToken);
    expect(error.scenario).toBe('invalid_refresh_token');
  });
});

test('nobody but app_login runs the login functions', async () => {
  const { rows } = await ownerPool.query<{ function: string; role: string }>(
    `select function.proname as function, role.rolname as role
     from pg_catalog.pg_proc as function, pg_catalog.pg_roles as role
     where function.pronamespace = 'app_private'::regnamespace
       and function.proname in ('find_credentials', 'record_failed_login', 'open_session',
         'rotate_session', 'end_session', 'ended_sessions', 'register_patient')
       and role.rolname like 'app\\_%' and role.rolname <> 'app_owner'
       and pg_catalog.has_function_privilege(role.oid, function.oid, 'execute')
     order by 1`,
  );
  expect(new Set(rows.map(({ role }) => role))).toEqual(new Set(['app_login']));
  expect(rows).toHaveLength(7);
  expect(auth.endedSessions.size).toBeGreaterThan(0);
});
