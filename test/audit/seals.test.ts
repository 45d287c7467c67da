import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { unguarded } from '../../drill/damage.ts';
import { rowsOf } from '../checks/findings.ts';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { one } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, insert, type Queryable, type TestHospital } from '../helpers/hospital.ts';
import { race, untilBlocked } from '../helpers/races.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

// A hospital whose log is sealed in batches of ten, with an id in the midst that nobody has.
const hospital = await createHospital(ownerPool);
const unusedId = await nextId();
await rename(ownerPool, hospital, 'after the unused id');
await sealAll(hospital, 10);
await untilSettleable(hospital);
await sealAll(hospital, 10);

describe('sealing', () => {
  test('closes every entry once, and costs nothing when there is nothing new', async () => {
    const other = await createHospital(ownerPool);
    await sealAll(other, 7);
    expect(await sealedOnce(other)).toBe(true);
    await untilSettleable(other);
    await sealAll(other);
    expect(await toSeal()).not.toContain(other.id);
    const before = await numberOf(other);
    await sealAll(other);
    expect(await numberOf(other)).toBe(before);
    await rename(ownerPool, other, 'something new');
    expect(await toSeal()).toContain(other.id);
  }, 120_000);

  test('an entry with a lower id that is committed later is sealed then, whoever else is sealed before', async () => {
    const other = await createHospital(ownerPool);
    await sealAll(other);
    await race(ownerPool, async (start) => {
      const slow = await start();
      await rename(slow.db, other, 'drawn first', 1);
      await rename(ownerPool, other, 'drawn second');
      await sealAll(other);
      await sealAll(other);
      const mark = await markOf(other);
      const { rows } = await ownerPool.query(
        'select id from app_public.audit_entry where hospital_id = $1 order by id desc limit 1',
        [other.id],
      );
      expect(mark.last_entry_id).toBe(rows[0]?.id);
      expect(Number(mark.settled_id)).toBeLessThan(Number(rows[0]?.id) - 1);
      await slow.commit();
    });
    expect(await sealedOnce(other)).toBe(false);
    await rename(ownerPool, other, 'drawn third');
    await sealAll(other);
    expect(await sealedOnce(other)).toBe(true);
    expect(await problemsOf(ownerPool, other)).toEqual([]);
  });

  test('a straggler alone is sealed as well', async () => {
    const other = await createHospital(ownerPool);
    await race(ownerPool, async (start) => {
      const slow = await start();
      await rename(slow.db, other, 'drawn first', 1);
      await rename(ownerPool, other, 'drawn second');
      await sealAll(other);
      await slow.commit();
    });
    await untilSettleable(other);
    expect(await toSeal()).toContain(other.id);
    await sealAll(other);
    expect(await sealedOnce(other)).toBe(true);
    expect(await toSeal()).not.toContain(other.id);
  }, 120_000);

  test('of two at once the second leaves it to the first', () =>
    race(ownerPool, async (start) => {
      const other = await createHospital(ownerPool);
      const [first, second] = [await start(), await start()];
      expect(await sealOnce(first.db, other)).toBeGreaterThan(0);
      expect(await sealOnce(second.db, other)).toBe(0);
      await first.commit();
      expect(await sealOnce(ownerPool, other)).toBe(0);
      expect(await sealedOnce(other)).toBe(true);
    }));

  test('a sealer that dies has sealed nothing', async () => {
    const other = await createHospital(ownerPool);
    await race(ownerPool, async (start) => {
      const dying = await start();
      await sealOnce(dying.db, other);
      await dying.end();
    });
    expect(await numberOf(other)).toBe(0);
    await sealAll(other);
    expect(await sealedOnce(other)).toBe(true);
  });

  test('a dump restored into a cluster whose transactions begin lower goes on', async () => {
    const other = await createHospital(ownerPool);
    await sealOnce(ownerPool, other);
    await ownerPool.query(
      "update app_private.audit_seal_mark set reached_transaction = '9000000000000000' where hospital_id = $1",
      [other.id],
    );
    const { reached_id } = await markOf(other);
    await rename(ownerPool, other, 'after the restore');
    await sealAll(other);
    expect(Number((await markOf(other)).settled_id)).toBeGreaterThanOrEqual(Number(reached_id));
    await rename(ownerPool, other, 'later');
    await sealAll(other);
    expect(await sealedOnce(other)).toBe(true);
    expect(await problemsOf(ownerPool, other)).toEqual([]);
  });

  test('ids are done with batch by batch, so that a long log is not read again for each', async () => {
    const other = await createHospital(ownerPool);
    await sealOnce(ownerPool, other, 5);
    await untilSettleable(other);
    await sealOnce(ownerPool, other, 5);
    const mark = await markOf(other);
    expect(mark.settled_id).toBe(mark.last_entry_id);
    expect(Number(mark.reached_id)).toBeGreaterThan(Number(mark.settled_id));
    await sealAll(other, 5);
    expect(await sealedOnce(other)).toBe(true);
  }, 120_000);

  test('the chain of a hospital knows nothing of others', async () => {
    const { rows } = await ownerPool.query(
      `select hospital_id from app_public.audit_seal where number = 1 and previous_hash is not null`,
    );
    expect(rows).toEqual([]);
  });
});

