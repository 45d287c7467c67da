// A check that cries wolf is worse than none: nothing is wrong with the demo, nor with a hospital that has
// lived through everything which is allowed.
import { expect, test } from 'vitest';
import { loadDemo } from '../../demo/load.ts';
import { asOwner, rolledBack } from '../helpers/actors.ts';
import { appointmentIn, appointmentStatuses } from '../helpers/booking.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { openHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

const database = await createDatabase();
const { ownerPool } = database;

const everythingWrong = 'select check_name, entity_id, detail from checks.all_findings';

test('nothing is wrong with the demo', async () => {
  expect(await loadDemo(database.databaseUrl)).not.toEqual([]);
  expect((await ownerPool.query(everythingWrong)).rows).toEqual([]);
});

test('nothing is wrong with appointments in every state', () =>
  rolledBack(ownerPool, async (db) => {
    const hospital = await openHospital(db, { horizonDays: 3, slotCapacity: 2 });
    for (const [index, status] of appointmentStatuses.entries()) {
      for (const patientId of hospital.patientIds.slice(0, 2)) {
        await appointmentIn(db, hospital, status, nth(hospital.slotIds, index), patientId);
      }
    }
    await asOwner(db);
    expect((await db.query(everythingWrong)).rows).toEqual([]);
    await moveClock(db, '9 minutes');
    expect((await db.query(everythingWrong)).rows).toEqual([]);
  }));
