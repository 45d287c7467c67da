// What no machine may resolve waits for people: once, for one of them at a time, until it is decided.
import { describe, expect, test } from 'vitest';
import { asOwner, become, committedAs, rolledBack } from '../helpers/actors.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, insert, type TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { outcomeOf, race, untilBlocked } from '../helpers/races.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { breakOne, declareTrouble, look, mend, rowsIn } from './trouble.ts';

const { ownerPool } = await createDatabase();
const check = 'review_trouble';
await declareTrouble(ownerPool, { check });
const hospital = await createHospital(ownerPool);
const otherAdmin = {
  hospitalId: hospital.id,
  role: 'admin' as const,
  accountId: await insert(ownerPool, 'account', {
    hospital_id: hospital.id,
    email: 'second@admin.test',
    display_name: 'Second',
    role: 'admin',
  }),
};

type Db = Parameters<Parameters<typeof rolledBack>[1]>[0];
type Item = Record<
  'id' | 'status' | 'note' | 'claimed_by' | 'decided_by' | 'finding_id',
  string
> & {
  priority: number;
  is_settled: boolean;
};

const items = (db: Db, of: TestHospital = hospital) =>
  rowsIn<Item>(db, 'app_public.review_item', of.id);
const findingOf = async (db: Db) => nth(await rowsIn(db, 'app_public.finding', hospital.id), 0);

async function queued(db: Db): Promise<{ item: string; entity: string }> {
  const entity = await breakOne(db, check, hospital.id);
  await look(db, check, hospital.id);
  return { item: nth(await items(db), 0).id, entity };
}

const claim = (db: Db, item: string, takeOver = false) =>
  db.query('select app_public.claim_review_item($1, $2)', [item, takeOver]);
const decide = (db: Db, item: string, verb: 'resolve' | 'dismiss', note = 'It was the import.') =>
  db.query(`select app_public.${verb}_review_item($1, $2)`, [item, note]);
const release = (db: Db, item: string) =>
  db.query('select app_public.release_review_item($1)', [item]);

describe('a finding for people', () => {
  test('is queued once, with its priority, and told to the log', () =>
    rolledBack(ownerPool, async (db) => {
      const { entity } = await queued(db);
      await look(db, check, hospital.id);
      expect(await items(db)).toMatchObject([
        { status: 'pending', priority: 1, reason: check, entity_type: 'slot', entity_id: entity },
      ]);
      const { rows } = await db.query(
        "select level, message from app_public.log_entry where hospital_id = $1 and kind = 'review'",
        [hospital.id],
      );
      expect(rows).toEqual([{ level: 'warning', message: 'A finding waits for a review.' }]);
    }));

  test('that is gone settles its item, claimed or not, and says so', () =>
    rolledBack(ownerPool, async (db) => {
      const { item, entity } = await queued(db);
      await become(db, hospital.admin);
      await claim(db, item);
      await asOwner(db);
      await mend(db, check, entity);
      await look(db, check, hospital.id);
      expect(await items(db)).toMatchObject([
        { status: 'resolved', is_settled: true, decided_by: null, note: 'The problem is gone.' },
      ]);
    }));

  test('that an admin looks for by hand settles all the same', () =>
    rolledBack(ownerPool, async (db) => {
      const { entity } = await queued(db);
      await mend(db, check, entity);
      await become(db, hospital.admin);
      await db.query('reset role');
      await look(db, check, hospital.id);
      expect(await items(db)).toMatchObject([{ status: 'resolved', decided_by: null }]);
    }));

  test.each([
    ['appointment_validation_failed', null, 1],
    ['external_booking_failed', null, 2],
    ['patient_creation_failed', null, 3],
    ['service_not_found', null, 4],
    ['anything_else', null, 5],
    ['a_check', 'critical', 1],
    ['a_check', 'warning', 3],
    ['a_check', 'info', 5],
  ])('%s (%s) has priority %i', async (reason, severity, priority) => {
    const { rows } = await ownerPool.query(
      'select app_private.review_priority($1, $2) as priority',
      [reason, severity],
    );
    expect(rows).toEqual([{ priority }]);
  });
});

