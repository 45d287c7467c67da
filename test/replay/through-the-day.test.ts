import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { planActs, planStops, planVisits } from '../../replay/day-plan.ts';
import { proveDay } from '../../replay/prove-day.ts';
import { type ReplayResult, replayDay } from '../../replay/replay-day.ts';
import { createDatabase } from '../helpers/database.ts';
import { expectInvariants } from '../helpers/invariants.ts';
import { startServer } from '../helpers/server.ts';
import { stopCrontab, workFor } from '../worker/workplace.ts';

const database = await createDatabase();
const server = await startServer(database.authenticatorUrl);
afterAll(() => server.close());

const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);

async function live(said: string[] = []): Promise<ReplayResult> {
  await stopCrontab(database.ownerPool);
  await workFor(database.workerUrl);
  return replayDay({
    file: join(import.meta.dirname, 'a-day.csv'),
    day: tomorrow,
    url: server.url,
    inFlight: 8,
    hospital: undefined,
    throughTheDay: true,
    databaseUrl: database.databaseUrl,
    say: (message) => said.push(message),
    showProgress: () => ({ step: () => {}, end: () => {} }),
  });
}

test('a day passes: who came is seen, who did not is found, and all of it is proven', async () => {
  const said: string[] = [];
  const { proofs, hospitalId } = await live(said);
  expect(proofs.filter(({ contradictions }) => contradictions !== 0)).toEqual([]);
  expect(proofs).toHaveLength(20);
  expect(said.join('\n')).toMatch(/missed {4}\d+, of 8 who did not come/);
  await expectInvariants(database.ownerPool);
  // The clock stands where it stood.
  const { rows } = await database.ownerPool.query(
    'select abs(extract(epoch from app_private.clock() - now())) < 1 as is_back from (select 1) as once',
  );
  expect(rows).toEqual([{ is_back: true }]);

  await damage(hospitalId);
  const refuted = await proveDay({ databaseUrl: database.databaseUrl, hospitalId, visits: [] });
  expect(refuted.filter(({ contradictions }) => contradictions === 0)).toEqual([]);
});

test('what the staff does is in the order of a visit, and the clock stops for all of it', () => {
  const visits = planVisits(
    Array.from({ length: 24 }, (_, line) => ({
      wish: {
        request: {
          line,
          appointmentNumber: '1',
          patientNumber: `${line}`,
          age: 1,
          healthPost: 'x',
          requestedAt: new Date(0),
          showedUp: line !== 3,
        },
        slot: { id: 's', doctorId: 'd', startsAt: 3_600_000, endsAt: 4_500_000 },
      },
      answer: { kind: 'booked' as const, appointmentId: `${line}` },
      tookMs: 1,
    })),
  );
  const courses = visits.map(({ course }) => course);
  expect(courses.filter((course) => course === 'missed')).toHaveLength(1);
  expect(courses.indexOf('left without vitals')).toBe(12);
  expect(courses).not.toContain('left without doctor');

  const acts = planActs(visits);
  for (const visit of visits.filter(({ course }) => course !== 'missed')) {
    const own = acts.filter((act) => act.visit === visit);
    expect(own.map(({ deed }) => deed)).toEqual(['check in', 'take vitals', 'start', 'complete']);
  }
  const stops = new Set(planStops(visits));
  expect(acts.filter(({ at }) => !stops.has(at))).toEqual([]);
});

/** Makes every claim about the day untrue. */
async function damage(hospitalId: string): Promise<void> {
  const client = await database.ownerPool.connect();
  const change = (statement: string) => client.query(statement, [hospitalId]);
  try {
    await client.query('set session_replication_role = replica');
    await change(
      `update app_public.no_show_log set marked_at = marked_at + interval '1 hour' where hospital_id = $1`,
    );
    await change(
      `update app_public.patient set no_show_count = no_show_count + 3
       where hospital_id = $1 and id = (select id from app_public.patient where hospital_id = $1 limit 1)`,
    );
    await change(
      'update app_public.slot set booked_count = booked_count + 1 where hospital_id = $1',
    );
    await change(
      "delete from app_public.notification where hospital_id = $1 and event = 'no_show'",
    );
    await change(
      `insert into app_public.stage_alert (
         hospital_id, appointment_id, patient_id, doctor_id, kind, waiting_since, due_at, raised_at, status,
         resolved_at, resolution)
       select hospital_id, id, patient_id, doctor_id, kind, now(), now(), now(), 'resolved', now(), 'auto'
       from app_public.appointment
       cross join unnest(enum_range(null::app_public.stage_alert_kind)) as kind where hospital_id = $1`,
    );
  } finally {
    await client.query('reset session_replication_role');
    client.release();
  }
}
