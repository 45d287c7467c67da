// The report of a day: what there was, what was wrong with it, and what became of that.
import { describe, expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type OpenHospital, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';
import { breakOne, declareTrouble, look, mend, rowsIn } from './trouble.ts';

const { ownerPool } = await createDatabase();
await declareTrouble(ownerPool, { check: 'day_trouble', title: 'Seats that do not add up' });
await declareTrouble(ownerPool, {
  check: 'mild_day_trouble',
  severity: 'warning',
  remedy: 'operator',
  title: 'A queue is long',
});

type Db = Parameters<Parameters<typeof rolledBack>[1]>[0];
interface Report {
  day: string;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the figures are what the test looks into
  figures: any;
}

/** A day in the life of a hospital, in its own zone: two visits and a problem or two. */
async function dayOf(db: Db): Promise<{ hospital: OpenHospital; today: string }> {
  const { rows } = await db.query<{ noon: Date }>(
    "select (current_date + 1 + time '12:00') at time zone 'Asia/Kolkata' as noon",
  );
  await setClock(db, nth(rows, 0).noon);
  const hospital = await openHospital(db, { horizonDays: 1 });
  const { rows: days } = await db.query<{ today: string }>(
    "select (app_private.clock() at time zone 'Asia/Kolkata')::date::text as today",
  );
  return { hospital, today: nth(days, 0).today };
}

async function report(db: Db, hospitalId: string, day: string): Promise<Report> {
  const { rows } = await db.query<Report>(
    'select day::text, text, figures from app_private.make_health_report($1, $2)',
    [hospitalId, day],
  );
  return nth(rows, 0);
}

describe('the report of a day', () => {
  test('of nothing says that there was nothing', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      const { figures, text } = await report(db, hospital.id, today);
      expect(figures).toMatchObject({
        totals: { appointments: 0, bookings_made: 0, cancellations: 0, slots: 14 },
        inconsistencies: { found: 0, rate: 0 },
        checks: [],
        top_issues: [],
        trend: { direction: 'unknown', days_known: 0, mean_found: null },
        recovery: { repairable: 0, rate: null },
        detection: { mean_seconds: null },
        open_actions: { reviews: 0, alerts: 0 },
      });
      expect(text).toContain('No check found anything, and nothing is open.');
    }));

  test('counts the visits and slots of the day and the bookings made in it', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      await become(db, hospital.receptionist);
      const [first, second] = hospital.slotIds;
      await book(db, { slotId: first ?? '', patientId: nth(hospital.patientIds, 0) });
      const visit = await book(db, {
        slotId: second ?? '',
        patientId: nth(hospital.patientIds, 1),
      });
      await cancel(db, visit.id, 'ill');
      await asOwner(db);
      expect((await report(db, hospital.id, today)).figures.totals).toMatchObject({
        appointments: 0,
        bookings_made: 2,
        cancellations: 1,
      });
      const tomorrow = await report(db, hospital.id, dayAfter(today, 1));
      expect(tomorrow.figures.totals).toMatchObject({
        appointments: 2,
        by_status: { scheduled: 1, cancelled: 1 },
        slots: 28,
        seats: 28,
        seats_taken: 1,
        bookings_made: 0,
        cancellations: 0,
      });
    }));

  test('tells of what was found, case by case, what became of it, and what is left to do', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      const gone = await breakOne(db, 'day_trouble', hospital.id);
      await breakOne(db, 'day_trouble', hospital.id, { detail: 'Another slot is wrong.' });
      await breakOne(db, 'mild_day_trouble', hospital.id, { detail: 'Ten jobs wait.' });
      await look(db, 'day_trouble', hospital.id);
      await look(db, 'mild_day_trouble', hospital.id);
      await db.query(
        "update app_public.finding set detected_after = '2.5 seconds' where hospital_id = $1",
        [hospital.id],
      );
      await moveClock(db, '10 minutes');
      await mend(db, 'day_trouble', gone);
      await look(db, 'day_trouble', hospital.id);

      const { figures, text } = await report(db, hospital.id, today);
      expect(figures).toMatchObject({
        inconsistencies: { found: 3, critical: 2, warning: 1, info: 0, resolved: 1, rate: 21.43 },
        checks: [
          { check: 'day_trouble', severity: 'critical', found: 2, resolved: 1, open: 1 },
          { check: 'mild_day_trouble', severity: 'warning', found: 1, resolved: 0, open: 1 },
        ],
        top_issues: [
          {
            title: 'Seats that do not add up',
            found: 2,
            open: 1,
            last_action: 'gone',
            cases: [
              { detail: 'Another slot is wrong.', state: 'waits for a review' },
              { entity_id: gone, state: 'gone' },
            ],
          },
          { title: 'A queue is long', last_action: 'found', cases: [{ detail: 'Ten jobs wait.' }] },
        ],
        detection: { measured: 3, mean_seconds: 2.5 },
        open_actions: { reviews: 1, reviews_by_priority: { 1: 1 }, alerts: 1 },
      });
      expect(text.split('\n')).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^Health of h-\w+ on \d{4}-\d\d-\d\d \(Asia\/Kolkata\)$/),
          '  Found                      3   2 critical, 1 warning, 0 info',
          'By check                                  severity    found   gone   open',
          '  day_trouble                             critical        2      1      1',
          '  mild_day_trouble                        warning         1      0      1',
          '  1. Seats that do not add up (critical): 2 found, 1 open',
          expect.stringMatching(
            /^ {5}- Another slot is wrong\. \[waits for a review\] slot [\da-f-]{36}$/,
          ),
          'Detection             2.500 s after the change, mean of 3',
          'Open actions          reviews: 1 (priority 1: 1), alerts: 1',
        ]),
      );
    }));

  test('leaves out what is ignored', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      await breakOne(db, 'day_trouble', hospital.id);
      await look(db, 'day_trouble', hospital.id);
      await db.query(
        "update app_public.finding set ignored_at = now(), ignore_reason = 'Known.' where hospital_id = $1",
        [hospital.id],
      );
      expect((await report(db, hospital.id, today)).figures).toMatchObject({
        inconsistencies: { found: 0 },
        top_issues: [],
      });
    }));

  test('of a repair counts what a machine has put right', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      await db.query(
        "update app_public.health_check set remedy = 'repair', repair = 'x' where name = 'day_trouble'",
      );
      const ids = [];
      for (const _ of [1, 2, 3, 4]) ids.push(await breakOne(db, 'day_trouble', hospital.id));
      await look(db, 'day_trouble', hospital.id);
      await db.query(
        `update app_public.finding set resolved_at = app_private.check_instant(), is_auto_corrected = true
         where hospital_id = $1 and entity_id = any ($2)`,
        [hospital.id, ids.slice(0, 3)],
      );
      const { figures, text } = await report(db, hospital.id, today);
      expect(figures.recovery).toEqual({ repairable: 4, auto_corrected: 3, rate: 75 });
      expect(figures.top_issues[0]).toMatchObject({ last_action: 'repaired' });
      expect(text).toContain('75.00 %, 3 of 4 that a machine may repair');
    }));

  test('compares with the week before', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      for (const [back, found] of [
        [1, 4],
        [7, 2],
        [8, 900],
      ] as const) {
        await db.query(
          `insert into app_public.health_report (hospital_id, day, figures, text)
           values ($1, $2, jsonb_build_object('inconsistencies', jsonb_build_object('found', $3::integer)), '')`,
          [hospital.id, dayAfter(today, -back), found],
        );
      }
      await breakOne(db, 'day_trouble', hospital.id);
      await look(db, 'day_trouble', hospital.id);
      const { figures, text } = await report(db, hospital.id, today);
      expect(figures.trend).toEqual({
        days_known: 2,
        mean_found: 3,
        change_percent: -67,
        direction: 'better',
      });
      expect(text).toContain('better: 3.00 a day in the week before (-67 %)');
    }));

  test('is one a day, and made again it tells of now', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      await report(db, hospital.id, today);
      await breakOne(db, 'day_trouble', hospital.id);
      await look(db, 'day_trouble', hospital.id);
      await report(db, hospital.id, today);
      const { rows } = await db.query(
        "select figures #>> '{inconsistencies,found}' as found from app_public.health_report where hospital_id = $1",
        [hospital.id],
      );
      expect(rows).toEqual([{ found: '1' }]);
    }));

  test('tells nothing of another hospital', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      const other = await createHospital(db);
      await breakOne(db, 'day_trouble', other.id);
      await look(db, 'day_trouble', other.id);
      expect((await report(db, hospital.id, today)).figures.inconsistencies.found).toBe(0);
    }));
});

