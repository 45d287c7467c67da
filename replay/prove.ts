import pg from 'pg';
import type { Outcome } from './book-day.ts';
import type { Wish } from './plan.ts';

/** One statement about the day, and what contradicts it. */
export interface Proof {
  claim: string;
  /** How many contradictions were found; 0 proves the claim. */
  contradictions: number;
}

/** What was answered against what had to be answered; asks the outcomes alone. */
export function proveAnswers(
  wishes: readonly Wish[],
  outcomes: readonly Outcome[],
  expected: ReadonlySet<Wish>,
): Proof[] {
  const answered = new Map(outcomes.map((outcome) => [outcome.wish, outcome.answer]));
  const doubleBooked = (wish: Wish) => {
    const answer = answered.get(wish);
    return answer?.kind === 'refused' && answer.scenario === 'patient_double_booked';
  };
  const booked = (wish: Wish) => answered.get(wish)?.kind === 'booked';
  return [
    {
      claim: 'every request was answered once',
      contradictions: Math.abs(outcomes.length - wishes.length) + (wishes.length - answered.size),
    },
    {
      claim: `the ${expected.size} requests that clash with an earlier one of the same patient were refused with patient_double_booked`,
      contradictions: wishes.filter((wish) => expected.has(wish) && !doubleBooked(wish)).length,
    },
    {
      claim: 'every other request was booked',
      contradictions: wishes.filter((wish) => !expected.has(wish) && !booked(wish)).length,
    },
  ];
}

export interface ProveTablesOptions {
  databaseUrl: string;
  hospitalId: string;
  patientIds: ReadonlyMap<string, string>;
  outcomes: readonly Outcome[];
}

/**
 * What the tables say, against what was answered. Read with all index scans off, so that a damaged
 * index cannot hide a row, and from one snapshot; without indexes nested loops would take minutes.
 */
export function proveTables(options: ProveTablesOptions): Promise<Proof[]> {
  const values = [options.hospitalId];
  return proveAll(options.databaseUrl, [
    ...claims.map(([claim, contradictions]) => ({ claim, contradictions, values })),
    storedClaim(options),
  ]);
}

/** A claim with the query that finds what contradicts it. */
export interface Question {
  claim: string;
  contradictions: string;
  values: unknown[];
}

/** Asks all of it of one snapshot, with every index scan off. */
export async function proveAll(
  databaseUrl: string,
  questions: readonly Question[],
): Promise<Proof[]> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'slotkeeper:replay',
  });
  await client.connect();
  try {
    await client.query(
      `begin isolation level repeatable read read only;
       set local role app_owner;
       set local enable_indexscan = off;
       set local enable_indexonlyscan = off;
       set local enable_bitmapscan = off;
       set local enable_nestloop = off`,
    );
    const proofs: Proof[] = [];
    for (const { claim, contradictions, values } of questions) {
      proofs.push({ claim, contradictions: await count(client, contradictions, values) });
    }
    return proofs;
  } finally {
    await client.end();
  }
}

const claims: readonly (readonly [claim: string, contradictions: string])[] = [
  [
    'no slot holds more patients than it has room for',
    `select slot.id
     from app_public.slot
     join app_public.appointment
       on appointment.hospital_id = slot.hospital_id and appointment.slot_id = slot.id and appointment.holds_seat
     where slot.hospital_id = $1
     group by slot.id, slot.capacity
     having count(*) > slot.capacity`,
  ],
  [
    'no doctor has two slots at once',
    `select one.id
     from app_public.slot as one
     join app_public.slot as other
       on other.hospital_id = one.hospital_id and other.doctor_id = one.doctor_id
       and other.id > one.id and other.during && one.during
     where one.hospital_id = $1 and one.withdrawn_at is null and other.withdrawn_at is null`,
  ],
  [
    'no patient is in two places at once',
    `select one.id
     from app_public.appointment as one
     join app_public.appointment as other
       on other.hospital_id = one.hospital_id and other.patient_id = one.patient_id
       and other.id > one.id and other.during && one.during
     where one.hospital_id = $1 and one.holds_seat and other.holds_seat`,
  ],
  [
    'every slot counts exactly its appointments',
    `select slot.id
     from app_public.slot
     left join app_public.appointment
       on appointment.hospital_id = slot.hospital_id and appointment.slot_id = slot.id and appointment.holds_seat
     where slot.hospital_id = $1
     group by slot.id, slot.booked_count
     having count(appointment.id) <> slot.booked_count`,
  ],
  [
    'every day of a doctor counts exactly its appointments, and is within its limit',
    `select from (
       select doctor_id, day, booked_count, max_patients
       from app_public.doctor_day
       where hospital_id = $1
     ) as counted
     full join (
       select appointment.doctor_id, (appointment.starts_at at time zone hospital.time_zone)::date as day,
         count(*) as appointments
       from app_public.appointment
       join app_public.hospital on hospital.id = appointment.hospital_id
       where appointment.hospital_id = $1 and appointment.holds_seat
       group by 1, 2
     ) as present using (doctor_id, day)
     where coalesce(counted.booked_count, 0) <> coalesce(present.appointments, 0)
       or counted.booked_count > counted.max_patients`,
  ],
  [
    'every appointment has its one entry in the log, by reception',
    `select appointment.id
     from app_public.appointment
     left join app_public.audit_entry
       on audit_entry.hospital_id = appointment.hospital_id and audit_entry.record_id = appointment.id
       and audit_entry.table_name = 'appointment' and audit_entry.operation = 'insert'
       and audit_entry.actor_role = 'receptionist'
     where appointment.hospital_id = $1
     group by appointment.id
     having count(audit_entry.id) <> 1`,
  ],
];

function storedClaim(options: ProveTablesOptions): Question {
  const booked = options.outcomes.flatMap(({ answer, wish }) =>
    answer.kind === 'booked' ? [{ id: answer.appointmentId, wish }] : [],
  );
  return {
    claim: `the ${booked.length} appointments answered as booked are stored, each in its slot and for its patient, and no other is`,
    contradictions: `
      select id
      from (
        select id, slot_id, patient_id, status::text, 1 as stored, 0 as answered
        from app_public.appointment
        where hospital_id = $1
        union all
        select id, slot_id, patient_id, 'scheduled', 0, 1
        from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as answer (id, slot_id, patient_id)
      ) as known
      group by id, slot_id, patient_id, status
      having sum(stored) <> 1 or sum(answered) <> 1`,
    values: [
      options.hospitalId,
      booked.map(({ id }) => id),
      booked.map(({ wish }) => wish.slot.id),
      booked.map(({ wish }) => options.patientIds.get(wish.request.patientNumber)),
    ],
  };
}

async function count(client: pg.Client, query: string, values: unknown[]): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::integer as count from (${query}) as contradiction`,
    values,
  );
  return rows[0]?.count ?? Number.NaN;
}
