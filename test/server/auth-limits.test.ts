import { afterAll, describe, expect, test, vi } from 'vitest';
import { networkOf } from '../../server/auth/limiter.ts';
import { type Answer, openAuthServer } from './auth-server.ts';

const server = await openAuthServer();
afterAll(() => server.close());

const { newClient, ownerPool } = server;

/** Answers of attempts made one after another. */
async function inTurn<T>(count: number, attempt: () => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let number = 0; number < count; number++) answers.push(await attempt());
  return answers;
}

const scenarios = (answers: readonly Answer[]) => answers.map(({ error }) => error.scenario);

const five = Array<string>(5).fill('invalid_credentials');

describe('failures of one account', () => {
  test('after five, from wherever, even the right password waits', async () => {
    const failed = await inTurn(5, () => newClient().login('doctor', 'not the password'));
    expect(scenarios(failed)).toEqual(five);
    const { error, headers, status } = await newClient().login('doctor');
    expect(status).toBe(429);
    expect(error).toMatchObject({ code: 'SK429', scenario: 'too_many_attempts' });
    const seconds = Number(headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(14 * 60);
    expect(seconds).toBeLessThanOrEqual(15 * 60);
    expect(error.details).toEqual({ retry_after_seconds: seconds });
    expect((await newClient().login('doctor2')).status).toBe(200);
  });

  test('an account that does not exist is treated alike', async () => {
    const answers = await inTurn(6, () => newClient().login('nobody'));
    expect(scenarios(answers)).toEqual([...five, 'too_many_attempts']);
  });

  test('capitals make no other account of it', async () => {
    const answers = await inTurn(6, () => newClient().login(Math.random() < 0.5 ? 'Some' : 'sOME'));
    expect(scenarios(answers)).toEqual([...five, 'too_many_attempts']);
  });

  test('a success forgets the failures before it', async () => {
    await inTurn(4, () => newClient().login('nurse', 'not the password'));
    expect((await newClient().login('nurse')).status).toBe(200);
    const again = await inTurn(4, () => newClient().login('nurse', 'not the password'));
    expect(scenarios(again)).toEqual(five.slice(1));
    expect((await newClient().login('nurse')).status).toBe(200);
  });

  test('a burst is counted one by one', async () => {
    const burst = Array.from({ length: 20 }, () => newClient().login('burst'));
    const seen = scenarios(await Promise.all(burst));
    expect(seen.filter((scenario) => scenario === 'invalid_credentials')).toHaveLength(5);
    expect(seen.filter((scenario) => scenario === 'too_many_attempts')).toHaveLength(15);
  });
});

describe('failures from one address', () => {
  test('after five, at whatever accounts, everybody there waits', async () => {
    const client = newClient();
    let number = 0;
    const failed = await inTurn(5, () => client.login(`guess${++number}`));
    expect(scenarios(failed)).toEqual(five);
    const refused = await client.login('admin');
    expect(refused.error.scenario).toBe('too_many_attempts');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await newClient().login('admin')).status).toBe(200);
  });

  test('a success of its own does not buy more guesses', async () => {
    const client = newClient();
    await inTurn(4, () => client.login('victim', 'guess'));
    expect((await client.login('reception')).status).toBe(200);
    const answers = await inTurn(2, () => client.login('other-victim', 'guess'));
    expect(scenarios(answers)).toEqual(['invalid_credentials', 'too_many_attempts']);
  });

  test('many who log in rightly at once are all let in', async () => {
    const client = newClient();
    const names = ['admin', 'reception', 'patient', 'patient2', 'doctor2', 'nurse'];
    const answers = await Promise.all([...names, ...names].map((name) => client.login(name)));
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  });

  test('an address of IPv6 is a network, one of IPv4 is itself', () => {
    expect(networkOf('10.1.2.3')).toBe('10.1.2.3');
    expect(networkOf('::ffff:10.1.2.3')).toBe('10.1.2.3');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:0db8:0001:0002::1')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
  });
});

