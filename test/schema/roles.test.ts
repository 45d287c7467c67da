// The roles of the house: who can log in, what they are members of, how long they may take.
import pg from 'pg';
import { expect, test } from 'vitest';
import { createDatabase } from '../helpers/database.ts';

const { ownerPool, authenticatorUrl } = await createDatabase();

test('only the server and the worker log in; nobody of ours is more than an ordinary role', async () => {
  const { rows } = await ownerPool.query(`
    select rolname, rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
    from pg_catalog.pg_roles where rolname like 'app\\_%' order by rolname`);
  const ordinary = {
    rolinherit: false,
    rolsuper: false,
    rolbypassrls: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
  };
  const logins = ['app_authenticator', 'app_worker'];
  const others = [
    'admin',
    'anonymous',
    'doctor',
    'eraser',
    'login',
    'monitor',
    'nurse',
    'observer',
    'owner',
    'patient',
  ];
  expect(rows).toEqual(
    [...logins, ...[...others, 'receptionist', 'scheduler'].map((role) => `app_${role}`)]
      .sort()
      .map((rolname) => ({
        rolname,
        rolcanlogin: logins.includes(rolname),
        ...ordinary,
        // Postgres 15 knows no other way to have a right by membership.
        rolinherit: rolname === 'app_observer',
      })),
  );
});

test('the server may become each role of a request, for one transaction, and is none of them before', async () => {
  const { rows } = await ownerPool.query<{ member: string; role: string; inherits: boolean }>(`
    select member.rolname as member, role.rolname as role,
      pg_has_role(member.oid, role.oid, 'usage') as inherits
    from pg_catalog.pg_auth_members
    join pg_catalog.pg_roles as member on member.oid = pg_auth_members.member
    join pg_catalog.pg_roles as role on role.oid = pg_auth_members.roleid
    where role.rolname like 'app\\_%' and (member.rolname like 'app\\_%')
    order by role.rolname`);
  expect(rows).toEqual(
    [
      'admin',
      'anonymous',
      'doctor',
      'login',
      'monitor',
      'nurse',
      'patient',
      'receptionist',
      'scheduler',
    ].map((name) => ({
      member: 'app_authenticator',
      role: `app_${name}`,
      inherits: false,
    })),
  );
});

test('the roles of ours are members of no other role, but for the observer, whom nobody can become', async () => {
  const { rows } = await ownerPool.query(`
    select member.rolname as member, role.rolname as role
    from pg_catalog.pg_auth_members
    join pg_catalog.pg_roles as member on member.oid = pg_auth_members.member
    join pg_catalog.pg_roles as role on role.oid = pg_auth_members.roleid
    where member.rolname like 'app\\_%' and role.rolname not like 'app\\_%'`);
  expect(rows).toEqual([{ member: 'app_observer', role: 'pg_read_all_stats' }]);
});

test('the server owns nothing and has no right of its own but to connect', async () => {
  const { rows } = await ownerPool.query(`
    select pg_shdepend.deptype, classid::regclass::text as catalog
    from pg_catalog.pg_shdepend
    where refclassid = 'pg_authid'::regclass and refobjid = 'app_authenticator'::regrole
      and (dbid = (select oid from pg_catalog.pg_database where datname = current_database())
        or classid = 'pg_database'::regclass
          and objid = (select oid from pg_catalog.pg_database where datname = current_database()))`);
  expect(rows).toEqual([{ deptype: 'a', catalog: 'pg_database' }]);
  const { rows: rights } = await ownerPool.query(`
    select acl.privilege_type from pg_catalog.pg_database cross join aclexplode(datacl) as acl
    where datname = current_database() and acl.grantee = 'app_authenticator'::regrole`);
  expect(rights).toEqual([{ privilege_type: 'CONNECT' }]);
});

test('timeouts stand on the login roles, where they take effect', async () => {
  const { rows } = await ownerPool.query<{ rolname: string; settings: string[] }>(`
    select rolname, array(select unnest(setconfig) order by 1) as settings
    from pg_catalog.pg_db_role_setting
    join pg_catalog.pg_roles on pg_roles.oid = setrole
    where setdatabase = 0 and rolname like 'app\\_%' order by rolname`);
  expect(rows).toEqual([
    {
      rolname: 'app_authenticator',
      settings: [
        'client_connection_check_interval=1s',
        'idle_in_transaction_session_timeout=10s',
        'lock_timeout=2s',
        'statement_timeout=5s',
      ],
    },
    {
      rolname: 'app_worker',
      settings: [
        'client_connection_check_interval=1s',
        'idle_in_transaction_session_timeout=1min',
        'lock_timeout=10s',
        'statement_timeout=5min',
      ],
    },
  ]);
});

test('a connection of the server has its timeouts, and keeps them as every role', async () => {
  const client = new pg.Client({ connectionString: authenticatorUrl });
  await client.connect();
  try {
    await client.query('begin; set local role app_patient');
    const { rows } = await client.query(
      "select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock",
    );
    expect(rows).toEqual([{ statement: '5s', lock: '2s' }]);
  } finally {
    await client.end();
  }
});

test.each(['app_owner', 'app_worker', 'app_eraser', 'app_observer', 'pg_read_all_data'])(
  'the server cannot become %s',
  async (role) => {
    const client = new pg.Client({ connectionString: authenticatorUrl });
    await client.connect();
    try {
      await expect(client.query(`set role ${role}`)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await client.end();
    }
  },
);
