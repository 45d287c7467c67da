// The drill: a healthy hospital, damaged in every way that there is.
import { expect, test } from 'vitest';
import { loadDemo } from '../../demo/load.ts';
import { copyHospital } from '../../drill/copy-hospital.ts';
import { allDamages } from '../../drill/damages/index.ts';
import { drill, isWell } from '../../drill/drill.ts';
import { describeDrill } from '../../drill/report.ts';
import { createDatabase } from '../helpers/database.ts';

const original = await createDatabase();
const database = await createDatabase();
await loadDemo(original.url);
const hospitalId = await copyHospital(original.url, database.url, 'demo');
const damages = await allDamages();

test('a copy is the hospital with its ids, and the original is as it was', async () => {
  const count = `select (select count(*) from app_public.slot where hospital_id = $1)::int as slots,
    (select count(*) from app_public.audit_entry where hospital_id = $1)::int as entries,
    (select md5(string_agg(patient::text, ',' order by id)) from app_public.patient where hospital_id = $1) as patients`;
  const { rows: before } = await original.ownerPool.query(count, [hospitalId]);
  const { rows: after } = await database.ownerPool.query(count, [hospitalId]);
  expect(after).toEqual(before);
  expect(before[0]?.slots).toBeGreaterThan(0);
  await expect(copyHospital(original.url, database.url, 'nowhere')).rejects.toThrow('nowhere');
});

test('every damage is found on the copy, and nothing is invented', {
  timeout: 900_000,
}, async () => {
  const result = await drill({ url: database.url, hospitalId, damages });
  expect(result.falseAlarms).toEqual([]);
  expect(result.unproven).toEqual([]);
  expect(result.cases.filter((outcome) => !isWell(outcome))).toEqual([]);
  expect(result.isPassed).toBe(true);
  expect(describeDrill(result)).toContain('Passed');
});

test('a drill that misses a damage has failed', { timeout: 60_000 }, async () => {
  const chosen = damages.filter(({ check }) => check === 'doctor_day_mismatch');
  expect(chosen).not.toEqual([]);
  await database.ownerPool.query(
    "delete from app_public.health_check where name = 'doctor_day_mismatch'",
  );
  const { cases, isPassed } = await drill({ url: database.url, hospitalId, damages: chosen });
  expect(isPassed).toBe(false);
  expect(cases).toMatchObject([{ isDetected: false, isRepaired: false }]);
});
