import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { asOwner, asWorker, become, rolledBack } from '../helpers/actors.ts';
import { book, cancel, hold, reschedule, transit } from '../helpers/booking.ts';
import { moveClock, setClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, insert, openHospital } from '../helpers/hospital.ts';
import { brokenInvariantsIn } from '../helpers/invariants.ts';
import { nth } from '../helpers/nth.ts';
import { scenarioOf } from '../helpers/refusals.ts';
import { accept, decline, propose, request as requestTime } from '../helpers/requests.ts';
import {
  type Answer,
  addSeat,
  answer as answerRequest,
  block,
  change,
  countOf,
  dayOf,
  hasLapsed,
  leave,
  type Model,
  move,
  offerLength,
  place,
  request,
  type Service,
  type Status,
  services,
  sweep,
  turn,
  type Who,
} from './model.ts';

// Random stories, told to the database and to a model of it: every answer and all that is left behind must
// be the same. MODEL_SEED repeats a run, MODEL_RUNS makes it longer (250 stories of up to 40 deeds).

const seed = Number(process.env.MODEL_SEED ?? randomInt(2 ** 31));
const numRuns = Number(process.env.MODEL_RUNS ?? 250);

const { ownerPool } = await createDatabase();
const hospital = await openHospital(ownerPool, {
  horizonDays: 2,
  patientCount: 3,
  maxPatientsPerDay: 4,
});
const serviceIds: Record<Service, string> = {
  usual: hospital.serviceId,
  hour: await service('hour'),
  buffered: await service('buffered'),
};
// The morning of the day of the visits, before which the story begins: eight slots of each doctor, with room for two at the second one's.
const morning = 8;
const slotIds = [...hospital.slotIds.slice(0, morning), ...hospital.otherSlotIds.slice(0, morning)];
await ownerPool.query('update app_public.slot set capacity = 2 where doctor_id = $1', [
  hospital.doctorIds[1],
]);

const { rows: starts } = await ownerPool.query<{ starts_at: Date }>(
  `select slot.starts_at from unnest($1::uuid[]) with ordinality as told (id, place)
   join app_public.slot using (id) order by place`,
  [slotIds],
);
await ownerPool.query('update app_public.hospital set offer_duration = $2 where id = $1', [
  hospital.id,
  `${offerLength} minutes`,
]);

const people: readonly (Who & { actor: Actor })[] = [
  { role: 'patient', self: 0, actor: hospital.patient },
  { role: 'patient', self: 1, actor: hospital.otherPatient },
  { role: 'doctor', self: 0, actor: hospital.doctor },
  { role: 'doctor', self: 1, actor: hospital.otherDoctor },
  { role: 'nurse', actor: hospital.nurse },
  { role: 'receptionist', actor: hospital.receptionist },
  { role: 'admin', actor: hospital.admin },
];

type Story = { db: ClientBase; model: Model; ids: string[]; absences: (string | undefined)[] };
type Deed = { what: string; told: Answer; done: () => Promise<unknown> };

const person = fc.nat(people.length - 1);
// The first and the last of each doctor, so that deeds meet; what lies between is there for long visits.
const where = fc.constantFrom(0, 1, 2, 7, 8, 9, 15);
const which = fc.nat(9);
const states = ['scheduled', 'confirmed', 'checked_in', 'completed', 'cancelled'] as const;

/** What may happen: chosen by the seed, as numbers that a shrunk story shows. */
const deeds = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      deed: fc.constant('place' as const),
      person,
      where,
      patient: fc.nat(2),
      service: fc.constantFrom(...(Object.keys(services) as Service[])),
      isHold: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      deed: fc.constant('change' as const),
      person,
      which,
      to: fc.constantFrom(...states),
    }),
  },
  { weight: 5, arbitrary: fc.record({ deed: fc.constant('move' as const), person, which, where }) },
  {
    weight: 6,
    arbitrary: fc.record({
      deed: fc.constant('request' as const),
      person,
      where,
      patient: fc.nat(2),
      service: fc.constantFrom(...(Object.keys(services) as Service[])),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      deed: fc.constant('answer' as const),
      person: fc.constantFrom(0, 2, 3, 4, 5, 5, 6, 6),
      which,
      where,
      how: fc.constantFrom('accept' as const, 'propose' as const, 'decline' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ deed: fc.constant('seat' as const), person, where }) },
  {
    weight: 3,
    arbitrary: fc.record({
      deed: fc.constant('block' as const),
      person,
      where,
      isBlocked: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      deed: fc.constant('leave' as const),
      person: fc.constantFrom(4, 5, 6),
      doctor: fc.nat(1),
      isAway: fc.boolean(),
      isEmergency: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      deed: fc.constant('turn' as const),
      doctor: fc.nat(1),
      isAvailable: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ deed: fc.constant('wait' as const), minutes: fc.constantFrom(2, 6) }),
  },
  { weight: 1, arbitrary: fc.record({ deed: fc.constant('sweep' as const) }) },
);
type Chosen = typeof deeds extends fc.Arbitrary<infer T> ? T : never;

