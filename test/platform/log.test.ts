import { expect, test } from 'vitest';
import { createLog } from '../../platform/log.ts';

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  const destination = {
    write(line: string) {
      text += line;
    },
  };
  write(createLog({ name: 'test', level: 'info', destination }));
  return text;
}

test('secrets are hidden by name, at any of three levels', () => {
  const line = logged((log) =>
    log.info(
      { password: 's1', user: { token: 's2' }, request: { headers: { authorization: 's3' } } },
      'x',
    ),
  );
  expect(line).not.toMatch(/s1|s2|s3/);
  expect(JSON.parse(line)).toMatchObject({ password: '[hidden]', msg: 'x' });
});

test('passwords inside URLs are hidden wherever they stand', () => {
  const line = logged((log) =>
    log.info({ note: 'postgres://me:hunter2@host/db' }, 'at postgres://a:hunter2@b/c'),
  );
  expect(line).not.toContain('hunter2');
  expect(line).toContain('me:[hidden]@host');
});

test('of a database error the values of rows are left out', () => {
  const error = Object.assign(new Error('duplicate key'), {
    code: '23505',
    constraint: 'email_is_unique',
    detail: 'Key (email)=(ann@example.org) already exists.',
    where: 'SQL statement with ann@example.org',
  });
  const line = logged((log) => log.error({ err: error }, 'x'));
  expect(line).not.toContain('ann@example.org');
  expect(JSON.parse(line).err).toMatchObject({ code: '23505', constraint: 'email_is_unique' });
});
