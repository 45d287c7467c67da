import pg, { type ClientBase } from 'pg';
import { deliveryOf, type OutboxMessage } from '../worker/outbox.ts';
import type { Payload } from '../worker/payloads.ts';
import type { Damage, Named } from './damage.ts';
import { createSubject, type Subject } from './subject.ts';

/** What became of one damage. */
export interface Case {
  check: string;
  story: string;
  /** What has to become of it. */
  ends: Damage['ends'];
  isDetected: boolean;
  /** By the verification of what changed, or by the audit. */
  detectedBy: 'event' | 'audit' | null;
  /** From the damage until it was known, in ms. */
  latencyMs: number | null;
  isRepaired: boolean;
  isQueued: boolean;
  isTold: boolean;
  /** What spoke and should not have, and what went wrong; empty when all is right. */
  faults: string[];
}

/** What a drill came to. */
export interface DrillResult {
  /** What checks say of the healthy copy: false alarms. */
  falseAlarms: Finding[];
  /** Checks that no damage proves. */
  unproven: string[];
  cases: Case[];
  isPassed: boolean;
}

/** A problem that a check speaks of. */
export interface Finding {
  check_name: string;
  entity_type: string;
  entity_id: string | null;
  detail: string;
}

export interface DrillOptions {
  /** Of a superuser, in a database that may be damaged. */
  url: string;
  hospitalId: string;
  damages: readonly Damage[];
  /** Told each case as it ends. */
  onCase?: (outcome: Case) => void;
}

/**
 * Looks whether a healthy hospital is found healthy, then damages it in every way that there is, and looks
 * whether each is noticed, by the right check and no other, and ends as it has to. Each damage is done,
 * found and repaired in a transaction that is undone afterwards, so that none hides another.
 */
export async function drill(options: DrillOptions): Promise<DrillResult> {
  const { url, hospitalId, damages, onCase = () => {} } = options;
  const db = new pg.Client({ connectionString: url, application_name: 'drill' });
  await db.connect();
  try {
    const falseAlarms = await undone(db, async () => {
      await audit(db);
      return everythingKnown(db);
    });
    const ground: Ground = {
      checks: await catalogOf(db),
      before: new Set(falseAlarms.map(nameOf)),
    };
    const cases: Case[] = [];
    for (const damage of damages) {
      const outcome = await caseOf(db, hospitalId, damage, ground);
      cases.push(outcome);
      onCase(outcome);
    }
    const proven = new Set(damages.map(({ check }) => check));
    const unproven = [...ground.checks.keys()].filter((check) => !proven.has(check));
    const isPassed =
      falseAlarms.length === 0 && unproven.length === 0 && cases.length > 0 && cases.every(isWell);
    return { falseAlarms, unproven, cases, isPassed };
  } finally {
    await db.end();
  }
}

/** Whether a damage was found, nothing was invented, and it ended as it has to. */
export function isWell(outcome: Case): boolean {
  const hasEnded = {
    repaired: outcome.isRepaired,
    reviewed: outcome.isQueued,
    told: outcome.isTold,
  }[outcome.ends];
  return outcome.isDetected && hasEnded && outcome.faults.length === 0;
}

type Catalog = ReadonlyMap<string, { is_event_driven: boolean }>;
/** The checks that there are, and what they said before anything was damaged. */
type Ground = { checks: Catalog; before: ReadonlySet<string> };

const nameOf = ({ check_name, entity_id, detail }: Finding) =>
  `${check_name}/${entity_id}/${detail}`;

async function catalogOf(db: ClientBase): Promise<Catalog> {
  const { rows } = await db.query<{ name: string; is_event_driven: boolean }>(
    'select name, is_event_driven from app_public.health_check order by name',
  );
  return new Map(rows.map((row) => [row.name, row]));
}

async function caseOf(
  db: ClientBase,
  hospitalId: string,
  damage: Damage,
  { checks, before: spokeBefore }: Ground,
): Promise<Case> {
  const { check, story, ends } = damage;
  const outcome: Case = {
    check,
    story,
    ends,
    isDetected: false,
    detectedBy: null,
    latencyMs: null,
    isRepaired: false,
    isQueued: false,
    isTold: false,
    faults: [],
  };
  try {
    await undone(db, async () => {
      const subject = await createSubject(db, hospitalId);
      const before = await newestMessage(db);
      const named = await damage.inflict(db, subject);
      const startedAt = performance.now();
      if (checks.get(check)?.is_event_driven) {
        await verify(db, subject, named, before);
        note(outcome, 'event', startedAt, named, await everythingKnown(db));
      }
      await audit(db);
      const known = await everythingKnown(db);
      if (!outcome.isDetected) note(outcome, 'audit', startedAt, named, known);
      const news = known.filter((finding) => !spokeBefore.has(nameOf(finding)));
      outcome.faults.push(...inventionsIn(news, damage, named));
      if (!outcome.isDetected) return;
      const { errors, ...end } = await endOf(db, damage);
      Object.assign(outcome, end);
      if (ends === 'repaired' && !end.isRepaired) outcome.faults.push(...errors);
    });
    await undone(db, async () => {
      await damage.nearMiss(db, await createSubject(db, hospitalId));
      await audit(db);
      const known = await everythingKnown(db);
      const spoke = known.filter((finding) => !spokeBefore.has(nameOf(finding)));
      outcome.faults.push(
        ...new Set(spoke.map(({ check_name }) => `${check_name} speaks of what only looks alike`)),
      );
    });
  } catch (error) {
    outcome.faults.push(`It could not be drilled: ${(error as Error).message}`);
  }
  return outcome;
}

