// A row of every table is made to refer to nothing, once through every foreign key.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { unguarded } from '../../../drill/damage.ts';
import { asOwner, rolledBack } from '../../helpers/actors.ts';
import { appointmentIn } from '../../helpers/booking.ts';
import { createDatabase } from '../../helpers/database.ts';
import { openHospital } from '../../helpers/hospital.ts';
import { nth } from '../../helpers/nth.ts';
import { createWorld } from '../../schema/world.ts';
import { type CheckRow, rowsOf } from '../findings.ts';

const { ownerPool } = await createDatabase();

interface ForeignKey {
  name: string;
  child: string;
  entity_type: string;
  has_uuid: boolean;
  columns: string[];
}

/** The names of the columns of `table` whose numbers stand in the array `numbers`, in SQL. */
function columnsOf(table: string, numbers: string): string {
  return `array(
    select attname::text from unnest(${numbers}) with ordinality as key (number, position)
    join pg_catalog.pg_attribute on attrelid = ${table} and attnum = number order by position)`;
}

const foreignKeys = `
  select conname as name, conrelid::regclass::text as child, relname as entity_type,
    exists (select from pg_catalog.pg_attribute where attrelid = conrelid and attname = 'id' and atttypid = 'uuid'::regtype) as has_uuid,
    ${columnsOf('conrelid', 'conkey')} as columns
  from pg_catalog.pg_constraint
  join pg_catalog.pg_class on pg_class.oid = conrelid
  where contype = 'f' and connamespace in ('app_public'::regnamespace, 'app_private'::regnamespace)
  order by conname`;

// Columns are filled that the rules of a table keep empty; what the rows mean does not matter here.
const dropChecks = `
  do $$ declare statements text; begin
    select string_agg(format('alter table %s drop constraint %I', conrelid::regclass, conname), ';') into statements
    from pg_catalog.pg_constraint
    where contype = 'c' and connamespace in ('app_public'::regnamespace, 'app_private'::regnamespace);
    execute statements;
  end $$`;

test('every foreign key has its branch', async () => {
  const forgotten = `
    with view as materialized (select pg_get_viewdef('checks.orphaned_row'::regclass) as definition)
    select name from (${foreignKeys}) as foreign_key cross join view
    where position(quote_literal(name) in definition) = 0`;
  await rolledBack(ownerPool, async (db) => {
    expect((await db.query(forgotten)).rows).toEqual([]);
    await db.query(
      'alter table app_private.outbox add constraint outbox_of_a_hospital_again foreign key (hospital_id) references app_public.hospital (id)',
    );
    expect((await db.query(forgotten)).rows).toEqual([{ name: 'outbox_of_a_hospital_again' }]);
    await db.query('select app_private.declare_guards()');
    expect((await db.query(forgotten)).rows).toEqual([]);
  });
});

test(
  'a row that refers to nothing is named, through every foreign key',
  () =>
    rolledBack(ownerPool, async (db) => {
      await createWorld(db);
      expect(await rowsOf(db, 'orphaned_row')).toEqual([]);
      const { rows: keys } = await db.query<ForeignKey>(foreignKeys);
      expect(keys.length).toBeGreaterThan(150);
      await db.query(dropChecks);
      const untried = new Set<string>();
      for (const key of keys) {
        await db.query('savepoint healthy');
        const entityId = await orphan(db, key);
        if (entityId === undefined) untried.add(key.child);
        else {
          const rows = await rowsOf(db, 'orphaned_row');
          const its = rows.filter(({ metadata }) => metadata.reference === key.name);
          expect(its.map(nameOf), key.name).toEqual([
            { entityType: key.entity_type, entityId: key.has_uuid ? entityId : null },
          ]);
        }
        await db.query('rollback to savepoint healthy');
      }
      for (const table of untried) {
        expect((await db.query(`select from ${table}`)).rowCount, table).toBe(0);
      }
      expect(untried.size).toBeLessThan(10);
    }),
  // Every branch of the check is asked once for each of them, which a busy machine takes a minute for.
  180_000,
);

interface Proof {
  name: string;
  child: string;
  target: string;
  child_columns: string[];
  target_columns: string[];
}

/** References that another one of the same row proves, so that they are not looked at as long as it holds. */
const provenReferences = `
  select name, child::regclass::text as child, target::regclass::text as target,
    ${columnsOf('child', 'from_columns')} as child_columns, ${columnsOf('target', 'to_columns')} as target_columns
  from app_private.known_references()
  where witness is not null
  order by name`;

test('what is gone is told by somebody, also where references prove each other', () =>
  rolledBack(ownerPool, async (db) => {
    await createWorld(db);
    const { rows: proofs } = await db.query<Proof>(provenReferences);
    expect(proofs.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['appointment_with_a_doctor', 'slot_at_a_location']),
    );
    let tried = 0;
    for (const { name, child, target, child_columns, target_columns } of proofs) {
      await db.query('savepoint healthy');
      const used = child_columns.map(
        (column, index) => `child.${column} = target.${target_columns[index]}`,
      );
      const { rowCount } = await unguarded(db, () =>
        db.query(
          `delete from ${target} as target where target.ctid =
             (select target.ctid from ${target} as target join ${child} as child on ${used.join(' and ')} limit 1)`,
        ),
      );
      if (rowCount) {
        tried += 1;
        const told = (await rowsOf(db, 'orphaned_row')).map(({ metadata }) => metadata.target);
        expect(told, name).toContain(target.replace('app_public.', ''));
      }
      await db.query('rollback to savepoint healthy');
    }
    expect(tried).toBeGreaterThan(20);
  }));