describe('a review', () => {
  test('is claimed, given back, claimed and resolved, by whom and when from the claims', () =>
    rolledBack(ownerPool, async (db) => {
      const { item } = await queued(db);
      await become(db, hospital.admin);
      await claim(db, item);
      await claim(db, item);
      await release(db, item);
      expect(await items(db)).toMatchObject([{ status: 'pending', claimed_by: null }]);
      await become(db, otherAdmin);
      await claim(db, item);
      await decide(db, item, 'resolve', '  Moved the visit.  ');
      expect(await items(db)).toMatchObject([
        {
          status: 'resolved',
          claimed_by: otherAdmin.accountId,
          decided_by: otherAdmin.accountId,
          decided_at: expect.any(Date),
          note: 'Moved the visit.',
          is_settled: false,
        },
      ]);
      await asOwner(db);
      const { rows } = await db.query(
        `select message, actor_account_id from app_public.log_entry
         where hospital_id = $1 and kind = 'review' order by id`,
        [hospital.id],
      );
      expect(rows).toEqual([
        { message: 'A finding waits for a review.', actor_account_id: null },
        { message: 'A review was claimed.', actor_account_id: hospital.admin.accountId },
        { message: 'A review was given back.', actor_account_id: hospital.admin.accountId },
        { message: 'A review was claimed.', actor_account_id: otherAdmin.accountId },
        { message: 'A review was resolved.', actor_account_id: otherAdmin.accountId },
      ]);
    }));

  test('is for its claimer, until another admin takes it over', () =>
    rolledBack(ownerPool, async (db) => {
      const { item } = await queued(db);
      await become(db, hospital.admin);
      await claim(db, item);
      await become(db, otherAdmin);
      for (const attempt of [
        () => claim(db, item),
        () => release(db, item),
        () => decide(db, item, 'resolve'),
        () => decide(db, item, 'dismiss'),
      ]) {
        expect(await refusalOf(db, attempt)).toMatchObject({
          scenario: 'review_item_claimed',
          details: { claimed_by: hospital.admin.accountId },
        });
      }
      await claim(db, item, true);
      await decide(db, item, 'resolve');
      expect(await items(db)).toMatchObject([{ claimed_by: otherAdmin.accountId }]);
    }));

  test('is claimed before it is decided, and what is decided stays so', () =>
    rolledBack(ownerPool, async (db) => {
      const { item } = await queued(db);
      await become(db, hospital.admin);
      expect(await refusalOf(db, () => decide(db, item, 'resolve'))).toMatchObject({
        scenario: 'illegal_review_transition',
        details: { from: 'pending', to: 'resolved' },
      });
      expect(await refusalOf(db, () => release(db, item))).toMatchObject({
        scenario: 'illegal_review_transition',
      });
      await claim(db, item, true);
      await decide(db, item, 'dismiss');
      for (const attempt of [
        () => claim(db, item, true),
        () => release(db, item),
        () => decide(db, item, 'resolve'),
        () =>
          db.query("update app_public.review_item set note = 'Something else.' where id = $1", [
            item,
          ]),
      ]) {
        expect(await refusalOf(db, attempt)).toMatchObject({
          scenario: 'illegal_review_transition',
          details: { from: 'dismissed' },
        });
      }
    }));

  test.each(['', '   ', 'x'.repeat(2001)])('is not decided with the note "%.5s"', (note) =>
    rolledBack(ownerPool, async (db) => {
      const { item } = await queued(db);
      await become(db, hospital.admin);
      await claim(db, item);
      expect(await refusalOf(db, () => decide(db, item, 'resolve', note))).toMatchObject({
        scenario: 'invalid_input',
        details: { note: 'is not 1 to 2000 characters long' },
      });
    }),
  );

  test('that is not there, or of another hospital, is not found', () =>
    rolledBack(ownerPool, async (db) => {
      const { item } = await queued(db);
      const foreign = await createHospital(db);
      await become(db, foreign.admin);
      for (const attempt of [
        () => claim(db, item),
        () => release(db, item),
        () => decide(db, item, 'resolve'),
        () => decide(db, item, 'dismiss'),
      ]) {
        expect(await refusalOf(db, attempt)).toMatchObject({ scenario: 'review_item_not_found' });
      }
    }));

  test('settles by itself only when a check says so: a client has no right to', () =>
    rolledBack(ownerPool, async (db) => {
      const { item } = await queued(db);
      await become(db, hospital.admin);
      await expect(
        db.query('update app_public.review_item set is_settled = true where id = $1', [item]),
      ).rejects.toMatchObject({ code: '42501' });
    }));
});