test(`the database answers as the model does (MODEL_SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const answers = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.noBias(fc.array(deeds, { minLength: 5, maxLength: 40, size: 'max' })),
      (chosen) =>
        rolledBack(ownerPool, async (db) => {
          const story: Story = { db, model: newModel(), ids: [], absences: [] };
          // The first minute of the day of the visits: nobody checks in on another day.
          await setClock(db, new Date(nth(starts, 0).starts_at.getTime() - 9 * 3_600_000));
          for (const each of chosen) {
            const answer = await tell(story, each);
            if (answer) answers.set(answer, (answers.get(answer) ?? 0) + 1);
          }
          await asOwner(db);
          expect(await brokenInvariantsIn(db)).toEqual({});
        }),
    ),
    { seed, numRuns },
  );
  // A run that only ever booked, or only ever refused, would prove little.
  for (const answer of [
    'done',
    'slot_booked',
    'patient_double_booked',
    'forbidden',
    'illegal_transition',
  ]) {
    expect([...answers.keys()]).toContain(answer);
  }
});

/** Lets a deed happen in the model and in the database, and compares; a deed that makes no sense is left out. */
async function tell(story: Story, chosen: Chosen): Promise<Answer | undefined> {
  const { db, model } = story;
  const deed = prepare(story, chosen);
  if (!deed) return undefined;
  await db.query('savepoint deed');
  const answer = await deed.done().then(() => 'done', answerOf);
  if (answer !== 'done') await db.query('rollback to savepoint deed');
  expect(answer, deed.what).toBe(deed.told);
  await asOwner(db);
  expect(await left(db, story.ids), deed.what).toEqual({
    states: model.visits.map(({ status }) => status),
    counts: slotIds.map((_, index) => countOf(model, index)),
    days: [dayOf(model, 0), dayOf(model, 1)],
  });
  return answer;
}

function prepare(story: Story, chosen: Chosen): Deed | undefined {
  const { db, model, ids } = story;
  const who = 'person' in chosen ? nth(people, chosen.person) : undefined;
  const what = JSON.stringify({ ...chosen, role: who?.role, self: who?.self });
  const as = (act: () => Promise<unknown>) => async () => {
    if (who) await become(db, who.actor);
    return act();
  };
  const index = 'which' in chosen ? indexOf(model, chosen) : -1;
  const visit = model.visits[index];
  const id = ids[index] ?? '';

  switch (chosen.deed) {
    case 'place': {
      const wish = { place: chosen.where, patient: chosen.patient, service: chosen.service };
      const told = place(model, who as Who, chosen.isHold ? 'held' : 'scheduled', wish);
      const operation = chosen.isHold ? hold : book;
      return {
        what,
        told,
        done: as(async () => {
          const { id: placed } = await operation(db, {
            slotId: nth(slotIds, chosen.where),
            patientId: nth(hospital.patientIds, chosen.patient),
            serviceId: serviceIds[chosen.service],
          });
          ids.push(placed);
        }),
      };
    }
    case 'change':
      if (!visit) return undefined;
      return {
        what,
        told: change(model, who as Who, visit, chosen.to),
        done: as(() => changeTo(db, id, chosen.to)),
      };
    case 'move':
      if (!visit) return undefined;
      return {
        what,
        told: move(model, who as Who, visit, chosen.where),
        done: as(() => reschedule(db, id, nth(slotIds, chosen.where))),
      };
    case 'request': {
      const { patient, service: kind } = chosen;
      const wish = { place: chosen.where, patient, service: kind };
      return {
        what,
        told: request(model, who as Who, wish),
        done: as(async () => {
          const { id: placed } = await requestTime(db, {
            doctorId: nth(hospital.doctorIds, chosen.where < morning ? 0 : 1),
            startsAt: nth(starts, chosen.where).starts_at,
            patientId: nth(hospital.patientIds, patient),
            serviceId: serviceIds[kind],
          });
          ids.push(placed);
        }),
      };
    }
    case 'answer':
      if (!visit) return undefined;
      return {
        what,
        told: answerRequest(model, who as Who, visit, chosen.how, chosen.where),
        done: as(() => {
          if (chosen.how === 'accept') return accept(db, id);
          if (chosen.how === 'decline') return decline(db, id);
          return propose(db, id, nth(slotIds, chosen.where));
        }),
      };
    case 'seat':
      return {
        what,
        told: addSeat(model, who as Who, chosen.where),
        done: as(() =>
          db.query("select app_public.add_seat($1, 'one more')", [slotIds[chosen.where]]),
        ),
      };
    case 'block':
      return {
        what,
        told: block(model, who as Who, chosen.where, chosen.isBlocked),
        done: as(() =>
          chosen.isBlocked
            ? db.query("select app_public.block_slot($1, 'cleaning')", [slotIds[chosen.where]])
            : db.query('select app_public.unblock_slot($1)', [slotIds[chosen.where]]),
        ),
      };
    case 'leave': {
      const absence = story.absences[chosen.doctor];
      if (!chosen.isAway && absence === undefined) return undefined;
      // What has lapsed but is not swept yet is either expired or cancelled; who is under way stays.
      if (chosen.isEmergency && (isAnyoneUnderWay(model) || hasLapsed(model))) return undefined;
      return {
        what,
        told: leave(model, who as Who, chosen.doctor, chosen.isAway, chosen.isEmergency),
        done: as(async () => {
          const { rows } = chosen.isAway
            ? await db.query(
                `select (app_public.create_absence($1, $3, day, day)).absence_id as id
                 from (select (app_private.clock() at time zone $2)::date as day) as today`,
                [
                  hospital.doctorIds[chosen.doctor],
                  hospital.timeZone,
                  chosen.isEmergency ? 'emergency' : 'training',
                ],
              )
            : await db.query('select app_public.cancel_absence($1)', [absence]);
          story.absences[chosen.doctor] = chosen.isAway ? rows[0].id : undefined;
        }),
      };
    }
    case 'turn': {
      // What is under way stays; whether that lets a doctor go is another story.
      if (isAnyoneUnderWay(model)) return undefined;
      sweep(model);
      turn(model, chosen.doctor, chosen.isAvailable);
      return {
        what,
        told: 'done',
        done: async () => {
          await expireAll(db);
          await become(db, hospital.receptionist);
          await db.query('select app_public.set_doctor_availability($1, $2)', [
            hospital.doctorIds[chosen.doctor],
            chosen.isAvailable,
          ]);
        },
      };
    }
    case 'wait':
      model.now += chosen.minutes;
      return { what, told: 'done', done: () => moveClock(db, `${chosen.minutes} minutes`) };
    case 'sweep':
      sweep(model);
      return { what, told: 'done', done: () => expireAll(db) };
  }
}

/** Which appointment is meant: an answer is for an open request, as long as there is one. */
function indexOf({ visits }: Model, { deed, which }: { deed: string; which: number }): number {
  const all = visits.map((_, index) => index);
  const open = all.filter((index) => visits[index]?.status === 'requested');
  const meant = deed === 'answer' && open.length > 0 ? open : all;
  return meant[which % meant.length] ?? -1;
}

function isAnyoneUnderWay({ visits }: Model): boolean {
  return visits.some(({ status }) => status === 'checked_in');
}

function newModel(): Model {
  return {
    now: 0,
    slots: slotIds.map((_, index) => ({
      doctor: index < morning ? 0 : 1,
      start: (index % morning) * 30,
      capacity: index < morning ? 1 : 2,
      isBlocked: false,
    })),
    visits: [],
    doctors: [
      { isAvailable: true, isAbsent: false },
      { isAvailable: true, isAbsent: false },
    ],
  };
}

/** What the database holds of the story. */
async function left(db: ClientBase, ids: readonly string[]) {
  const { rows } = await db.query(
    `select
       array(select status::text from unnest($2::uuid[]) with ordinality as told (id, place)
             join app_public.appointment using (id) order by place) as states,
       array(select booked_count from unnest($3::uuid[]) with ordinality as told (id, place)
             join app_public.slot using (id) order by place) as counts,
       array(select coalesce(sum(doctor_day.booked_count), 0)::int
             from unnest($4::uuid[]) with ordinality as told (doctor_id, place)
             left join app_public.doctor_day using (doctor_id) group by place order by place) as days
     where $1::uuid is not null`,
    [hospital.id, ids, slotIds, hospital.doctorIds],
  );
  return rows[0];
}

function changeTo(db: ClientBase, id: string, to: Status): Promise<unknown> {
  switch (to) {
    case 'scheduled':
      return transit(db, 'confirm_hold', id);
    case 'confirmed':
      return transit(db, 'confirm_appointment', id);
    case 'checked_in':
      return transit(db, 'check_in_appointment', id);
    case 'completed':
      return transit(db, 'complete_appointment', id);
    default:
      return cancel(db, id);
  }
}

async function expireAll(db: ClientBase): Promise<void> {
  await asWorker(db);
  await db.query('select app_private.expire_lapsed_holds($1)', [hospital.id]);
}

/** As a client of the server would read it: a privilege that is not there is `forbidden`. */
function answerOf(error: unknown): Answer {
  const scenario = scenarioOf(error);
  return scenario === '42501' ? 'forbidden' : scenario;
}

function service(name: Service): Promise<string> {
  const { length, before, after } = services[name];
  return insert(ownerPool, 'service', {
    hospital_id: hospital.id,
    name,
    duration: `${length} minutes`,
    buffer_before: `${before} minutes`,
    buffer_after: `${after} minutes`,
  });
}
