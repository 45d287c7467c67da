import { afterAll, expect, test } from 'vitest';
import { committedAs } from '../helpers/actors.ts';
import { tokenMailedTo } from './auth-links.ts';
import { type LoggedIn, openAuthServer } from './auth-server.ts';

// What a person sees who follows a link in a mail of the login, in a browser without scripts.

const server = await openAuthServer();
afterAll(() => server.close());

const { hospital, newClient, ownerPool } = server;
const PASSWORD = 'nine purple lamps hum';
let invitedSoFar = 0;

async function invite() {
  invitedSoFar += 1;
  const email = `page${invitedSoFar}@staff.test`;
  await committedAs(ownerPool, hospital.admin, (db) =>
    db.query(
      "select app_public.invite_account(email => $1, display_name => 'Invited', role => 'nurse')",
      [email],
    ),
  );
  return { email, address: `${server.url}/invitation/${await tokenMailedTo(server, email)}` };
}

async function show(address: string) {
  const response = await fetch(address);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function send(address: string, form: Record<string, string>) {
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, text: await response.text() };
}

const typed = (password: string, repeated = password) => ({ password, repeated });

test('an invitation asks for a password, takes it once, and the account can log in', async () => {
  const { address, email } = await invite();
  const page = await show(address);
  expect(page.status).toBe(200);
  expect(page.text).toContain('Choose a password for your account');
  expect(page.text.match(/<input type="password"/g)).toHaveLength(2);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');

  // A scanner of mail that looks at it first spoils nothing.
  expect((await show(address)).status).toBe(200);
  expect(await send(address, typed(PASSWORD))).toMatchObject({
    status: 200,
    text: expect.stringContaining('Your account is ready'),
  });
  const login = { hospital: hospital.slug, email, password: PASSWORD };
  expect((await newClient().post('/auth/login', login)).status).toBe(200);
  expect((await send(address, typed(PASSWORD))).status).toBe(401);
  expect((await show(address)).text).toContain('link');
});

test('a password that is weak or not typed twice is asked for again, and the link stays good', async () => {
  const { address } = await invite();
  const different = await send(address, typed(PASSWORD, `${PASSWORD}!`));
  expect(different).toMatchObject({ status: 422, text: expect.stringContaining('not the same') });
  const weak = await send(address, typed('short'));
  expect(weak).toMatchObject({
    status: 422,
    text: expect.stringContaining('<form method="post">'),
  });
  expect(weak.text).not.toContain('value="short"');
  expect((await send(address, typed(PASSWORD))).status).toBe(200);
});

test('a forgotten password is changed on its page, and open sessions end', async () => {
  const { address, email } = await invite();
  await send(address, typed(PASSWORD));
  const login = { hospital: hospital.slug, email, password: PASSWORD };
  const client = newClient();
  const { accessToken } = (await client.post('/auth/login', login)).body as LoggedIn;
  await client.post('/auth/password/forgot', { hospital: hospital.slug, email });
  const token = await mailed(email);
  const reset = `${server.url}/password/${token}`;
  expect((await show(reset)).text).toContain('Choose a new password');
  const changed = 'eleven quiet rivers bend';
  expect((await send(reset, typed(changed))).status).toBe(200);
  expect((await client.whoAmI(accessToken)).status).toBe(401);
  expect((await client.post('/auth/login', { ...login, password: changed })).status).toBe(200);
});

test('a link that is not good, or for something else, shows one and the same page', async () => {
  const { address } = await invite();
  const token = address.split('/').at(-1);
  const answers = await Promise.all(
    [`password/${token}`, 'password/x', 'invitation/x'].map((path) =>
      show(`${server.url}/${path}`),
    ),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(401);
});

/** The link of the mail about a forgotten password, which is written after the answer. */
async function mailed(email: string): Promise<string> {
  for (;;) {
    const { rows } = await ownerPool.query<{ body: string }>(
      `select body from app_private.outgoing_mail
       where address = $1 and body like '%{public_url}/password/%' order by id desc limit 1`,
      [email],
    );
    if (rows[0]) return tokenMailedTo(server, email);
  }
}