describe('the wait', () => {
  test('ends, and doubles with each round up to an hour', async () => {
    const attempt = () => newClient().login('patience');
    const round = async () => {
      expect(scenarios(await inTurn(5, attempt))).toEqual(five);
      const { headers } = await attempt();
      await waitsAreOver();
      return Math.ceil(Number(headers.get('retry-after')) / 60);
    };
    expect(await inTurn(4, round)).toEqual([15, 30, 60, 60]);
    expect((await attempt()).error.scenario).toBe('invalid_credentials');
  });
});

describe('what is stored', () => {
  test('neither address nor e-mail stands in the counts', async () => {
    const { rows } = await ownerPool.query<{ key: string }>(
      'select key from app_private.rate_limit',
    );
    expect(rows.length).toBeGreaterThan(5);
    for (const { key } of rows) {
      expect(key).toMatch(/^(failures|rounds):(account|address|registration):[\w-]{43}$/);
    }
  });

  test('a wrong password is counted at its account', async () => {
    await newClient().login('patient2', 'not the password');
    // It is written after the answer.
    await vi.waitFor(
      async () => {
        const { rows } = await ownerPool.query(
          'select failed_attempts from app_private.account_secret where account_id = $1',
          [server.hospital.otherPatient.accountId],
        );
        expect(rows).toEqual([{ failed_attempts: 1 }]);
      },
      { timeout: 30_000 },
    );
  });

  test('the second line: ten wrong passwords in a row lock the account for a while', async () => {
    const hospital = server.hospital;
    const account = [hospital.id, hospital.doctor.accountId];
    const lockOf = async () => {
      const { rows } = await ownerPool.query<{ tries: number; wait: number | null }>(
        `select failed_attempts as tries, extract(epoch from locked_until - now())::float8 as wait
         from app_private.account_secret where hospital_id = $1 and account_id = $2`,
        account,
      );
      return rows[0];
    };
    const restOver = () =>
      ownerPool.query(
        `update app_private.account_secret set locked_until = now()
         where hospital_id = $1 and account_id = $2`,
        account,
      );
    const failTimes = async (count: number) => {
      for (let number = 0; number < count; number++) {
        await ownerPool.query('select app_private.record_failed_login($1, $2)', account);
      }
    };
    const before = (await lockOf())?.tries ?? 0;
    await failTimes(9 - before);
    expect(await lockOf()).toEqual({ tries: 9, wait: null });
    const waits: number[] = [];
    for (let round = 0; round < 7; round++) {
      await failTimes(2); // the second one meets the lock, and does not count
      waits.push(Math.ceil(((await lockOf())?.wait ?? 0) / 60));
      await restOver();
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15, 15]);
  });

  const lock = (name: string, until: string) =>
    ownerPool.query(
      `update app_private.account_secret set failed_attempts = 12, locked_until = now() + $2::interval
       from app_public.account
       where account.id = account_secret.account_id and account.email like $1 || '@%'`,
      [name, until],
    );

  test('a locked account answers as to a wrong password', async () => {
    await lock('doctor2', '1 minute');
    expect((await newClient().login('doctor2')).error.scenario).toBe('invalid_credentials');
  });

  test('a lock that is over is forgotten with the next login', async () => {
    await lock('patient', '-1 second');
    expect((await newClient().login('patient')).status).toBe(200);
    const { rows } = await ownerPool.query(
      `select failed_attempts, locked_until from app_private.account_secret
       where account_id = $1`,
      [server.hospital.patient.accountId],
    );
    expect(rows).toEqual([{ failed_attempts: 0, locked_until: null }]);
  });
});

describe('without the table of counts', () => {
  test('the server counts in memory', async () => {
    const lonely = await openAuthServer();
    try {
      await lonely.ownerPool.query('drop table app_private.rate_limit');
      const answers = await inTurn(6, () => lonely.newClient().login('nurse', 'not the password'));
      expect(scenarios(answers)).toEqual([...five, 'too_many_attempts']);
      expect(lonely.lines.join('')).toContain('counted in memory');
    } finally {
      await lonely.close();
    }
  });
});

/** As if every wait for failures had passed. */
async function waitsAreOver(): Promise<void> {
  await ownerPool.query(
    `update app_private.rate_limit
     set expire = extract(epoch from clock_timestamp()) * 1000 - 1
     where key like 'failures:%'`,
  );
}