test('a doctor who is gone is told of by the schedule, not by every visit; with the slot gone, by the visit too', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await openHospital(db);
    const slotId = nth(hospital.slotIds, 0);
    await appointmentIn(db, hospital, 'scheduled', slotId, nth(hospital.patientIds, 0));
    await asOwner(db);
    await unguarded(db, () =>
      db.query(
        'delete from app_public.doctor where id = (select doctor_id from app_public.slot where id = $1)',
        [slotId],
      ),
    );
    const references = async () =>
      new Set(
        (await rowsOf(db, 'orphaned_row', hospital.id)).map(({ metadata }) => metadata.reference),
      );
    expect(await references()).toContain('schedule_of_a_doctor');
    expect(await references()).not.toContain('slot_of_a_doctor');
    expect(await references()).not.toContain('appointment_with_a_doctor');
    await unguarded(db, () => db.query('delete from app_public.slot where id = $1', [slotId]));
    expect(await references()).toContain('appointment_in_a_slot');
    expect(await references()).toContain('appointment_with_a_doctor');
  }));

test('what a row refers to without a foreign key may be in the archive, but not nowhere', () =>
  rolledBack(ownerPool, async (db) => {
    const { hospital } = await createWorld(db);
    for (const table of ['vitals_entry', 'no_show_log', 'consultation']) {
      await db.query('savepoint healthy');
      const { rows: entries } = await db.query<{ id: string }>(
        `select id from app_public.${table} where hospital_id = $1 limit 1`,
        [hospital.id],
      );
      const id = entries[0]?.id;
      expect(id, table).toBeDefined();
      await unguarded(db, () =>
        db.query(`update app_public.${table} set appointment_id = $2 where id = $1`, [
          id,
          archived,
        ]),
      );
      expect((await rowsOf(db, 'orphaned_row', hospital.id)).map(nameOf)).toEqual([
        { entityType: table, entityId: id },
      ]);
      await unguarded(db, () =>
        db.query(
          `insert into app_public.appointment_archive (
             hospital_id, id, doctor_id, patient_id, starts_at, ends_at, status, source, created_at, updated_at, archived_at)
           select hospital_id, $2, doctor_id, patient_id, now() - interval '2 years', now() - interval '1 year', 'completed', 'patient',
             now(), now(), now()
           from app_public.appointment where hospital_id = $1 limit 1`,
          [hospital.id, archived],
        ),
      );
      expect(await rowsOf(db, 'orphaned_row')).toEqual([]);
      await db.query('rollback to savepoint healthy');
    }
  }));

const nowhere = '00000000-0000-7000-8000-00000000dead';
const archived = '00000000-0000-7000-8000-00000000a5c1';

test('a log may outlive what it tells of, but not its hospital', () =>
  rolledBack(ownerPool, async (db) => {
    const { id } = await openHospital(db);
    await db.query(`
      insert into app_private.outbox (hospital_id, topic, key, payload) values (app_private.machinery(), 'a', 'b', '{}')`);
    expect(await rowsOf(db, 'orphaned_row')).toEqual([]);
    await unguarded(db, () => db.query('delete from app_public.hospital where id = $1', [id]));
    const references = (await rowsOf(db, 'orphaned_row', id)).map(
      ({ metadata }) => metadata.reference,
    );
    expect(references).toContain('audit_of_a_hospital');
    expect(references).toContain('doctor_of_a_hospital');
    const { rows } = await db.query<{ count: number }>(
      "select count(*)::int as count from checks.orphaned_row where metadata ->> 'reference' = 'audit_of_a_hospital'",
    );
    expect(rows).toEqual([{ count: 1 }]);
  }));

test('for one hospital and for some rows of it, indexes are asked', () =>
  rolledBack(ownerPool, async (db) => {
    const { hospital } = await createWorld(db);
    await db.query(
      'set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan',
    );
    for (const condition of [
      'hospital_id = $1',
      "hospital_id = $1 and entity_id = '00000000-0000-7000-8000-00000000a5c1'",
      "hospital_id = $1 and entity_id = any (array['00000000-0000-7000-8000-00000000a5c1']::uuid[])",
    ]) {
      await db.query(`prepare look (uuid) as select * from checks.orphaned_row where ${condition}`);
      const { rows } = await db.query<{ 'QUERY PLAN': string }>(
        `explain execute look ('${hospital.id}')`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']);
      expect(plan.filter((line) => line.includes('Seq Scan'))).toEqual([]);
      expect(plan.length).toBeGreaterThan(100);
      await db.query('deallocate look');
    }
  }));

/** Makes one row refer to nothing; returns its id, or undefined where there is no row to break. */
async function orphan(db: ClientBase, { child, columns, has_uuid }: ForeignKey) {
  // All of them are uuids; the hospital is changed only where there is nothing else.
  const column = columns[1] ?? columns[0];
  const { rows } = await unguarded(db, () =>
    db.query<{ id: string | null }>(
      `with chosen as (select ctid from ${child} limit 1)
       update ${child} set ${columns
         .map((name) =>
           name === column
             ? `${name} = '${nowhere}'`
             : `${name} = coalesce(${child}.${name}, '${nowhere}')`,
         )
         .join(', ')}
       from chosen where ${child}.ctid = chosen.ctid
       returning ${has_uuid ? `${child}.id` : 'null as id'}`,
    ),
  );
  return rows[0]?.id;
}

function nameOf({ entity_type, entity_id }: CheckRow) {
  return { entityType: entity_type, entityId: entity_id };
}