describe('what is sealed and changed by a hand is found', () => {
  const columns: Readonly<Record<string, string>> = {
    table_name: "'slot'",
    record_id: `'${randomUUID()}'`,
    operation: "'delete'",
    old_state: `'{"status": "open"}'`,
    new_state: `new_state || '{"name": "Another"}'`,
    changed_columns: `'{"name": "Another"}'`,
    actor_account_id: `'${randomUUID()}'`,
    actor_role: "'admin'",
    request_id: "'another'",
    transaction_id: 'transaction_id + 1',
    recorded_at: "recorded_at + interval '1 microsecond'",
  };

  test('every column of an entry counts', async () => {
    const { rows } = await ownerPool.query<{ name: string }>(
      `select attname as name from pg_attribute
        where attrelid = 'app_public.audit_entry'::regclass and attnum > 0 and not attisdropped
          and attname not in ('hospital_id', 'id') order by attname`,
    );
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(columns).toSorted());
  });

  test.each(Object.entries(columns))('%s of an entry', (column, value) =>
    damaged(
      (db, [, id]) =>
        db.query(`update app_public.audit_entry set ${column} = ${value} where id = $1`, [id]),
      ([, id]) => [`entry_altered:${id}`],
    ),
  );

  test('an entry that is removed', () =>
    damaged(
      (db, [, id]) => db.query('delete from app_public.audit_entry where id = $1', [id]),
      ([, id]) => [`entry_missing:${id}`],
    ));

  test('an entry that is added where all is sealed', () =>
    damaged(
      (db, [first]) =>
        db.query(
          `insert into app_public.audit_entry (
             hospital_id, id, table_name, record_id, operation, new_state, actor_role, transaction_id, recorded_at)
           overriding system value
           select hospital_id, $2, table_name, record_id, operation, new_state, actor_role, transaction_id, recorded_at
           from app_public.audit_entry where id = $1`,
          [first, unusedId],
        ),
      () => [`entry_added:${unusedId}`],
    ));

  test('two entries that change places', () =>
    damaged(
      async (db, [one, two]) => {
        for (const [from, to] of [
          [one, '-1'],
          [two, one],
          ['-1', two],
        ]) {
          await db.query(
            'alter table app_public.audit_entry alter column id drop identity if exists',
          );
          await db.query('update app_public.audit_entry set id = $2 where id = $1', [from, to]);
        }
      },
      ([one, two]) => [`entry_altered:${one}`, `entry_altered:${two}`],
    ));

  test('an entry that changes to another hospital', async () => {
    const other = await createHospital(ownerPool);
    await damaged(
      (db, [, id]) =>
        db.query('update app_public.audit_entry set hospital_id = $2 where id = $1', [
          id,
          other.id,
        ]),
      ([, id]) => [`entry_missing:${id}`],
    );
  });
});

