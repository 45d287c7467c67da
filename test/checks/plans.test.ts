// Restricted to a hospital or to entities, a check reads by index: an event must not cost a whole table.
import { beforeAll, expect, test } from 'vitest';
import { rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital, type TestHospital } from '../helpers/hospital.ts';
import { storeMonths, waysWithoutIndex } from './plans.ts';

const { ownerPool } = await createDatabase();
let hospital: TestHospital;

beforeAll(async () => {
  const db = await ownerPool.connect();
  try {
    hospital = await createHospital(db);
    await storeMonths(db, hospital);
  } finally {
    db.release();
  }
}, 120_000);

const { rows: checks } = await ownerPool.query<{ name: string }>(
  "select name from app_public.health_check where domain in ('appointments', 'counters', 'slots', 'generation') order by name",
);

test.each(checks)('$name of a hospital that is not the only one, and of entities', ({ name }) =>
  rolledBack(ownerPool, async (db) => {
    const other = await createHospital(db);
    const hospitalOnly = await waysWithoutIndex(db, name, 'hospital_id = $1', [other.id], 1);
    expect(hospitalOnly).toEqual([]);
    const [doctorId, otherId] = hospital.doctorIds;
    // Closed slots have an index of their own, which has few rows.
    const least = name === 'block_without_absence' ? 1 : 2;
    const one = 'hospital_id = $1 and entity_id = $2';
    expect(await waysWithoutIndex(db, name, one, [hospital.id, doctorId], least)).toEqual([]);
    const some = 'hospital_id = $1 and entity_id = any ($2)';
    expect(
      await waysWithoutIndex(db, name, some, [hospital.id, [doctorId, otherId]], least),
    ).toEqual([]);
  }),
);
