// Who writes the manifest, who does not, and what opens a door that nobody declared.
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { lookAtGuards } from '../../../platform/migration/look-at-guards.ts';
import { asOwner, rolledBack } from '../../helpers/actors.ts';
import { createDatabase } from '../../helpers/database.ts';
import { lockRoles } from '../../helpers/roles.ts';
import { linesOf, missingGuards, restore, undeclaredAccess } from './guards.ts';

const { ownerPool } = await createDatabase();

const missing = async (db: ClientBase) => linesOf(await missingGuards(db));

const undeclared = async (db: ClientBase) =>
  (await undeclaredAccess(db)).map(({ kind, object, name }) => `${kind} ${name} on ${object}`);

const thing = `
  create table app_public.thing (
    hospital_id uuid not null constraint thing_of_a_hospital references app_public.hospital (id),
    id uuid not null default app_private.new_id(),
    name text constraint a_thing_has_a_name check (name <> ''),
    primary key (hospital_id, id));
  create unique index one_nameless_thing on app_public.thing (hospital_id) where name is null;
  alter table app_public.thing owner to app_owner;
  alter table app_public.thing enable row level security;
  alter table app_public.thing force row level security;
  create policy admins_read_things on app_public.thing for select to app_admin using (hospital_id = app_private.claim_hospital_id());
  grant select, update (name) on app_public.thing to app_admin;
  create trigger thing_keeps_its_identity before update of hospital_id, id on app_public.thing
    for each row execute function app_private.keep_columns('thing')`;

const ofThing = [
  'constraint a_thing_has_a_name on app_public.thing: missing',
  'constraint thing_of_a_hospital on app_public.thing: missing',
  'constraint thing_pkey on app_public.thing: missing',
  'default id on app_public.thing: missing',
  'grant select to app_admin on app_public.thing: missing',
  'grant update (name) to app_admin on app_public.thing: missing',
  'not_null hospital_id on app_public.thing: missing',
  'not_null id on app_public.thing: missing',
  'owner owner on app_public.thing: missing',
  'policy admins_read_things on app_public.thing: missing',
  'row_security row_security on app_public.thing: missing',
  'trigger thing_keeps_its_identity on app_public.thing: missing',
  'unique_index one_nameless_thing on app_public.thing: missing',
];

const declare = 'select app_private.declare_guards()';