describe('what is decided', () => {
  test('dismissed is a false positive: it is ignored and does not come back', () =>
    rolledBack(ownerPool, async (db) => {
      const { item, entity } = await queued(db);
      await become(db, hospital.admin);
      await claim(db, item);
      await decide(db, item, 'dismiss', 'The seat was added on paper.');
      await asOwner(db);
      expect(await findingOf(db)).toMatchObject({
        ignored_by: hospital.admin.accountId,
        ignored_at: expect.any(Date),
        ignored_until: null,
        ignore_reason: 'The seat was added on paper.',
      });
      expect(await rowsIn(db, 'app_public.health_alert', hospital.id)).toMatchObject([
        { status: 'resolved', is_settled: true },
      ]);
      await mend(db, check, entity);
      await look(db, check, hospital.id);
      await breakOne(db, check, hospital.id, { id: entity });
      await moveClock(db, '1 minute');
      await look(db, check, hospital.id);
      expect(await items(db)).toHaveLength(1);
      expect(await rowsIn(db, 'app_public.health_alert', hospital.id)).toHaveLength(1);
    }));

  test('resolved, but still or again there, is a new item', () =>
    rolledBack(ownerPool, async (db) => {
      const { item } = await queued(db);
      await become(db, hospital.admin);
      await claim(db, item);
      await decide(db, item, 'resolve');
      await asOwner(db);
      expect(await findingOf(db)).toMatchObject({ resolved_at: expect.any(Date) });
      await moveClock(db, '1 minute');
      await look(db, check, hospital.id);
      expect(await items(db)).toMatchObject([{ status: 'resolved' }, { status: 'pending' }]);
    }));

  test('by ignoring the finding itself closes its item too, until it is noticed again', () =>
    rolledBack(ownerPool, async (db) => {
      await queued(db);
      await db.query(
        `update app_public.finding set ignored_at = now(), ignore_reason = 'Known.' where hospital_id = $1`,
        [hospital.id],
      );
      expect(await items(db)).toMatchObject([
        { is_settled: true, note: 'The finding is ignored.' },
      ]);
      await db.query(
        'update app_public.finding set ignored_at = null, ignore_reason = null where hospital_id = $1',
        [hospital.id],
      );
      expect(await items(db)).toMatchObject([{ is_settled: true }, { status: 'pending' }]);
    }));
});

describe('at once', () => {
  test('of two admins who claim, one has it', async () => {
    const { item } = await queued(ownerPool as unknown as Db);
    await race(ownerPool, async (start) => {
      const first = await start(hospital.admin);
      const second = await start(otherAdmin);
      await claim(first.db, item);
      const attempt = outcomeOf(claim(second.db, item));
      await untilBlocked(ownerPool, second.pid, attempt);
      await first.commit();
      expect(await attempt).toBe('review_item_claimed');
    });
    expect(await items(ownerPool as unknown as Db)).toMatchObject([
      { claimed_by: hospital.admin.accountId },
    ]);
  });

  test('a decision and a check that finds it gone wait for each other, and neither is killed', async () => {
    const [open] = await items(ownerPool as unknown as Db);
    const item = open?.id ?? '';
    await ownerPool.query(`delete from app_private.${check}`);
    await race(ownerPool, async (start) => {
      const person = await start(hospital.admin);
      const machine = await start();
      await person.db.query('select app_private.lock_review($1, $2)', [hospital.id, item]);
      const looking = outcomeOf(look(machine.db, check, hospital.id));
      await untilBlocked(ownerPool, machine.pid, looking);
      await decide(person.db, item, 'resolve');
      await person.commit();
      expect(await looking).toBe('done');
      await machine.commit();
    });
    expect(await items(ownerPool as unknown as Db)).toMatchObject([
      { status: 'resolved', is_settled: false, decided_by: hospital.admin.accountId },
    ]);
    await committedAs(ownerPool, hospital.admin, async (db) => {
      expect(await items(db)).toHaveLength(1);
    });
  });
});
