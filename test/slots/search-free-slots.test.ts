import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { as, asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, bookers } from '../helpers/booking.ts';
import { setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type FreeSlot, freeSlotsOf, searchFreeSlots, type Wishes } from '../helpers/free-slots.ts';
import { createHospital, insert, openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 9, timeZone: 'Europe/Berlin' });
const stranger = await openHospital(ownerPool, { horizonDays: 1 });
const [one, two] = hospital.doctorIds;
const [main, annex] = hospital.locationIds;

/** A Sunday evening in winter; the slots of the other test days are computed. */
const evening = '2026-01-04T20:00:00Z';

/** A third doctor: another specialty, and mornings in the annex. */
const three = await addDoctor('skin', annex, '08:00', '10:00');

async function addDoctor(specialty: string, location: string, start: string, end: string) {
  const id = await insert(ownerPool, 'doctor', {
    hospital_id: hospital.id,
    display_name: `Dr. ${specialty}`,
    specialty,
    slot_duration: '30 minutes',
  });
  await ownerPool.query(
    `insert into app_public.schedule (hospital_id, doctor_id, location_id, weekday, start_time, end_time)
     select $1, $2, $3, weekday, $4, $5 from generate_series(1, 7) as weekday`,
    [hospital.id, id, location, start, end],
  );
  return id;
}

/** Reads a search to its end, page by page. */
async function readAll(db: ClientBase, wishes: Wishes): Promise<FreeSlot[]> {
  const rows: FreeSlot[] = [];
  for (let beyond: string | undefined; ; ) {
    const page = await searchFreeSlots(db, { ...wishes, ...(beyond ? { beyond } : {}) });
    rows.push(...page);
    if (page.length < (wishes.page_size ?? 50)) return rows;
    beyond = page.at(-1)?.position;
  }
}

/** Local time of a start, as YYYY-MM-DDTHH:MM. */
const local = ({ starts_at }: FreeSlot) =>
  new Date(starts_at.getTime() + 3_600_000).toISOString().slice(0, 16);

/** Runs `story` as reception on that Sunday evening. */
const onSunday = (story: (db: ClientBase) => Promise<void>) =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, evening);
    await become(db, hospital.receptionist);
    await story(db);
  });

test('without a wish it is everything of the hospital, soonest first, for everybody', () =>
  onSunday(async (db) => {
    for (const actor of bookers(hospital)) {
      await become(db, actor);
      const rows = await readAll(db, { page_size: 100 });
      expect(rows).toHaveLength(9 * (14 + 14 + 4));
      const keys = rows.map(({ starts_at, doctor_id }) => starts_at.toISOString() + doctor_id);
      expect(keys).toEqual(keys.toSorted());
    }
  }));

test('each wish leaves what fits it, and all of them what fits all', () =>
  onSunday(async (db) => {
    const everything = await readAll(db, { page_size: 100 });
    const wishes: [Wishes, (row: FreeSlot) => boolean][] = [
      [{ doctor_id: two }, (row) => row.doctor_id === two],
      [{ specialty: 'general medicine' }, (row) => row.doctor_id !== three],
      [{ location_id: annex }, (row) => row.location_id === annex],
      [{ first_day: '2026-01-07' }, (row) => local(row) >= '2026-01-07'],
      [{ last_day: '2026-01-08' }, (row) => local(row) < '2026-01-09'],
      [{ earliest_time: '09:30' }, (row) => local(row).slice(11) >= '09:30'],
      [{ latest_time: '15:00' }, (row) => local(row).slice(11) <= '15:00'],
      [{ weekdays: [1, 3] }, (row) => [1, 3].includes(new Date(`${local(row)}Z`).getUTCDay())],
    ];
    for (const [wish, fits] of wishes) {
      const rows = await readAll(db, { ...wish, page_size: 7 });
      expect(rows.length, JSON.stringify(wish)).toBeGreaterThan(0);
      expect(rows, JSON.stringify(wish)).toEqual(everything.filter(fits));
    }
    for (const [wish, fits] of wishes) {
      for (const [other, fitsToo] of wishes) {
        expect(await readAll(db, { ...wish, ...other, page_size: 100 })).toEqual(
          everything.filter((row) => fits(row) && fitsToo(row)),
        );
      }
    }
    const combined = Object.assign({}, ...wishes.map(([wish]) => wish), { location_id: main });
    expect((await readAll(db, combined)).map(local)).toEqual(
      everything
        .filter(
          (row) =>
            row.location_id === main &&
            wishes.every(([wish, fits]) => 'location_id' in wish || fits(row)),
        )
        .map(local),
    );
  }));

test('it offers what free_slots of each doctor offers', () =>
  onSunday(async (db) => {
    await asOwner(db);
    const serviceId = await insert(db, 'service', {
      hospital_id: hospital.id,
      name: 'Long',
      duration: '1 hour',
    });
    await become(db, hospital.receptionist);
    for (const options of [{}, { serviceId }]) {
      const apart: FreeSlot[] = [];
      for (const doctor of [one, two, three])
        apart.push(...(await freeSlotsOf(db, doctor, options)));
      const found = await readAll(db, 'serviceId' in options ? { service_id: serviceId } : {});
      const key = ({ position }: FreeSlot) => position;
      expect(found.map(key)).toEqual(apart.map(key).toSorted());
    }
  }));

test('pages over many doctors at the same start neither repeat nor skip', () =>
  onSunday(async (db) => {
    const whole = await readAll(db, { page_size: 100 });
    for (const page_size of [1, 3, 50]) {
      const rows = await readAll(db, { page_size, last_day: '2026-01-06' });
      expect(rows).toEqual(whole.filter((row) => local(row) < '2026-01-07'));
    }
  }));