describe('the manifest', () => {
  test('is what the catalogs say when all migrations have run: a migration that forgets to declare fails here', async () => {
    const { rows } = await ownerPool.query(`
      select coalesce(declared.kind, found.kind) as kind, coalesce(declared.object, found.object) as object,
        coalesce(declared.name, found.name) as name, declared.definition as declared, found.definition as found
      from app_private.guard as declared
      full join app_private.guards_in_force() as found
        on found.kind = declared.kind and found.object = declared.object and found.name = declared.name
      where declared.definition is distinct from found.definition`);
    expect(rows).toEqual([]);
  });

  test('reads the same in every session', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(`
        set local datestyle = 'German'; set local intervalstyle = 'sql_standard'; set local timezone = 'Asia/Tokyo';
        set local quote_all_identifiers = on; set local search_path = app_public, app_private, pg_catalog;
        set local bytea_output = 'escape'; set local extra_float_digits = -3`);
      expect(await missing(db)).toEqual([]);
      expect(await undeclared(db)).toEqual([]);
    }));

  test('takes what a migration makes and changes, also behind a savepoint', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(`do $$ begin ${thing}; exception when division_by_zero then null; end $$`);
      await db.query(`
        savepoint step;
        alter table app_public.slot drop constraint a_slot_has_room_for_1_to_100,
          add constraint a_slot_has_room_for_1_to_100 check (capacity between 1 and 200);
        release step`);
      expect(await missing(db)).toEqual([
        'constraint a_slot_has_room_for_1_to_100 on app_public.slot: different',
      ]);
      const { rows } = await db.query<{ count: number }>(
        'select app_private.declare_guards() as count',
      );
      // Each of the thing's, the constraint, and the check of references, which has a new branch.
      expect(rows).toEqual([{ count: ofThing.length + 2 }]);
      expect(await missing(db)).toEqual([]);
      expect(await undeclared(db)).toEqual([]);

      await db.query('drop table app_public.thing cascade');
      expect((await missing(db)).filter((line) => line.includes('thing'))).toEqual(ofThing);
    }));

  test('forgets nothing that a migration drops without a word', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(`${thing}; ${declare}`);
      await db.query(
        `alter table app_public.thing drop constraint a_thing_has_a_name; drop policy admins_read_things on app_public.thing; ${declare}`,
      );
      expect(await missing(db)).toEqual([
        'constraint a_thing_has_a_name on app_public.thing: missing',
        'policy admins_read_things on app_public.thing: missing',
      ]);
      await db.query(`
        select app_private.retire_guard('constraint', 'app_public.thing', 'a_thing_has_a_name');
        select app_private.retire_guard('policy', 'app_public.thing')`);
      expect(await missing(db)).toEqual([]);
    }));

  test('forgets a table, and a foreign key, that a migration drops and says so', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(`${thing}; ${declare}`);
      await db.query(`
        select app_private.retire_guard('constraint', 'app_public.thing', 'thing_of_a_hospital');
        alter table app_public.thing drop constraint thing_of_a_hospital;
        ${declare}`);
      expect(await missing(db)).toEqual([]);
      await db.query(`
        select app_private.retire_guard(null, 'app_public.thing');
        drop table app_public.thing;
        ${declare}`);
      expect(await missing(db)).toEqual([]);
    }));

  test('forgets a function with the rights on it, and a table with the sequence that counts it', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(`
        create function app_public.rename_thing(id uuid, name text) returns void language plpgsql as 'begin end';
        create table app_public.counted_thing (hospital_id uuid, id bigint generated always as identity);
        grant usage on sequence app_public.counted_thing_id_seq to app_admin;
        ${declare}`);
      expect(await missing(db)).toEqual([]);
      expect(await undeclared(db)).toEqual([]);
      await db.query(`
        select app_private.retire_guard('function', 'app_public', 'rename_thing(uuid, text)');
        drop function app_public.rename_thing(uuid, text);
        select app_private.retire_guard(null, 'app_public.counted_thing');
        drop table app_public.counted_thing;
        ${declare}`);
      expect(await missing(db)).toEqual([]);
    }));

  test('still holds the guards of a table that a migration drops without a word', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(`${thing}; ${declare}`);
      await expect(
        db
          .query('savepoint step; drop table app_public.thing')
          .finally(() => db.query('rollback to savepoint step')),
      ).rejects.toThrow(/other objects depend on it/);
      await db.query(`
        drop view checks.orphaned_row cascade;
        drop table app_public.thing;
        ${declare}; select app_private.unite_checks()`);
      expect((await missing(db)).filter((line) => line.includes('thing'))).toEqual(ofThing);
    }));

  test('takes a new role of ours, but none that may do everything', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query(
        `create role app_porter nologin noinherit; create role app_king superuser; ${declare}`,
      );
      expect(await undeclared(db)).toEqual(['role app_king on ']);
      await db.query(`alter role app_porter login; ${declare}`);
      expect(await missing(db)).toEqual(['role app_porter on : different']);
      await db.query(`select app_private.retire_guard('role', '', 'app_porter'); ${declare}`);
      expect(await missing(db)).toEqual([]);
    }));
});