describe('a chain that is broken is found', () => {
  const last = () => numberOf(hospital);

  test('the last seal is gone, with what it closes', async () => {
    const number = await last();
    await brokenChain((db) => removeSeal(db, number), [`seal_missing:${number}`], ['entry_added']);
  });

  test('a seal in the midst is gone', () =>
    brokenChain((db) => removeSeal(db, 2), ['seal_missing:2'], ['entry_added']));

  test('a seal is rewritten', () =>
    brokenChain(
      (db) =>
        db.query(
          'update app_public.audit_seal set sealed_at = now() where hospital_id = $1 and number = 2',
          [hospital.id],
        ),
      ['seal_altered:2'],
    ));

  test('a seal is rewritten and fits its own hash', () =>
    brokenChain(
      (db) =>
        db.query(
          `with other as (
             select seal.id, app_private.seal_hash(changed) as hash, changed.sealed_at
             from app_public.audit_seal as seal
             cross join lateral jsonb_populate_record(seal, jsonb_build_object('sealed_at', now())) as changed
             where seal.hospital_id = $1 and seal.number = 2
           )
           update app_public.audit_seal set sealed_at = other.sealed_at, hash = other.hash
           from other where audit_seal.hospital_id = $1 and audit_seal.id = other.id`,
          [hospital.id],
        ),
      ['chain_broken:3'],
    ));

  test('what a seal closes is rewritten to fit a changed entry', () =>
    brokenChain(
      async (db) => {
        await db.query(
          `update app_public.audit_entry set actor_role = 'nobody'
            where hospital_id = $1 and id = (select first_entry_id from app_public.audit_seal where hospital_id = $1 and number = 2)`,
          [hospital.id],
        );
        await db.query(
          `update app_private.audit_seal_content as content
           set digests[1] = app_private.audit_entry_digest(content.salts[1], entry)
           from app_public.audit_entry as entry, app_public.audit_seal as seal
           where seal.hospital_id = $1 and seal.number = 2 and content.hospital_id = $1 and content.seal_id = seal.id
             and entry.hospital_id = $1 and entry.id = seal.first_entry_id`,
          [hospital.id],
        );
      },
      ['content_altered:2'],
    ));

  test('what a seal closes is removed', () =>
    brokenChain(
      (db) =>
        db.query(
          `delete from app_private.audit_seal_content using app_public.audit_seal as seal
            where seal.hospital_id = $1 and seal.number = 2 and audit_seal_content.seal_id = seal.id`,
          [hospital.id],
        ),
      ['content_altered:2'],
      ['entry_added'],
    ));

  test('a seal tells of the redaction of somebody who is not erased', () =>
    brokenChain(
      (db) =>
        db.query(
          `select app_private.seal_redaction($1, $2, array[first_entry_id], '{}')
             from app_public.audit_seal where hospital_id = $1 and number = 2`,
          [hospital.id, hospital.patientIds[0]],
        ),
      [`redaction_unfounded:${0}`],
      ['entry_altered'],
    ));

  test('a chain that was written anew is whole, and does not have the hash that was kept', () =>
    rolledBack(ownerPool, async (db) => {
      const { rows } = await db.query<{ hash: string }>(
        'select hash from app_private.newest_seal($1)',
        [hospital.id],
      );
      const kept = rows[0]?.hash ?? '';
      await become(db, hospital.admin);
      expect(await verify(db, kept)).toMatchObject({ is_valid: true, last_hash: kept });
      await asOwner(db);
      await unguarded(db, async () => {
        await db.query(
          "update app_public.audit_entry set actor_role = 'nobody' where hospital_id = $1",
          [hospital.id],
        );
        await db.query('delete from app_private.audit_seal_content where hospital_id = $1', [
          hospital.id,
        ]);
        await db.query('delete from app_public.audit_seal where hospital_id = $1', [hospital.id]);
        await db.query('delete from app_private.audit_seal_mark where hospital_id = $1', [
          hospital.id,
        ]);
      });
      await sealOnce(db, hospital);
      await become(db, hospital.admin);
      expect(await verify(db)).toMatchObject({ is_valid: true });
      const verified = await verify(db, kept);
      expect(verified).toMatchObject({ is_valid: false, problem_count: 1 });
      expect(verified.problems).toContain('hash_unknown');
    }));
});

