import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { aside, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { type Appointment, stored } from '../helpers/booking.ts';
import { clockOf, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { brokenInvariantsIn } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { bookVisit, markNoShow, recordOf, undoNoShow } from './visits.ts';

const { ownerPool } = await createDatabase();

const story = (tell: (db: ClientBase, hospital: OpenHospital) => Promise<void>) => () =>
  rolledBack(ownerPool, async (db) => {
    await tell(db, await openHospital(db, { horizonDays: 3 }));
    await asOwner(db);
    expect(await brokenInvariantsIn(db)).toEqual({});
  });

const block = (db: ClientBase, patientId: string, reason: string | null = 'was violent') =>
  db.query('select app_public.block_patient($1, $2)', [patientId, reason]);
const unblock = (db: ClientBase, patientId: string, reason: string | null = 'has apologised') =>
  db.query('select app_public.unblock_patient($1, $2)', [patientId, reason]);

async function blocksOf(db: ClientBase, patientId: string) {
  const { rows } = await aside(db, () =>
    db.query('select * from app_public.patient_block where patient_id = $1 order by id', [
      patientId,
    ]),
  );
  return rows;
}

test.each(['receptionist', 'admin'] as const)(
  'a %s blocks and unblocks a patient, and both are written down',
  (role) =>
    story(async (db, hospital) => {
      const patientId = nth(hospital.patientIds, 0);
      const actor = hospital[role];
      const visit = await bookVisit(db, hospital);
      await become(db, actor);
      await block(db, patientId);
      expect(await recordOf(db, patientId)).toMatchObject({
        status: 'blocked',
        blocked_reason: 'was violent',
      });
      expect(await stored(db, visit.id)).toMatchObject({ status: 'scheduled' });
      await become(db, hospital.patient);
      const attempt = () =>
        db.query(
          'select app_public.book_appointment(slot_id => $1, patient_id => $2, idempotency_key => gen_random_uuid())',
          [nth(hospital.slotIds, 4), patientId],
        );
      expect((await refusalOf(db, attempt)).scenario).toBe('patient_blocked');
      await become(db, actor);
      await unblock(db, patientId);
      expect(await recordOf(db, patientId)).toMatchObject({
        status: 'active',
        blocked_reason: null,
      });
      await become(db, hospital.patient);
      await attempt();
      const now = await clockOf(db);
      expect(await blocksOf(db, patientId)).toMatchObject([
        {
          reason: 'was violent',
          is_automatic: false,
          blocked_by: actor.accountId,
          blocked_at: now,
          unblocked_by: actor.accountId,
          unblocked_at: now,
          unblock_reason: 'has apologised',
        },
      ]);
      const { rows } = await aside(db, () =>
        db.query(
          `select changed_columns ->> 'status' as status, actor_account_id from app_public.audit_entry
            where record_id = $1 and operation = 'update' order by id`,
          [patientId],
        ),
      );
      expect(rows).toEqual([
        { status: 'blocked', actor_account_id: actor.accountId },
        { status: 'active', actor_account_id: actor.accountId },
      ]);
    })(),
);

test.each(['doctor', 'nurse', 'patient'] as const)('a %s does neither', (role) =>
  story(async (db, hospital) => {
    await become(db, hospital[role]);
    for (const attempt of [block, unblock]) {
      await db.query('savepoint attempt');
      await expect(attempt(db, nth(hospital.patientIds, 0))).rejects.toMatchObject({
        code: '42501',
      });
      await db.query('rollback to savepoint attempt');
    }
  })(),
);

test(
  'a reason is required, and the state has to be the other one',
  story(async (db, hospital) => {
    const patientId = nth(hospital.patientIds, 0);
    await become(db, hospital.admin);
    for (const reason of [null, ' ', 'x'.repeat(2001)]) {
      expect((await refusalOf(db, () => block(db, patientId, reason))).details).toHaveProperty(
        'reason',
      );
      expect((await refusalOf(db, () => unblock(db, patientId, reason))).details).toHaveProperty(
        'reason',
      );
    }
    expect((await refusalOf(db, () => unblock(db, patientId))).scenario).toBe(
      'patient_is_not_blocked',
    );
    await block(db, patientId);
    expect((await refusalOf(db, () => block(db, patientId))).scenario).toBe('patient_is_blocked');
    const foreign = await aside(db, () => openHospital(db, { horizonDays: 1 }));
    for (const attempt of [block, unblock]) {
      const refusal = await refusalOf(db, () => attempt(db, nth(foreign.patientIds, 0)));
      expect(refusal.scenario).toBe('patient_not_found');
    }
  }),
);

test(
  'unblocking forgives what was missed: the count stays true, and the next block takes as many again',
  story(async (db, hospital) => {
    const patientId = nth(hospital.patientIds, 0);
    const visits: Appointment[] = [];
    for (const slot of [0, 1, 2, 3, 4, 5]) visits.push(await bookVisit(db, hospital, slot));
    await setClock(db, nth(visits, 5).starts_at);
    const missed = async (index: number) => {
      await markNoShow(db, nth(visits, index).id);
      const { status, no_show_count, no_shows_forgiven } = await recordOf(db, patientId);
      return [status, no_show_count, no_shows_forgiven];
    };
    expect([await missed(0), await missed(1), await missed(2)].at(-1)).toEqual(['blocked', 3, 0]);
    await unblock(db, patientId);
    expect(await recordOf(db, patientId)).toMatchObject({
      status: 'active',
      no_show_count: 3,
      no_shows_forgiven: 3,
    });
    expect(await missed(3)).toEqual(['active', 4, 3]);
    expect(await missed(4)).toEqual(['active', 5, 3]);
    expect(await missed(5)).toEqual(['blocked', 6, 3]);
    expect((await blocksOf(db, patientId)).map(({ is_automatic }) => is_automatic)).toEqual([
      true,
      true,
    ]);
  }),
);

test(
  'what is forgiven never exceeds what was missed, when a forgiven one is undone',
  story(async (db, hospital) => {
    const visits: Appointment[] = [];
    for (const slot of [0, 1, 2]) visits.push(await bookVisit(db, hospital, slot));
    await setClock(db, nth(visits, 2).starts_at);
    for (const { id } of visits) await markNoShow(db, id);
    await unblock(db, nth(hospital.patientIds, 0));
    await become(db, hospital.admin);
    await undoNoShow(db, nth(visits, 1).id);
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({
      status: 'active',
      no_show_count: 2,
      no_shows_forgiven: 2,
    });
  }),
);

test(
  'a visit missed since the unblocking still counts when an older one is undone',
  story(async (db, hospital) => {
    const visits: Appointment[] = [];
    for (const slot of [0, 1, 2, 3]) visits.push(await bookVisit(db, hospital, slot));
    await setClock(db, nth(visits, 3).starts_at);
    for (const { id } of visits.slice(0, 3)) await markNoShow(db, id);
    await unblock(db, nth(hospital.patientIds, 0));
    await become(db, hospital.receptionist);
    await markNoShow(db, nth(visits, 3).id);
    await become(db, hospital.admin);
    await undoNoShow(db, nth(visits, 1).id);
    expect(await recordOf(db, nth(hospital.patientIds, 0))).toMatchObject({
      status: 'active',
      no_show_count: 3,
      no_shows_forgiven: 2,
    });
  }),
);

test(
  'what a hand in psql changes is written down as well, and the log itself is nobody’s to write',
  story(async (db, hospital) => {
    const patientId = nth(hospital.patientIds, 0);
    await asOwner(db);
    await db.query(
      "update app_public.patient set status = 'blocked', blocked_reason = 'by hand' where id = $1",
      [patientId],
    );
    expect(await blocksOf(db, patientId)).toMatchObject([
      { reason: 'by hand', is_automatic: false, blocked_by: null, unblocked_at: null },
    ]);
    for (const statement of [
      'delete from app_public.patient_block where patient_id = $1',
      "update app_public.patient_block set reason = 'other' where patient_id = $1",
    ]) {
      expect((await refusalOf(db, () => db.query(statement, [patientId]))).scenario).toBe(
        'log_follows_what_happened',
      );
    }
  }),
);