describe('damage done by hand', () => {
  const database = createDatabase({ dropAfterFile: false });
  const damage = [
    'alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap',
    'alter table app_public.appointment disable trigger appointment_is_admitted',
    'alter table app_public.patient no force row level security',
    'create policy a_hand_reads_all on app_public.patient for select to app_doctor using (true)',
    'grant delete on app_public.location to app_nurse',
    'alter function app_public.unblock_slot(uuid) security definer',
  ];
  const told = [
    'constraint slots_of_a_doctor_never_overlap on app_public.slot: missing',
    'function unblock_slot(uuid) on app_public: different',
    'row_security row_security on app_public.patient: different',
    'trigger appointment_is_admitted on app_public.appointment: disabled',
  ];
  const opened = [
    'grant delete to app_nurse on app_public.location',
    'policy a_hand_reads_all on app_public.patient',
  ];

  test('is not blessed by the migrations that come after it', async () => {
    const { ownerPool: pool, drop } = await database;
    try {
      for (const statement of damage) await pool.query(statement);

      // A migration that makes something new, and touches the rows of the catalog that a hand changed.
      const client = await pool.connect();
      try {
        await lookAtGuards(client);
        await client.query(`begin; ${thing};
          alter table app_public.location add column floor text;
          alter table app_public.patient add column pronouns text;
          grant select on app_public.location, app_public.patient to app_nurse;
          ${declare}; commit`);
        expect(await missing(client)).toEqual(told);
        expect(await undeclared(client)).toEqual(opened);

        // What an operator has looked at and takes.
        await client.query('select app_private.declare_guards(everything => true)');
        expect(await undeclared(client)).toEqual([]);
        expect(await missing(client)).toEqual([told[0]]);
        await client.query('begin');
        expect(await restore(client, await missingGuards(client))).toEqual([]);
        await client.query('commit');
        expect(await missing(client)).toEqual([]);
      } finally {
        client.release();
      }
    } finally {
      await drop();
    }
  });
});

describe('access that nobody declared is named, and what takes it away takes it away', () => {
  test.each([
    {
      says: 'a policy',
      sql: 'create policy extra on app_public.patient for select to app_doctor using (true)',
      named: ['policy extra on app_public.patient'],
    },
    {
      says: 'a right on a table',
      sql: 'grant delete on app_public.audit_entry to app_admin',
      named: ['grant delete to app_admin on app_public.audit_entry'],
    },
    {
      says: 'a right on a column',
      sql: 'grant update (booked_count) on app_public.slot to app_receptionist',
      named: ['grant update (booked_count) to app_receptionist on app_public.slot'],
    },
    {
      says: 'a right of everybody',
      sql: 'grant select on app_private.account_secret to public',
      named: ['grant select to public on app_private.account_secret'],
    },
    {
      says: 'a right of a role that is not ours',
      sql: 'create role a_guest; grant select on app_public.patient to a_guest with grant option',
      named: ['grant select to a_guest on app_public.patient'],
    },
    {
      says: 'a right on a schema',
      sql: 'grant create on schema app_public to app_worker',
      named: ['grant create to app_worker on schema app_public'],
    },
    {
      says: 'a right on a function',
      sql: 'grant execute on function app_private.record_repair(uuid, text, uuid, jsonb, jsonb) to app_patient',
      named: [
        'grant execute to app_patient on function app_private.record_repair(uuid, text, uuid, jsonb, jsonb)',
      ],
    },
    {
      says: 'a right on the database',
      sql: `do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$`,
      named: ['grant temporary to public on database'],
    },
    {
      says: 'a membership',
      sql: 'grant app_owner to app_authenticator; grant app_eraser to app_worker with admin option',
      named: [
        'membership app_eraser to app_worker on ',
        'membership app_owner to app_authenticator on ',
      ],
    },
    {
      says: 'a function that runs with the rights of its owner',
      sql: `create function app_public.everything() returns setof app_public.patient language plpgsql security definer
        as 'begin return query select * from app_public.patient; end'; revoke all on function app_public.everything() from public`,
      named: ['function everything() on app_public'],
    },
    {
      says: 'a function that everybody may call',
      sql: "create function app_public.nothing() returns void language plpgsql as 'begin end'",
      named: ['grant execute to public on function app_public.nothing()'],
    },
    {
      says: 'a superuser, and one who passes by row security',
      sql: 'create role a_king superuser; create role a_ghost bypassrls',
      named: ['superuser a_ghost on ', 'superuser a_king on '],
    },
    {
      says: 'a trigger that swallows, and a rule',
      sql: `create trigger a_hole before insert on app_public.audit_entry
          for each row execute function suppress_redundant_updates_trigger();
        create rule no_log as on insert to app_public.record_access do instead nothing`,
      named: [
        'rule no_log on app_public.record_access',
        'trigger a_hole on app_public.audit_entry',
      ],
    },
    {
      says: 'rights that new tables come with',
      sql: 'alter default privileges for role app_owner in schema app_public grant select on tables to app_anonymous, public',
      named: ['default_rights r app_public on app_owner'],
    },
  ])('$says', ({ sql, named }) =>
    rolledBack(ownerPool, async (db) => {
      await db.query(sql);
      const access = await undeclaredAccess(db);
      expect(access.map(({ kind, object, name }) => `${kind} ${name} on ${object}`)).toEqual(named);
      expect(await missing(db)).toEqual([]);
      for (const { remove } of access) await db.query(remove);
      expect(await undeclared(db)).toEqual([]);
    }),
  );
});