describe('the job', () => {
  const make = async (db: Db, hospitalId: string) => {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.make_health_reports($1) as count',
      [hospitalId],
    );
    return nth(rows, 0).count;
  };

  test('makes yesterday anew and what is missing of its week, not before the hospital was there', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      await asWorker(db);
      expect(await make(db, hospital.id)).toBe(0);
      await moveClock(db, '3 days');
      expect(await make(db, hospital.id)).toBe(3);
      expect(await make(db, hospital.id)).toBe(1);
      await moveClock(db, '20 days');
      expect(await make(db, hospital.id)).toBe(7);
      await asOwner(db);
      const { rows } = await db.query<{ day: string }>(
        'select day::text from app_public.health_report where hospital_id = $1 order by day',
        [hospital.id],
      );
      expect(rows.map(({ day }) => day)).toEqual(
        [0, 1, 2, 16, 17, 18, 19, 20, 21, 22].map((days) => dayAfter(today, days)),
      );
    }));
});

describe('who reads it', () => {
  test('admins their own, the last one unless they name a day; DBAs all', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      await report(db, hospital.id, dayAfter(today, -1));
      const { text } = await report(db, hospital.id, today);
      await become(db, hospital.admin);
      const asked = async (day: string | null) =>
        nth(
          (await db.query('select text, day::text from app_public.health_report_of_day($1)', [day]))
            .rows,
          0,
        );
      expect(await asked(null)).toEqual({ text, day: today });
      expect(await asked(dayAfter(today, -1))).toMatchObject({ day: dayAfter(today, -1) });
      expect(await asked('2001-01-01')).toEqual({ text: null, day: null });
      await become(db, (await aside(db)).admin);
      expect(await asked(null)).toEqual({ text: null, day: null });
      await asOwner(db);
      await db.query('set local role app_monitor');
      const { rows } = await db.query(
        'select text from checks.daily_report where slug = $1 order by day desc',
        [hospital.slug],
      );
      expect(rows).toHaveLength(2);
    }));

  test('an admin makes none for another hospital', () =>
    rolledBack(ownerPool, async (db) => {
      const { hospital, today } = await dayOf(db);
      const other = await createHospital(db);
      await become(db, other.admin);
      await db.query('reset role');
      expect(await refusalOf(db, () => report(db, hospital.id, today))).toMatchObject({
        scenario: 'forbidden',
      });
    }));
});

