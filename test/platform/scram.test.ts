import pg from 'pg';
import { expect, test } from 'vitest';
import { scramVerifier } from '../../platform/migration/scram.ts';
import { createDatabase } from '../helpers/database.ts';

test('the verifier is the one that Postgres computes from the same password and salt', async () => {
  const database = await createDatabase({ dropAfterFile: false });
  try {
    const role = 'scram_test_role';
    await database.ownerPool.query(`create role ${role} password 'correct horse battery'`);
    const { rows } = await database.ownerPool.query<{ verifier: string }>(
      'select rolpassword as verifier from pg_catalog.pg_authid where rolname = $1',
      [role],
    );
    await database.ownerPool.query(`drop role ${role}`);
    const stored = rows[0]?.verifier ?? '';
    const salt = Buffer.from(stored.split(':')[1]?.split('$')[0] ?? '', 'base64');
    expect(scramVerifier('correct horse battery', salt)).toBe(stored);
    expect(scramVerifier('another', salt)).not.toBe(stored);
  } finally {
    await database.drop();
  }
});

test('a role whose verifier was sent can log in with the password, and not with another', async () => {
  const database = await createDatabase({ dropAfterFile: false });
  const role = 'scram_login_role';
  const logIn = async (password: string) => {
    const url = new URL(database.url);
    url.username = role;
    url.password = password;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.end();
  };
  try {
    const verifier = scramVerifier('a-good-password');
    await database.ownerPool.query(
      `create role ${role} login password ${pg.escapeLiteral(verifier)}`,
    );
    await database.ownerPool.query(`grant connect on database ${database.name} to ${role}`);
    await logIn('a-good-password');
    await expect(logIn('a-bad-password')).rejects.toMatchObject({ code: '28P01' });
  } finally {
    await database.ownerPool.query(`revoke connect on database ${database.name} from ${role}`);
    await database.ownerPool.query(`drop role ${role}`);
    await database.drop();
  }
});
