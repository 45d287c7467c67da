// What is due is found by index, however much was told before; also when the planner knows nothing.
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { tasks } from '../../worker/task-list.ts';
import { asOwner, asWorker, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { keepLog, surroundingsOf } from '../worker/workplace.ts';
import { readingOf, watchPlans } from './plans.ts';

const { ownerPool } = await createDatabase();
const isSuperuser = (
  await ownerPool.query('select usesuper as is_superuser from pg_user where usename = session_user')
).rows[0].is_superuser;
const hospital = await createHospital(ownerPool);

/** 20,000 notifications of past days, delivered, and 20 of the last minutes of which 10 are planned. */
async function storePast(db: ClientBase): Promise<void> {
  await db.query("update app_public.patient set email = 'p@example.org' where id = $1", [
    hospital.patientIds[0],
  ]);
  await db.query(
    `insert into app_public.notification (hospital_id, id, patient_id, event, priority, channels, title, body, created_at)
     select $1, (lpad(to_hex((extract(epoch from made.at) * 1000)::bigint), 12, '0') || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
       $2, 'appointment_booked', 'normal', '{email}', 'News', 'Text.', made.at
     from generate_series(1, 20020) as number
     cross join lateral (
       select case when number <= 20000 then now() - interval '2 days' - number * interval '1 minute'
         else now() - interval '2 minutes' end as at) as made`,
    [hospital.id, hospital.patientIds[0]],
  );
  await db.query(
    `insert into app_public.notification_delivery (hospital_id, notification_id, patient_id, channel, status, outcome, ended_at)
     select hospital_id, id, patient_id, 'email', 'sent', 'delivered', now()
     from app_public.notification where created_at < now() - interval '1 day'`,
  );
}

test.runIf(isSuperuser).each(['while it knows nothing', 'as it is analyzed'])(
  'planning, claiming, settling and sweeping read what is due, %s',
  (state) =>
    rolledBack(ownerPool, async (db) => {
      await watchPlans(db);
      await storePast(db);
      if (state === 'as it is analyzed') {
        await db.query('analyze app_public.notification, app_public.notification_delivery');
      }
      await asWorker(db);
      const reading = await readingOf(db, async () => {
        const { rows: unplanned } = await db.query<{ id: string }>(
          'select app_private.unplanned_notifications($1) as id',
          [hospital.id],
        );
        expect(unplanned).toHaveLength(20);
        const ids = unplanned.map(({ id }) => id);
        await db.query('select app_private.plan_deliveries($1, $2)', [hospital.id, ids]);
        await tasks.sweep_deliveries(
          { _cron: { ts: new Date().toISOString() } },
          { ...surroundingsOf(), db, log: keepLog().log },
        );
        const { rows: claims } = await db.query(
          "select * from app_private.claim_deliveries($1, 'email', 10)",
          [hospital.id],
        );
        expect(claims).toHaveLength(10);
        await db.query("select app_private.settle_delivery($1, $2, $3, 'sent')", [
          hospital.id,
          claims[0].delivery_id,
          claims[0].lease,
        ]);
        await db.query("select app_private.skip_deliveries($1, 'email')", [hospital.id]);
      });
      await asOwner(db);
      const growing = ['notification', 'notification_delivery'];
      expect(reading.wholeTables.filter(({ table }) => growing.includes(table))).toEqual([]);
      for (const table of growing) {
        const { rows = 0, statement = '' } = reading.most.get(table) ?? {};
        expect(rows, `${table}: ${statement}`).toBeGreaterThan(0);
        expect(rows, `${table}: ${statement}`).toBeLessThanOrEqual(100);
      }
    }),
);
