// The figures by which health is judged: each with its target, and null where nothing was measured.
import { describe, expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, openHospital, type TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { breakOne, declareTrouble, look } from './trouble.ts';

const { ownerPool } = await createDatabase();
const check = 'figure_trouble';
await declareTrouble(ownerPool, { check });
const hospital = await openHospital(ownerPool, { horizonDays: 2 });

type Db = Parameters<Parameters<typeof rolledBack>[1]>[0];

async function figures(db: Db, of: TestHospital = hospital) {
  const { rows } = await db.query<{ name: string; value: string | null; is_met: boolean | null }>(
    'select name, value, is_met from checks.key_figures where hospital_id = $1',
    [of.id],
  );
  return Object.fromEntries(
    rows.map(({ name, value, is_met }) => [name, [value === null ? null : Number(value), is_met]]),
  );
}

async function breakSome(db: Db, count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await breakOne(db, check, hospital.id);
  await look(db, check, hospital.id);
}

describe('key figures', () => {
  test('of a hospital where nothing has happened are null and judge nothing', () =>
    rolledBack(ownerPool, async (db) => {
      expect(await figures(db)).toEqual({
        consistency_rate: [null, null],
        verification_p95: [null, null],
        breaker_recovery: [null, null],
        auto_correction_rate: [null, null],
        review_queue_size: [0, true],
        false_positive_rate: [null, null],
      });
    }));

  test('measure what is wrong against the visits', () =>
    rolledBack(ownerPool, async (db) => {
      await become(db, hospital.receptionist);
      for (const [index, slotId] of hospital.slotIds.slice(0, 8).entries()) {
        await book(db, { slotId, patientId: nth(hospital.patientIds, index % 4) });
      }
      await asOwner(db);
      expect((await figures(db)).consistency_rate).toEqual([100, true]);
      await breakSome(db, 2);
      expect((await figures(db)).consistency_rate).toEqual([75, false]);
      await db.query(
        "update app_public.finding set ignored_at = now(), ignore_reason = 'Known.' where hospital_id = $1",
        [hospital.id],
      );
      expect((await figures(db)).consistency_rate).toEqual([100, true]);
    }));

  test('count what was repaired, what waits and what was no problem', () =>
    rolledBack(ownerPool, async (db) => {
      await breakSome(db, 20);
      expect(await figures(db)).toMatchObject({
        review_queue_size: [20, false],
        false_positive_rate: [0, true],
        auto_correction_rate: [null, null],
      });
      await db.query(
        `update app_public.finding set ignored_at = now(), ignore_reason = 'Known.'
         where hospital_id = $1 and id in (select id from app_public.finding where hospital_id = $1 limit 1)`,
        [hospital.id],
      );
      await db.query(
        "update app_public.health_check set remedy = 'repair', repair = 'x' where name = $1",
        [check],
      );
      await db.query(
        `update app_public.finding set resolved_at = now(), is_auto_corrected = true
         where hospital_id = $1 and ignored_at is null`,
        [hospital.id],
      );
      expect(await figures(db)).toMatchObject({
        review_queue_size: [19, false],
        false_positive_rate: [5, false],
        auto_correction_rate: [100, true],
      });
      await db.query(
        'update app_public.finding set is_auto_corrected = false where hospital_id = $1 and ignored_at is null',
        [hospital.id],
      );
      expect((await figures(db)).auto_correction_rate).toEqual([0, false]);
      await moveClock(db, '31 days');
      expect(await figures(db)).toMatchObject({ false_positive_rate: [null, null] });
    }));

  test('read how long verification takes where it is measured', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query('drop table if exists app_private.verification_hour cascade');
      await db.query(`
        create table app_private.verification_hour (
          hospital_id uuid, hour timestamptz, verified integer, total_ms double precision, buckets integer[]);
        alter table app_private.verification_hour owner to app_owner`);
      const hour = (back: string, buckets: number[]) =>
        db.query(
          `insert into app_private.verification_hour
           select $1, date_trunc('hour', app_private.clock()) - $2::interval, $3, 0, $4`,
          [hospital.id, back, buckets.reduce((sum, each) => sum + each, 0), buckets],
        );
      const place = (index: number, size: number) =>
        Array.from({ length: 18 }, (_, each) => (each + 1 === index ? size : 0));
      await hour('1 hour', place(5, 50));
      await hour('2 hours', place(5, 50));
      await hour('8 days', place(18, 1000));
      expect((await figures(db)).verification_p95).toEqual([3.9, true]);
      await hour('3 hours', place(11, 100));
      expect((await figures(db)).verification_p95).toEqual([243.2, false]);
    }));

  test.each([
    [[], 0.95, null],
    [[0, 0, 0], 0.95, null],
    [[100, 0, 0, 0], 0.5, 0.13],
    [[0, 0, 100, 0], 1, 1],
    [[0, 0, 0, 10], 0.95, 1],
    [[50, 0, 0, 50, 0], 0.75, 1.5],
  ])('the buckets %j at %d are %s ms', async (buckets, share, expected) => {
    const { rows } = await ownerPool.query(
      'select app_private.percentile_of_buckets($1, $2)::float8 as value',
      [buckets, share],
    );
    expect(rows).toEqual([{ value: expected }]);
  });

  test('are for admins, of their own hospital', () =>
    rolledBack(ownerPool, async (db) => {
      await breakSome(db, 3);
      await become(db, hospital.admin);
      const { rows } = await db.query(
        "select value::float8, target::float8, is_at_least, is_met, unit from app_public.key_figures() where name = 'review_queue_size'",
      );
      expect(rows).toEqual([
        { value: 3, target: 10, is_at_least: false, is_met: true, unit: 'items' },
      ]);
      await become(db, hospital.doctor);
      await db.query('savepoint attempt');
      await expect(db.query('select * from app_public.key_figures()')).rejects.toMatchObject({
        code: '42501',
      });
      await db.query('rollback to savepoint attempt');
      await asOwner(db);
      const other = await createHospital(db);
      await become(db, other.admin);
      expect(
        await refusalOf(db, () => db.query('select app_private.measure_health($1)', [hospital.id])),
      ).toMatchObject({ scenario: 'forbidden' });
      await asOwner(db);
      await db.query('set local role app_monitor');
      expect((await figures(db)).review_queue_size).toEqual([3, true]);
    }));
});
