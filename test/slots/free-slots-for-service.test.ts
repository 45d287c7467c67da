// With a service only starts at which its visit fits: what booking would say, start by start.
import fc from 'fast-check';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, become, rolledBack } from '../helpers/actors.ts';
import { book, hold } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { brokenVerdicts } from '../helpers/explanation.ts';
import { freeSlotsOf, searchFreeSlots } from '../helpers/free-slots.ts';
import { createHospital, insert, openHospital, slotsAhead } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, { horizonDays: 2, timeZone: 'UTC' });
const [doctorId] = hospital.doctorIds;
const startOfTomorrow = await dayOf(nth(hospital.slotIds, 0));

type Service = { duration?: string; before?: string; after?: string };

async function service(db: ClientBase, { duration, before, after }: Service): Promise<string> {
  await asOwner(db);
  const id = await insert(db, 'service', {
    hospital_id: hospital.id,
    name: 'Special',
    duration: duration ?? null,
    buffer_before: before ?? '0',
    buffer_after: after ?? '0',
  });
  await become(db, hospital.receptionist);
  return id;
}

/** Local times at which the service can begin tomorrow: slots are 30 minutes, 09–13 and 14–17. */
async function startsOf(db: ClientBase, serviceId: string): Promise<string[]> {
  const before = new Date(startOfTomorrow.getTime() + 86_400_000);
  const from = startOfTomorrow;
  const rows = await freeSlotsOf(db, doctorId, { serviceId, from, before });
  const found = await searchFreeSlots(db, {
    doctor_id: doctorId,
    service_id: serviceId,
    last_day: startOfTomorrow.toISOString().slice(0, 10),
    first_day: startOfTomorrow.toISOString().slice(0, 10),
    page_size: 100,
  });
  expect(found).toEqual(rows);
  return rows.map(({ starts_at }) => starts_at.toISOString().slice(11, 16));
}

const all = (from: string, to: string) =>
  ['09:00', '09:30', '10:00', '10:30', '11:00', '11:30', '12:00', '12:30']
    .concat(['14:00', '14:30', '15:00', '15:30', '16:00', '16:30'])
    .filter((time) => time >= from && time <= to);

test('a visit longer than a slot needs the slots after it, without a break in between', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, { duration: '75 minutes' });
    expect(await startsOf(db, serviceId)).toEqual([
      ...all('09:00', '11:30'),
      ...all('14:00', '15:30'),
    ]);
    await book(db, { slotId: nth(hospital.slotIds, 4), patientId: nth(hospital.patientIds, 0) });
    expect(await startsOf(db, serviceId)).toEqual([
      ...all('09:00', '09:30'),
      '11:30',
      ...all('14:00', '15:30'),
    ]);
  }));

test('a visit as long as its slot, or shorter, starts in every free slot', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, { duration: '30 minutes' });
    expect(await startsOf(db, serviceId)).toEqual(all('09:00', '16:30'));
  }));

test('buffers need free slots, but reach into a break and past the end of work', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, { before: '10 minutes', after: '40 minutes' });
    expect(await startsOf(db, serviceId)).toEqual(all('09:00', '16:30'));
    await book(db, { slotId: nth(hospital.slotIds, 4), patientId: nth(hospital.patientIds, 0) });
    expect(await startsOf(db, serviceId)).toEqual(
      all('09:00', '16:30').filter((time) => !['10:00', '10:30', '11:00', '11:30'].includes(time)),
    );
  }));

test('a lapsed hold in a further slot is in nobody’s way', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, { duration: '1 hour' });
    await hold(db, { slotId: nth(hospital.slotIds, 1), patientId: nth(hospital.patientIds, 0) });
    expect(await startsOf(db, serviceId)).not.toContain('09:00');
    await moveClock(db, '5 minutes');
    expect(await startsOf(db, serviceId)).toContain('09:00');
  }));

test('a visit does not go on at another location', () =>
  rolledBack(ownerPool, async (db) => {
    const serviceId = await service(db, { duration: '1 hour' });
    await asOwner(db);
    await db.query(
      `update app_public.schedule set end_time = '11:00', break_start = null, break_end = null
       where doctor_id = $1`,
      [doctorId],
    );
    await db.query(
      `insert into app_public.schedule (hospital_id, doctor_id, location_id, weekday, start_time, end_time)
       select $1, $2, $3, weekday, '11:00', '13:00' from generate_series(1, 7) as weekday`,
      [hospital.id, doctorId, hospital.locationIds[1]],
    );
    await db.query('delete from app_public.slot where doctor_id = $1', [doctorId]);
    await become(db, hospital.receptionist);
    const starts = ['09:00', '09:30', '10:00', '11:00', '11:30', '12:00'];
    expect(await startsOf(db, serviceId)).toEqual(starts);
    await asOwner(db);
    await db.query('select app_private.extend_slot_horizon($1)', [hospital.id]);
    await become(db, hospital.receptionist);
    expect(await startsOf(db, serviceId)).toEqual(starts);
  }));