test('a setting that switches guards off is named for everybody whom it is set for', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query(lockRoles);
    await db.query(`
      do $$ begin
        execute format('alter database %I set row_security = off', current_database());
        execute format('alter role app_owner in database %I set session_replication_role = replica', current_database());
      end $$;
      alter role all set session_replication_role = local;
      alter role app_worker set session_replication_role = 'replica';
      alter role app_login set row_security = on;
      alter role app_login set statement_timeout = '1min'`);
    const found = await missingGuards(db);
    expect(linesOf(found)).toEqual([
      'setting row_security in database on role all: set',
      'setting session_replication_role in database on role app_owner: set',
      'setting session_replication_role on role all: set',
      'setting session_replication_role on role app_worker: set',
    ]);
    expect(await restore(db, found)).toEqual([]);
    expect(await missing(db)).toEqual([]);
  }));

test('who watches reads all of it, with a right to nothing else', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query(`
      alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap;
      grant delete on app_public.slot to app_admin;
      set local role app_monitor`);
    expect(await missing(db)).toEqual([
      'constraint slots_of_a_doctor_never_overlap on app_public.slot: missing',
    ]);
    expect(await undeclared(db)).toEqual(['grant delete to app_admin on app_public.slot']);
    await db.query(
      'select * from checks.unenforced_foreign_key union all select * from checks.orphaned_row',
    );
    await asOwner(db);
  }));

test('who may watch is for operators to say, but not who may pass that on', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query(lockRoles);
    await db.query(`
      create role drill_dba in role app_monitor;
      create role drill_chief;
      grant app_monitor to drill_chief with admin option;
      create role drill_doctor in role app_doctor`);
    expect(await undeclared(db)).toEqual([
      'membership app_doctor to drill_doctor on ',
      'membership app_monitor to drill_chief on ',
    ]);
  }));

test('the checks are found even when the catalog of checks is emptied', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query('delete from app_public.health_check');
    expect(await missing(db)).toContain('check missing_guard on app_public.health_check: missing');
  }));

test('in one hospital there is nothing to find, and nothing is read', () =>
  rolledBack(ownerPool, async (db) => {
    for (const check of ['missing_guard', 'undeclared_access', 'unenforced_foreign_key']) {
      const { rows } = await db.query<{ 'QUERY PLAN': string }>(
        `explain (analyze, timing off, summary off, costs off)
         select * from checks.${check} where hospital_id = '00000000-0000-0000-0000-000000000001'`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('One-Time Filter: false');
    }
  }));