describe('an erasure', () => {
  test('changes what is sealed, and the chain tells it', () =>
    rolledBack(ownerPool, async (db) => {
      const patientId = await person(db);
      await sealOnce(db, hospital);
      await erase(db, patientId);
      expect(await problemsOf(db, hospital)).toEqual([]);
      expect(await rowsOf(db, 'broken_audit_seal')).toEqual([]);
      const { rows } = await db.query(
        "select patient_id, entry_count from app_public.audit_seal where hospital_id = $1 and kind = 'redaction'",
        [hospital.id],
      );
      expect(rows).toEqual([{ patient_id: patientId, entry_count: 1 }]);
      await sealOnce(db, hospital);
      await erase(db, patientId);
      expect(await problemsOf(db, hospital)).toEqual([]);
    }));

  test('forgets the salt and the digest of what it redacted', () =>
    rolledBack(ownerPool, async (db) => {
      const patientId = await person(db);
      await sealOnce(db, hospital);
      const secrets = async () => {
        const { rows } = await db.query<{ salt: Buffer; digest: Buffer; is_of_person: boolean }>(
          `select sealed.salt, sealed.digest, entry.record_id = $2 as is_of_person
             from app_private.audit_seal_content as content
             cross join unnest(content.entry_ids, content.salts, content.digests) as sealed (id, salt, digest)
             join app_public.audit_entry as entry on entry.hospital_id = $1 and entry.id = sealed.id
            where content.hospital_id = $1 order by sealed.id`,
          [hospital.id, patientId],
        );
        return rows;
      };
      const before = await secrets();
      await erase(db, patientId);
      for (const [index, { salt, digest, is_of_person }] of (await secrets()).entries()) {
        expect(before[index]?.salt.equals(salt)).toBe(!is_of_person);
        expect(before[index]?.digest.equals(digest)).toBe(!is_of_person);
      }
    }));

  test('by a hand, without one, is found', () =>
    rolledBack(ownerPool, async (db) => {
      const patientId = await person(db);
      await sealOnce(db, hospital);
      const { rows } = await unguarded(db, () =>
        db.query<{ id: string }>(
          `update app_public.audit_entry set new_state = app_private.redacted_state('patient', new_state)
            where hospital_id = $1 and record_id = $2 returning id`,
          [hospital.id, patientId],
        ),
      );
      expect(await problemsOf(db, hospital)).toEqual(rows.map(({ id }) => `entry_altered:${id}`));
    }));

  test('does not make good what was changed before', () =>
    rolledBack(ownerPool, async (db) => {
      const patientId = await person(db);
      await sealOnce(db, hospital);
      const { rows } = await unguarded(db, () =>
        db.query<{ id: string }>(
          `update app_public.audit_entry set actor_role = 'nobody' where hospital_id = $1 and record_id = $2 returning id`,
          [hospital.id, patientId],
        ),
      );
      await erase(db, patientId);
      expect(await problemsOf(db, hospital)).toEqual(rows.map(({ id }) => `entry_altered:${id}`));
    }));

  test('and a sealer come in turn: each entry is sealed as it was before or as it is after', async () => {
    const other = await createHospital(ownerPool);
    const patientId = await person(ownerPool, other);
    await race(ownerPool, async (start) => {
      const eraser = await start(other.admin);
      await eraser.db.query("select app_public.erase_patient($1, 'case 1')", [patientId]);
      expect(await sealOnce(ownerPool, other)).toBe(0);
      await eraser.commit();
    });
    await sealAll(other);
    const second = await person(ownerPool, other);
    await race(ownerPool, async (start) => {
      const sealer = await start();
      await sealOnce(sealer.db, other);
      const eraser = await start(other.admin);
      const erasing = eraser.db.query("select app_public.erase_patient($1, 'case 2')", [second]);
      await untilBlocked(ownerPool, eraser.pid, erasing);
      await sealer.commit();
      await erasing;
      await eraser.commit();
    });
    await sealAll(other);
    expect(await sealedOnce(other)).toBe(true);
    expect(await problemsOf(ownerPool, other)).toEqual([]);
  });
});