test('a page read on stays right when slots before it are booked and freed', () =>
  rolledBack(ownerPool, async (db) => {
    await become(db, hospital.receptionist);
    const whole = await searchFreeSlots(db, { doctor_id: one, page_size: 20 });
    const stored = whole.filter(({ slot_id }) => slot_id !== null);
    await book(db, { slotId: stored[3]?.slot_id ?? '', patientId: nth(hospital.patientIds, 0) });
    await book(db, { slotId: stored[9]?.slot_id ?? '', patientId: nth(hospital.patientIds, 1) });
    const rest = await searchFreeSlots(db, {
      doctor_id: one,
      page_size: 20 - 4,
      beyond: stored[3]?.position ?? '',
    });
    const after = whole.slice(whole.indexOf(nth(stored, 3)) + 1);
    expect(rest.slice(0, after.length - 1)).toEqual(after.filter((row) => row !== stored[9]));
  }));

test('weekdays that name none, or all, leave everything', () =>
  onSunday(async (db) => {
    const all = await searchFreeSlots(db);
    expect(await searchFreeSlots(db, { weekdays: [] })).toEqual(all);
    expect(await searchFreeSlots(db, { weekdays: [1, 2, 3, 4, 5, 6, 7] })).toEqual(all);
  }));

test('times are local on the day on which the clocks change', () =>
  rolledBack(ownerPool, async (db) => {
    await setClock(db, '2026-03-27T12:00:00Z');
    await become(db, hospital.patient);
    const wish = { doctor_id: one, earliest_time: '09:00', latest_time: '09:00' };
    const rows = await searchFreeSlots(db, { ...wish, last_day: '2026-03-30' });
    expect(rows.map(({ starts_at }) => starts_at.toISOString())).toEqual([
      '2026-03-28T08:00:00.000Z',
      '2026-03-29T07:00:00.000Z',
      '2026-03-30T07:00:00.000Z',
    ]);
  }));

test('doctors who are not available, days past and beyond the horizon are left out', () =>
  onSunday(async (db) => {
    await asOwner(db);
    await db.query('update app_public.doctor set is_available = false where id = $1', [one]);
    await db.query('update app_public.doctor set is_active = false where id = $1', [two]);
    await become(db, hospital.patient);
    const rows = await readAll(db, { first_day: '2020-01-01', last_day: '2030-01-01' });
    expect(new Set(rows.map(({ doctor_id }) => doctor_id))).toEqual(new Set([three]));
    expect(rows).toHaveLength(9 * 4);
  }));

test('a page has at most 100 rows, and at least one', () =>
  onSunday(async (db) => {
    expect(await searchFreeSlots(db, { page_size: 100 })).toHaveLength(100);
    for (const page_size of [0, -1, 101]) {
      expect(await refusalOf(db, () => searchFreeSlots(db, { page_size }))).toMatchObject({
        scenario: 'invalid_input',
        details: { page_size: expect.any(String) },
      });
    }
  }));

test.each(['', 'x', 'f'.repeat(48), `00${'4'.repeat(46)}`, '0'.repeat(47), `${'0'.repeat(47)}G`])(
  'the position %s is none',
  (beyond) =>
    onSunday(async (db) => {
      expect(await refusalOf(db, () => searchFreeSlots(db, { beyond }))).toMatchObject({
        code: 'SK400',
        scenario: 'invalid_input',
      });
    }),
);

test('any position that has the form is read, however far away', () =>
  onSunday(async (db) => {
    expect(await searchFreeSlots(db, { beyond: '0'.repeat(48) })).toHaveLength(50);
    expect(await searchFreeSlots(db, { beyond: `003${'f'.repeat(45)}` })).toEqual([]);
  }));

test('wishes that contradict themselves are refused', () =>
  onSunday(async (db) => {
    const refused: [Wishes, string][] = [
      [{ first_day: '2026-01-08', last_day: '2026-01-07' }, 'invalid_range'],
      [{ first_day: 'infinity' }, 'invalid_range'],
      [{ last_day: '-infinity' }, 'invalid_range'],
      [{ earliest_time: '10:00', latest_time: '09:59' }, 'invalid_range'],
      [{ weekdays: [0] }, 'invalid_input'],
      [{ weekdays: [1, 8] }, 'invalid_input'],
    ];
    for (const [wish, scenario] of refused) {
      const refusal = await refusalOf(db, () => searchFreeSlots(db, wish));
      expect(refusal, JSON.stringify(wish)).toMatchObject({ code: 'SK400', scenario });
    }
  }));

test('what is not of this hospital is as unknown as what is nowhere', () =>
  rolledBack(ownerPool, async (db) => {
    await as(db, hospital.patient);
    const foreign = {
      doctor_id: stranger.doctorIds[0],
      location_id: stranger.locationIds[0],
      service_id: stranger.serviceId,
    };
    for (const [name, id] of Object.entries(foreign)) {
      for (const unknown of [id, randomUUID()]) {
        expect(await refusalOf(db, () => searchFreeSlots(db, { [name]: unknown }))).toMatchObject({
          code: 'SK404',
          scenario: name.replace('_id', '_not_found'),
          details: { [name]: unknown },
        });
      }
    }
    expect(await searchFreeSlots(db, { specialty: 'none of ours' })).toEqual([]);
  }));

test('a hospital without doctors offers nothing', () =>
  rolledBack(ownerPool, async (db) => {
    const empty = await createHospital(db);
    await db.query('delete from app_public.schedule where hospital_id = $1', [empty.id]);
    await become(db, empty.patient);
    expect(await searchFreeSlots(db)).toEqual([]);
  }));