describe('the place of an instant in the log', () => {
  test('is found by halving', () =>
    rolledBack(ownerPool, async (db) => {
      const hospital = await createHospital(db);
      await db.query(
        `insert into app_public.audit_entry
           (hospital_id, table_name, record_id, operation, actor_role, transaction_id, recorded_at)
         select $1, 'slot', $1, 'insert', 'worker', 1, timestamptz '2100-01-01' + number * interval '1 minute'
         from generate_series(1, 1000) as number`,
        [hospital.id],
      );
      const entries = await rowsIn<{ id: string; recorded_at: Date }>(
        db,
        'app_public.audit_entry',
        hospital.id,
      );
      for (const minute of [1, 2, 500, 999, 1000, 1001]) {
        const instant = new Date(Date.UTC(2100, 0, 1, 0, minute));
        const { rows } = await db.query<{ id: string }>(
          'select app_private.audit_id_at($1, $2) as id',
          [hospital.id, instant],
        );
        const expected = entries.find(({ recorded_at }) => recorded_at >= instant)?.id;
        expect(nth(rows, 0).id).toBe(expected ?? String(BigInt(entries.at(-1)?.id ?? 0) + 1n));
      }
      const empty = await db.query<{ id: string }>(
        "select app_private.audit_id_at('00000000-0000-0000-0000-000000000000', now()) as id",
      );
      expect(empty.rows).toEqual([{ id: '0' }]);
    }));
});

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10);
}

async function aside(db: Db) {
  await asOwner(db);
  return createHospital(db);
}