test('a visit goes on past midnight into stored slots, and not into a day without rows', () =>
  rolledBack(ownerPool, async (db) => {
    await asOwner(db);
    const own = await createHospital(db, { horizonDays: 3, timeZone: 'UTC', slotMinutes: 60 });
    await db.query(
      `update app_public.schedule
       set start_time = '00:00', end_time = '24:00', break_start = null, break_end = null
       where hospital_id = $1`,
      [own.id],
    );
    await setClock(db, '2026-01-04T20:00:00Z');
    const serviceId = await insert(db, 'service', {
      hospital_id: own.id,
      name: 'Night',
      duration: '2 hours',
    });
    const nights = async () => {
      await become(db, own.patient);
      const rows = await freeSlotsOf(db, own.doctorIds[0], { serviceId });
      await asOwner(db);
      return rows
        .map(({ starts_at }) => starts_at.toISOString().slice(0, 13))
        .filter((start) => start.endsWith('T23'));
    };
    expect(await nights()).toEqual([]);
    await db.query("select app_private.cut_slots($1, '2026-01-06', '2026-01-06')", [own.id]);
    expect(await nights()).toEqual(['2026-01-05T23']);
    await db.query("select app_private.cut_slots($1, '2026-01-05', '2026-01-07')", [own.id]);
    expect(await nights()).toEqual(['2026-01-04T23', '2026-01-05T23', '2026-01-06T23']);
  }));

const state = fc.constantFrom(
  'free',
  'free',
  'free',
  'booked',
  'blocked',
  'retired',
  'lapsed',
  'half',
  'annex',
  'gone',
);
const wish = fc.record({
  states: fc.array(state, { minLength: 14, maxLength: 14 }),
  duration: fc.option(fc.constantFrom(10, 30, 45, 60, 120)),
  before: fc.constantFrom(0, 10, 45),
  after: fc.constantFrom(0, 15, 60),
});

test('what is offered for a service is what booking says, slot by slot', async () => {
  const seed = Number(process.env.SLOTKEEPER_SEED ?? Math.trunc(Math.random() * 2 ** 31));
  await fc
    .assert(
      fc.asyncProperty(wish, ({ states, duration, before, after }) =>
        rolledBack(ownerPool, async (db) => {
          await setClock(db, new Date(startOfTomorrow.getTime() - 3_600_000));
          const own = await createHospital(db, {
            horizonDays: 1,
            timeZone: 'UTC',
            patientCount: 2,
          });
          await db.query('select app_private.extend_slot_horizon($1)', [own.id]);
          const slotIds = await slotsAhead(db, own);
          const serviceId = await insert(db, 'service', {
            hospital_id: own.id,
            name: 'Special',
            duration: duration && `${duration} minutes`,
            buffer_before: `${before} minutes`,
            buffer_after: `${after} minutes`,
          });
          await arrange(db, own, slotIds, states);
          await become(db, own.receptionist);
          const offered = (await freeSlotsOf(db, own.doctorIds[0], { serviceId })).map(
            ({ slot_id }) => slot_id,
          );
          const bookable: string[] = [];
          for (const slotId of await slotsAhead(db, own)) {
            const broken = await brokenVerdicts(db, {
              slotId,
              patientId: nth(own.patientIds, 1),
              serviceId,
            });
            if (broken.length === 0) bookable.push(slotId);
          }
          expect(offered).toEqual(bookable);
        }),
      ),
      { seed, numRuns: 25 },
    )
    .catch((error: unknown) => {
      throw new Error(`SLOTKEEPER_SEED=${seed} repeats this`, { cause: error });
    });
}, 180_000);

/** Brings each slot into its state. */
async function arrange(
  db: ClientBase,
  own: Awaited<ReturnType<typeof createHospital>>,
  slotIds: readonly string[],
  states: readonly string[],
): Promise<void> {
  const patientId = nth(own.patientIds, 0);
  const inState = (wanted: string) => slotIds.filter((_, index) => states[index] === wanted);
  await db.query('update app_public.slot set capacity = 2 where id = any ($1)', [inState('half')]);
  await db.query(
    `with moved as (
       delete from app_public.slot where id = any ($1) returning hospital_id, doctor_id, during)
     insert into app_public.slot (hospital_id, doctor_id, location_id, during)
     select hospital_id, doctor_id, $2, during from moved`,
    [inState('annex'), own.locationIds[1]],
  );
  await db.query('delete from app_public.slot where id = any ($1)', [inState('gone')]);
  await become(db, own.receptionist);
  for (const slotId of inState('lapsed')) await hold(db, { slotId, patientId });
  await moveClock(db, '5 minutes');
  for (const slotId of [...inState('booked'), ...inState('half')]) {
    await book(db, { slotId, patientId });
  }
  for (const slotId of inState('blocked')) {
    await db.query("select app_public.block_slot($1, 'cleaning')", [slotId]);
  }
  await asOwner(db);
  await db.query('update app_public.slot set is_retired = true where id = any ($1)', [
    inState('retired'),
  ]);
}

async function dayOf(slotId: string): Promise<Date> {
  const { rows } = await ownerPool.query<{ day: Date }>(
    "select date_trunc('day', starts_at, 'UTC') as day from app_public.slot where id = $1",
    [slotId],
  );
  return rows[0]?.day ?? new Date(Number.NaN);
}
