import type { Pool, PoolClient } from 'pg';
import { expect, test } from 'vitest';
import { book } from '../helpers/booking.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, generateSlots, openHospital, slotsAhead } from '../helpers/hospital.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { type Racer, race, untilBlocked } from '../helpers/races.ts';

const { ownerPool } = await createDatabase();

test('of two generators at once the second waits, and finds nothing left to do', () =>
  race(ownerPool, async (start) => {
    const hospital = await createHospital(ownerPool, { horizonDays: 3 });
    const [first, second] = [await start(), await start()];
    const generated = await generateSlots(first.db, hospital);
    const attempt = generateSlots(second.db, hospital);
    expect(await untilBlocked(ownerPool, second.pid, attempt)).toEqual([first.pid]);
    // It has not begun: it waits for its turn, not for the first slot that both would insert.
    expect(await waitOf(second)).toBe('advisory');
    await first.commit();

    expect(generated).toBeGreaterThanOrEqual(3 * 28);
    expect(await attempt).toBe(0);
    await second.commit();
    expect(await slotCount(ownerPool, hospital.id)).toBe(generated);
    await expectInvariants(ownerPool);
  }));

test('of two generators at once the second does the work when the first is rolled back', () =>
  race(ownerPool, async (start) => {
    const hospital = await createHospital(ownerPool, { horizonDays: 3 });
    const [first, second] = [await start(), await start()];
    const generated = await generateSlots(first.db, hospital);
    const attempt = generateSlots(second.db, hospital);
    await untilBlocked(ownerPool, second.pid, attempt);
    await first.end();
    expect(await attempt).toBe(generated);
    await second.commit();
    expect(await slotCount(ownerPool, hospital.id)).toBe(generated);
  }));

test('two hospitals generate side by side', () =>
  race(ownerPool, async (start) => {
    const hospital = await createHospital(ownerPool, { horizonDays: 1 });
    const stranger = await createHospital(ownerPool, { horizonDays: 1 });
    const [first, second] = [await start(), await start()];
    await generateSlots(first.db, hospital);
    expect(await generateSlots(second.db, stranger)).toBeGreaterThan(0);
  }));

test('generation waits for no booking, and no booking for it', () =>
  race(ownerPool, async (start) => {
    const hospital = await openHospital(ownerPool, { horizonDays: 2 });
    await ownerPool.query('update app_public.hospital set booking_horizon_days = 4 where id = $1', [
      hospital.id,
    ]);
    const [booking, generating, late] = [
      await start(hospital.patient),
      await start(),
      await start(hospital.otherPatient),
    ];

    await book(booking.db, wish(hospital, 0));
    expect(await generateSlots(generating.db, hospital)).toBe(2 * 28);
    expect(await book(late.db, wish(hospital, 1))).toMatchObject({ status: 'scheduled' });

    await booking.commit();
    await late.commit();
    await generating.commit();
    await expectInvariants(ownerPool);
    expect(await slotsAhead(ownerPool, hospital)).toHaveLength(4 * 14);
  }));

function wish(hospital: Awaited<ReturnType<typeof openHospital>>, index: number) {
  // The second books another doctor: two bookings of one day come in turn.
  const slotIds = index === 0 ? hospital.slotIds : hospital.otherSlotIds;
  return { slotId: nth(slotIds, index), patientId: nth(hospital.patientIds, index) };
}

async function waitOf({ pid }: Racer): Promise<string | undefined> {
  const { rows } = await ownerPool.query<{ wait_event: string }>(
    'select wait_event from pg_stat_activity where pid = $1',
    [pid],
  );
  return rows[0]?.wait_event;
}

async function slotCount(db: Pool | PoolClient, hospitalId: string): Promise<number> {
  const { rows } = await db.query<{ slots: number }>(
    'select count(*)::int as slots from app_public.slot where hospital_id = $1',
    [hospitalId],
  );
  return rows[0]?.slots ?? 0;
}