function note(
  outcome: Case,
  by: 'event' | 'audit',
  startedAt: number,
  named: readonly Named[],
  known: readonly Finding[],
): void {
  const latencyMs = performance.now() - startedAt;
  const spokenOf = new Set(
    known.filter(({ check_name }) => check_name === outcome.check).map(keyOfFinding),
  );
  if (named.length === 0 || !named.every((each) => spokenOf.has(keyOf(each)))) return;
  Object.assign(outcome, { isDetected: true, detectedBy: by, latencyMs });
}

function inventionsIn(known: readonly Finding[], damage: Damage, named: readonly Named[]) {
  const wanted = new Set(named.map(keyOf));
  const others = known
    .filter(({ check_name }) => check_name !== damage.check)
    .filter(({ check_name }) => !damage.alsoFound?.includes(check_name))
    .map(({ check_name }) => `${check_name} speaks, too`);
  const more = known
    .filter((finding) => finding.check_name === damage.check && !wanted.has(keyOfFinding(finding)))
    .map(() => `${damage.check} speaks of more than was damaged`);
  return [...new Set([...others, ...more])];
}

const keyOf = ({ entityType, entityId }: Named) => `${entityType}/${entityId}`;
const keyOfFinding = ({ entity_type, entity_id }: Finding) => `${entity_type}/${entity_id}`;

/**
 * Verifies what changed as the worker would: what the messages of the damage tell of. What a hand changed
 * behind the triggers' back left no message; it is verified when the same rows change next.
 */
async function verify(
  db: ClientBase,
  subject: Subject,
  named: readonly Named[],
  before: string,
): Promise<void> {
  const { rows: messages } = await db.query<OutboxMessage>(
    `select id::text, key, hospital_id, topic, payload, to_json(created_at) #>> '{}' as created_at
       from app_private.outbox where id > $1 order by id limit 1000`,
    [before],
  );
  const changes = deliveryOf(messages).jobs.flatMap((job) =>
    job.task === 'verify_changes' ? job.payload : [],
  );
  changes.push(await nextChange(db, subject, named));
  for (const { hospital_id, appointment_ids, slot_ids } of changes) {
    await db.query('select app_private.verify_changes($1, $2, $3, clock_timestamp())', [
      hospital_id,
      appointment_ids,
      slot_ids,
    ]);
  }
}

async function nextChange(
  db: ClientBase,
  { hospitalId, doctorId, patientIds, slotIds }: Subject,
  named: readonly Named[],
): Promise<Payload<'verify_changes'>[number]> {
  const idsOf = (type: string) =>
    named.flatMap(({ entityType, entityId }) =>
      entityType === type && entityId !== null ? [entityId] : [],
    );
  const { rows } = await db.query<{ id: string }>(
    `select id from app_public.appointment
      where hospital_id = $1 and (doctor_id = $2 or patient_id = any ($3)) limit 100`,
    [hospitalId, doctorId, patientIds],
  );
  return {
    hospital_id: hospitalId,
    appointment_ids: [...new Set([...idsOf('appointment'), ...rows.map(({ id }) => id)])],
    slot_ids: [...new Set([...idsOf('slot'), ...slotIds.slice(0, 1)])],
    changed_at: new Date().toISOString(),
  };
}

async function newestMessage(db: ClientBase): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    'select coalesce(max(id), 0)::text as id from app_private.outbox',
  );
  return rows[0]?.id ?? '0';
}

async function audit(db: ClientBase): Promise<void> {
  await db.query("select app_private.run_checks(null, null, 'nightly')");
}

async function everythingKnown(db: ClientBase): Promise<Finding[]> {
  const { rows } = await db.query<Finding>(
    `select check_name, entity_type, entity_id, detail
       from app_public.finding where resolved_at is null order by check_name, cache_key`,
  );
  return rows;
}

/** Repairs as the hour would, and looks at what has become of the damage. */
async function endOf(
  db: ClientBase,
  { check }: Damage,
): Promise<Pick<Case, 'isRepaired' | 'isQueued' | 'isTold'> & { errors: string[] }> {
  const { rows: homes } = await db.query<{ id: string }>(
    'select id from app_private.hospitals_with_findings() as hospital (id)',
  );
  for (const { id } of homes) {
    const { rows: due } = await db.query<{ id: string }>(
      'select id from app_private.findings_to_repair($1) as finding (id)',
      [id],
    );
    for (const finding of due) {
      await db.query('select app_private.repair_finding($1, $2)', [id, finding.id]);
    }
  }
  const { rows } = await db.query<{
    is_silent: boolean;
    is_queued: boolean;
    is_told: boolean;
    errors: string[];
  }>(
    `select not exists (select from checks.${pg.escapeIdentifier(check)}) as is_silent,
       exists (
         select from app_public.review_item
          where reason = $1 and status in ('pending', 'in_review')) as is_queued,
       exists (select from app_public.log_entry where kind = 'finding' and name = $1) as is_told,
       array(
         select distinct coalesce(repair_error, 'No repair was tried.') from app_public.finding
          where check_name = $1 and resolved_at is null) as errors`,
    [check],
  );
  const { is_silent = false, is_queued = false, is_told = false, errors = [] } = rows[0] ?? {};
  return { isRepaired: is_silent, isQueued: is_queued, isTold: is_told, errors };
}

async function undone<T>(db: ClientBase, work: () => Promise<T>): Promise<T> {
  await db.query('begin');
  try {
    return await work();
  } finally {
    await db.query('rollback');
  }
}