describe('who may', () => {
  test.each(['update app_public.audit_seal set number = 7', 'delete from app_public.audit_seal'])(
    'not even a superuser may %s',
    (change) =>
      rolledBack(ownerPool, async (db) => {
        const refusal = await refusalOf(db, () => db.query(change));
        expect(refusal).toMatchObject({ code: 'SK403', scenario: 'audit_is_append_only' });
      }),
  );

  test('admins verify their own hospital, in stretches that can be read in time', () =>
    rolledBack(ownerPool, async (db) => {
      await unguarded(db, () =>
        db.query(
          "update app_public.audit_entry set actor_role = 'nobody' where hospital_id <> $1",
          [hospital.id],
        ),
      );
      await become(db, hospital.admin);
      expect(await verify(db)).toMatchObject({
        is_valid: true,
        first_number: 1,
        problem_count: 0,
        unsealed_since: null,
      });
      expect(
        await refusalOf(db, () =>
          db.query('select app_private.check_audit($1, null, null, null, 1)', [hospital.id]),
        ),
      ).toMatchObject({ code: 'SK400', scenario: 'audit_range_too_long', details: { most: 1 } });
      expect(
        await one(db, "select * from app_public.verify_audit(sealed_until => '2001-01-01')", []),
      ).toMatchObject({ is_valid: true, entry_count: 0, first_number: null });
      await become(db, { ...hospital.admin, hospitalId: randomUUID() });
      expect(
        await refusalOf(db, () =>
          db.query('select app_private.check_audit($1, null, null, null)', [hospital.id]),
        ),
      ).toMatchObject({ scenario: 'forbidden' });
    }));

  test.each(['receptionist', 'doctor', 'patient'] as const)('no %s verifies', (role) =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital[role]);
      expect((await errorOf(db, () => verify(db))).code).toBe('42501');
    }),
  );
});

/** Changes something of the sealed log with the guards asleep; verifying must name exactly this. */
async function damaged(
  change: (db: ClientBase, entryIds: [string, string]) => Promise<unknown>,
  named: (entryIds: [string, string]) => string[],
): Promise<void> {
  await rolledBack(ownerPool, async (db) => {
    const { rows } = await db.query<{ id: string }>(
      `select id from app_public.audit_entry where hospital_id = $1 and operation = 'insert' and table_name = 'patient'
        order by id limit 2`,
      [hospital.id],
    );
    const ids: [string, string] = [rows[0]?.id ?? '', rows[1]?.id ?? ''];
    expect(await problemsOf(db, hospital)).toEqual([]);
    await unguarded(db, () => change(db, ids));
    expect(await problemsOf(db, hospital)).toEqual(named(ids));
    await become(db, hospital.admin);
    expect(await verify(db)).toMatchObject({ is_valid: false });
    await asOwner(db);
    if (!named(ids)[0]?.startsWith('entry_added')) {
      expect(await rowsOf(db, 'broken_audit_seal', hospital.id)).not.toEqual([]);
    }
  });
}

/** Breaks the chain with the guards asleep; verifying must name this, besides what follows from it. */
async function brokenChain(
  change: (db: ClientBase) => Promise<unknown>,
  named: readonly string[],
  follows: readonly string[] = [],
): Promise<void> {
  await rolledBack(ownerPool, async (db) => {
    await unguarded(db, () => change(db));
    const problems = (await problemsOf(db, hospital)).filter(
      (problem) => !follows.some((kind) => problem.startsWith(kind)),
    );
    const newest = await one<{ number: number }>(
      db,
      'select number from app_private.newest_seal($1)',
      [hospital.id],
    );
    expect(problems).toEqual(named.map((problem) => problem.replace(':0', `:${newest.number}`)));
    if (!named[0]?.startsWith('redaction')) {
      expect(await rowsOf(db, 'broken_audit_seal', hospital.id)).not.toEqual([]);
    }
  });
}

