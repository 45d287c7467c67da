import { afterAll, describe, expect, test } from 'vitest';
import { faultOfPassword } from '../../server/auth/password-policy.ts';
import { type LoggedIn, openAuthServer } from './auth-server.ts';

const server = await openAuthServer();
afterAll(() => server.close());

const { hospital, newClient, ownerPool } = server;
const password = 'seven brass lanterns';
const somebody = (name: string) => ({
  hospital: hospital.slug,
  email: `${name}@home.test`,
  password,
  name: 'Asha Rao',
});

describe('registering', () => {
  test('makes a patient with an account who is logged in at once', async () => {
    const answer = await newClient().post('/auth/register', {
      ...somebody('Asha'),
      phone: '+91 98765 43210',
      dateOfBirth: '1990-12-31',
    });
    const { accessToken, account } = answer.body as LoggedIn;
    expect(answer.status).toBe(201);
    expect(account).toMatchObject({
      hospitalId: hospital.id,
      email: 'asha@home.test',
      displayName: 'Asha Rao',
      role: 'patient',
      doctorId: null,
    });
    const { rows } = await ownerPool.query(
      `select medical_record_number, name, phone, email, date_of_birth::text, status
       from app_public.patient where hospital_id = $1 and id = $2`,
      [hospital.id, account.patientId],
    );
    expect(rows).toEqual([
      {
        medical_record_number: expect.stringMatching(/^R-[0-9A-F]{12}$/),
        name: 'Asha Rao',
        phone: '+91 98765 43210',
        email: 'asha@home.test',
        date_of_birth: '1990-12-31',
        status: 'active',
      },
    ]);
    expect((await newClient().whoAmI(accessToken)).status).toBe(200);
    const login = { hospital: hospital.slug, email: 'asha@home.test', password };
    expect((await newClient().post('/auth/login', login)).status).toBe(200);
  });

  test('stores the password as argon2id of at least 19 MiB', async () => {
    await newClient().post('/auth/register', somebody('hashed'));
    const { rows } = await ownerPool.query<{ hash: string }>(
      `select password_hash as hash from app_private.account_secret
       join app_public.account on account.id = account_secret.account_id
       where account.email = 'hashed@home.test'`,
    );
    expect(rows[0]?.hash).toMatch(
      /^\$argon2id\$v=19\$m=19456,p=1,t=2\$|^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
    );
  });

  test('is audited, as done by nobody who is logged in, with its request', async () => {
    const answer = await newClient().post('/auth/register', somebody('audited'), {
      'x-request-id': 'registration-1',
    });
    const { rows } = await ownerPool.query(
      `select table_name, actor_role, actor_account_id from app_public.audit_entry
       where request_id = 'registration-1' order by id`,
    );
    expect(answer.headers.get('x-request-id')).toBe('registration-1');
    expect(rows).toEqual([
      { table_name: 'patient', actor_role: 'anonymous', actor_account_id: null },
      { table_name: 'account', actor_role: 'anonymous', actor_account_id: null },
    ]);
  });

  test('an address that has an account is refused, and nothing is left behind', async () => {
    const count = async () => {
      const { rows } = await ownerPool.query('select count(*)::int from app_public.patient');
      return rows[0]?.count;
    };
    await newClient().post('/auth/register', somebody('twice'));
    const before = await count();
    const { error, status } = await newClient().post('/auth/register', somebody('TWICE'));
    expect(status).toBe(409);
    expect(error).toMatchObject({ code: 'SK409', scenario: 'email_taken' });
    expect(await count()).toBe(before);
  });

  test('of two at once with one address, one is refused', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => newClient().post('/auth/register', somebody('race'))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused.map(({ error }) => error.scenario)).toEqual(['email_taken', 'email_taken']);
  });

  test('in a hospital that is not there is hospital_not_found', async () => {
    const { error, status } = await newClient().post('/auth/register', {
      ...somebody('lost'),
      hospital: 'elsewhere',
    });
    expect([status, error.scenario]).toEqual([404, 'hospital_not_found']);
  });

  test.each([
    ['name', { name: ' ' }],
    ['phone', { phone: 'call me' }],
    ['dateOfBirth', { dateOfBirth: '1990-02-30' }],
    ['dateOfBirth', { dateOfBirth: '1849-12-31' }],
    ['body', { role: 'admin' }],
  ])('a wrong %s is invalid_input', async (field, fault) => {
    const { error } = await newClient().post('/auth/register', { ...somebody('wrong'), ...fault });
    expect(error).toMatchObject({ scenario: 'invalid_input' });
    expect(Object.keys(error.details ?? {})).toEqual([field]);
  });

  test('from one address ends after ten', async () => {
    const client = newClient();
    const statuses: number[] = [];
    for (let number = 0; number < 11; number++) {
      const { status } = await client.post('/auth/register', somebody(`many${number % 5}`));
      statuses.push(status);
    }
    expect(statuses).toEqual([...Array(5).fill(201), ...Array(5).fill(409), 429]);
    expect((await client.login('nurse')).status).toBe(200);
  });

  test('with a weak password says what is wrong, and not with which', async () => {
    const { body, error, status } = await newClient().post('/auth/register', {
      ...somebody('weak'),
      password: 'Password123!',
    });
    expect(status).toBe(422);
    expect(error).toMatchObject({
      code: 'SK422',
      scenario: 'password_too_weak',
      details: { fault: 'too_common', length: { least: 12, most: 128 } },
    });
    expect(JSON.stringify(body)).not.toContain('Password123!');
  });
});

describe('a password', () => {
  const own = {
    email: 'margarethe@clinic.test',
    name: 'Margarethe Vogel',
    hospital: 'st-anna-hospital',
  };
  const fault = (text: string) => faultOfPassword(text, own);

  test.each([
    ['eleven char', 'too_short'],
    ['ééééééééééé', 'too_short'],
    ['🐴🐴🐴🐴🐴🐴', 'too_short'],
    ['x1'.repeat(65), 'too_long'],
    ['password1234', 'too_common'],
    ['Password1234', 'too_common'],
    ['P@ssw0rd!!!!', 'too_common'],
    ['p a s s w o r d 1 2', 'too_common'],
    ['passwordpassword', 'too_common'],
    ['iloveyou2024', 'too_common'],
    ['Welcome-2026!', 'too_common'],
    ['hospital12345', 'too_common'],
    ['123456789012', 'too_common'],
    ['210987654321', 'too_common'],
    ['qwertyuiopas', 'too_common'],
    ['abcdefghijkl', 'too_common'],
    ['1q2w3e4r5t6y', 'too_common'],
    ['aaaaaaaaaaaa', 'too_common'],
    ['abcabcabcabc', 'too_common'],
    ['abc123abc123', 'too_common'],
    ['margarethe@clinic.test', 'too_common'],
    ['Margarethe2026', 'too_common'],
    ['margarethe vogel', 'too_common'],
    ['St-Anna-Hospital1', 'too_common'],
  ])('%s is %s', (text, expected) => {
    expect(fault(text)).toBe(expected);
  });

  test.each([
    'four green horses sing',
    'vB7#mq2!xLw9',
    'password of my grandmother',
    'ばったり会った友人の名前は忘れた',
    'x1y2'.repeat(8).slice(0, 12).concat('-and-more-of-it'),
    `${'a'.repeat(6)}the long way round`,
    'open-the-demo',
  ])('%s is good', (text) => {
    expect(fault(text)).toBeNull();
  });
});