async function removeSeal(db: ClientBase, number: number): Promise<void> {
  await db.query(
    `with gone as (
       delete from app_public.audit_seal where hospital_id = $1 and number = $2 returning id
     )
     delete from app_private.audit_seal_content using gone where seal_id = gone.id`,
    [hospital.id, number],
  );
}

/** Kind and entry, or seal, of every problem. */
async function problemsOf(db: Queryable, { id }: TestHospital): Promise<string[]> {
  const { rows } = await db.query<{ problem: string }>(
    `select concat_ws(':', kind, coalesce(audit_entry_id, seal_number)) as problem
       from app_private.audit_problems($1)`,
    [id],
  );
  return rows.map(({ problem }) => problem);
}

type Verification = { is_valid: boolean; problem_count: number; problems: string };

function verify(db: ClientBase, knownHash: string | null = null): Promise<Verification> {
  return one<Verification>(db, 'select * from app_public.verify_audit(known_hash => $1)', [
    knownHash,
  ]);
}

async function sealOnce(db: Queryable, { id }: TestHospital, most = 1000): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select app_private.seal_audit($1, $2) as count',
    [id, most],
  );
  return rows[0]?.count ?? 0;
}

async function sealAll(of: TestHospital, most = 1000): Promise<void> {
  while ((await sealOnce(ownerPool, of, most)) > 0);
}

async function sealedOnce({ id }: TestHospital): Promise<boolean> {
  const { rows } = await ownerPool.query<{ once: boolean }>(
    `select (
       select array_agg(sealed.id order by sealed.id)
       from app_private.audit_seal_content as content cross join unnest(content.entry_ids) as sealed (id)
       where content.hospital_id = $1
     ) is not distinct from (
       select array_agg(entry.id order by entry.id) from app_public.audit_entry as entry where entry.hospital_id = $1
     ) as once`,
    [id],
  );
  return rows[0]?.once ?? false;
}

async function markOf({ id }: TestHospital) {
  return one<{ last_entry_id: string; settled_id: string; reached_id: string }>(
    ownerPool,
    'select * from app_private.audit_seal_mark where hospital_id = $1',
    [id],
  );
}

/**
 * Waits until every transaction is over that ran when ids were last looked at: those of all databases have
 * numbers from one row, so tests that run beside this one count too.
 */
async function untilSettleable({ id }: TestHospital): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const { rowCount } = await ownerPool.query(
      `select from app_private.audit_seal_mark
        where hospital_id = $1 and reached_transaction > pg_snapshot_xmin(pg_current_snapshot())`,
      [id],
    );
    if (rowCount === 0) return;
    if (Date.now() > deadline) throw new Error('a transaction beside this test never ended');
    await delay(5);
  }
}

async function numberOf({ id }: TestHospital): Promise<number> {
  const { rows } = await ownerPool.query<{ number: number }>(
    'select number from app_private.newest_seal($1)',
    [id],
  );
  return rows[0]?.number ?? 0;
}

async function toSeal(): Promise<string[]> {
  const { rows } = await ownerPool.query<{ id: string }>(
    'select id from app_private.hospitals_to_seal() as id',
  );
  return rows.map(({ id }) => id);
}

async function nextId(): Promise<string> {
  const { rows } = await ownerPool.query<{ id: string }>(
    "select nextval('app_public.audit_entry_id_seq') as id",
  );
  return rows[0]?.id ?? '';
}

async function rename(
  db: Queryable,
  { id, locationIds }: TestHospital,
  name: string,
  location: 0 | 1 = 0,
) {
  await db.query('update app_public.location set name = $3 where hospital_id = $1 and id = $2', [
    id,
    locationIds[location],
    name,
  ]);
}

function person(db: Queryable, { id }: TestHospital = hospital): Promise<string> {
  return insert(db, 'patient', {
    hospital_id: id,
    medical_record_number: `MRN-${randomUUID()}`,
    name: 'Zaphod Beeblebrox',
  });
}

async function erase(db: ClientBase, patientId: string): Promise<void> {
  await become(db, hospital.admin);
  await db.query("select app_public.erase_patient($1, 'case 7')", [patientId]);
  await asOwner(db);
}
