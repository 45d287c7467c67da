import { machinery } from './job-run.ts';
import {
  generateSlotsJob,
  type NewJob,
  planDeliveriesJobs,
  sendHealthAlertsJob,
  sendMailJob,
  verifyChangesJob,
} from './jobs.ts';
import { payloadShapes, type TaskName } from './payloads.ts';
import { portionsOf } from './portions.ts';
import { eventOf, type WebhookEvent } from './webhook-events.ts';

/** What changed, as the database left it for the relay. */
export interface OutboxMessage {
  /** In the order of messages, a number of 64 bits. */
  id?: string;
  /** What it is about. */
  key?: string;
  /** ISO, when it happened. */
  created_at?: string;
  hospital_id: string;
  topic: string;
  /** Identifiers only. */
  payload: unknown;
}

/** Something to be told to whoever listens. */
export interface Notification {
  channel: string;
  /** JSON, below the 8,000 bytes that Postgres takes. */
  payload: string;
}

/** What becomes of a batch of messages. */
export interface Delivery {
  jobs: NewJob[];
  notifications: Notification[];
  /** Doctors whose seats may have become free, each once. */
  freed: FreedSeats[];
  /** What webhooks tell of, hospital by hospital. */
  told: Map<string, WebhookEvent[]>;
}

/** Seats of a doctor that may have become free. No doctor: of the whole hospital. */
export interface FreedSeats {
  hospital_id: string;
  doctor_id: string | null;
}

/** What changed for one that is listened for. No `what`: the whole hospital; no ids: too many to name. */
interface Change {
  hospital_id: string;
  what: string | null;
  ids: string[];
}

/** The topics that a relay takes out of the outbox. */
export const topics: readonly string[] = [
  'appointment',
  'health_alert',
  'job',
  'mail',
  'notification',
  'schedule',
  'session',
  'slots',
  'stage_alert',
  'waitlist',
];

const mostBytes = 7_900;
// At 39 bytes an id, a change by itself stays well below that.
const mostIdsTogether = 150;

/**
 * Turns messages into as few jobs and notifications as tell the same. No message can make it fail: a
 * batch that fails is tried again for ever, and everything behind it waits. What it cannot read in a
 * payload is left out, or widened to the whole hospital. `pace` says when what changed in a hospital is
 * verified; at once unless told.
 */
export function deliveryOf(
  messages: readonly OutboxMessage[],
  pace: Pace = () => undefined,
): Delivery {
  return {
    jobs: [...jobsOf(messages), ...verificationsOf(messages, pace)],
    notifications: [
      ...pack('slotkeeper_slots', slotChangesOf(messages), (text) => `[${text}]`),
      ...pack('slotkeeper_notifications', inboxChangesOf(messages), (text) => `[${text}]`),
      ...pack('slotkeeper_stage_alerts', alertChangesOf(messages), (text) => `[${text}]`),
      ...pack('slotkeeper_sessions', sessionsOf(messages), (text) => `{"session_ids":[${text}]}`),
    ],
    freed: freedSeatsOf(messages),
    told: webhookEventsOf(messages),
  };
}

type Pace = (hospitalId: string) => Date | undefined;

function jobsOf(messages: readonly OutboxMessage[]): NewJob[] {
  const jobs = messages
    .filter(({ topic }) => topic === 'schedule')
    .map(({ hospital_id, payload }) => generateSlotsJob(hospital_id, idIn(payload, 'doctor_id')));
  const mails = messages
    .filter(({ topic }) => topic === 'mail')
    .map(({ hospital_id }) => sendMailJob(hospital_id));
  const alerts = messages
    .filter(({ topic }) => topic === 'health_alert')
    .map(({ hospital_id }) => sendHealthAlertsJob(hospital_id));
  const asked = messages
    .filter(({ topic }) => topic === 'job')
    .flatMap((message) => askedJobOf(message) ?? []);
  const each = new Map([...jobs, ...mails, ...alerts, ...asked].map((job) => [job.key, job]));
  return [...each.values(), ...plansOf(messages)];
}

/**
 * The job that somebody asked for. One that this code does not know is left out: its run finds no worker
 * and is told as stuck.
 */
function askedJobOf({ hospital_id, payload }: OutboxMessage): NewJob | undefined {
  const name = fieldOf(payload, 'job');
  const runId = idIn(payload, 'run_id');
  if (typeof name !== 'string' || runId === null || !Object.hasOwn(payloadShapes, name)) return;
  const task = name as TaskName;
  const given =
    hospital_id === machinery
      ? { _cron: { ts: new Date().toISOString() } }
      : { hospital_id, ...(task === 'generate_slots' && { doctor_id: null }) };
  const parsed = payloadShapes[task].safeParse(given);
  if (!parsed.success) return;
  return { task, payload: parsed.data, key: `job_run:${runId}`, runId } as NewJob;
}

// Only new ones go out: of one that was read, or lies unread again, everybody was told already.
function plansOf(messages: readonly OutboxMessage[]): NewJob[] {
  const byHospital = new Map<string, string[]>();
  for (const { hospital_id, topic, payload } of messages) {
    if (topic !== 'notification' || fieldOf(payload, 'is_new') !== true) continue;
    const ids = byHospital.get(hospital_id) ?? [];
    ids.push(...idsIn(payload, 'notification_ids'));
    byHospital.set(hospital_id, ids);
  }
  return [...byHospital].flatMap(([hospitalId, ids]) => planDeliveriesJobs(hospitalId, ids));
}

/**
 * What changed is verified, each appointment and slot once a batch. Slots that were too many to name are
 * left to the audit.
 */
function verificationsOf(messages: readonly OutboxMessage[], pace: Pace): NewJob[] {
  const byHospital = new Map<string, Verifiable>();
  for (const { id, key, created_at, hospital_id, topic, payload } of messages) {
    if (topic !== 'appointment' && topic !== 'slots') continue;
    const slotIds = idsIn(payload, 'slot_ids');
    const appointmentId = topic === 'appointment' && key && uuid.test(key) ? key : undefined;
    if (!id || !created_at || (appointmentId === undefined && slotIds.length === 0)) continue;
    const changed = byHospital.get(hospital_id) ?? {
      appointmentIds: new Set(),
      slotIds: new Set(),
      changedAt: created_at,
      batch: id,
    };
    if (appointmentId !== undefined) changed.appointmentIds.add(appointmentId);
    for (const each of slotIds) changed.slotIds.add(each);
    if (Date.parse(created_at) < Date.parse(changed.changedAt)) changed.changedAt = created_at;
    byHospital.set(hospital_id, changed);
  }
  return [...byHospital].map(([hospitalId, changed]) =>
    verifyChangesJob(hospitalId, changed, pace(hospitalId)),
  );
}

type Verifiable = {
  appointmentIds: Set<string>;
  slotIds: Set<string>;
  changedAt: string;
  batch: string;
};

function slotChangesOf(messages: readonly OutboxMessage[]): string[] {
  const changes = messages
    .filter(({ topic }) => topic === 'appointment' || topic === 'slots')
    .map(({ hospital_id, topic, payload }) => ({
      topic,
      hospital_id,
      what: idIn(payload, 'doctor_id'),
      ids: idsIn(payload, 'slot_ids'),
    }))
    // An appointment without a slot changes no slot; slots without ids were too many to name.
    .filter(({ topic, ids }) => topic === 'slots' || ids.length > 0);
  return together(changes).map(({ hospital_id, what, ids }) =>
    JSON.stringify({ hospital_id, doctor_id: what, slot_ids: ids }),
  );
}

function inboxChangesOf(messages: readonly OutboxMessage[]): string[] {
  const changes = messages
    .filter(({ topic }) => topic === 'notification')
    .map(({ hospital_id, payload }) => ({
      hospital_id,
      what: readerIn(payload),
      ids: idsIn(payload, 'notification_ids'),
    }));
  return together(changes).map(({ hospital_id, what, ids }) =>
    JSON.stringify({ hospital_id, reader: what, notification_ids: ids }),
  );
}

function alertChangesOf(messages: readonly OutboxMessage[]): string[] {
  const changes = messages
    .filter(({ topic }) => topic === 'stage_alert')
    .map(({ hospital_id, payload }) => ({
      hospital_id,
      what: idIn(payload, 'doctor_id'),
      ids: idsIn(payload, 'alert_ids'),
    }));
  return together(changes).map(({ hospital_id, what, ids }) =>
    JSON.stringify({ hospital_id, doctor_id: what, alert_ids: ids }),
  );
}

function readerIn(payload: unknown): string | null {
  for (const kind of ['patient', 'doctor', 'account']) {
    const id = idIn(payload, `${kind}_id`);
    if (id !== null) return `${kind}/${id}`;
  }
  return null;
}

/** One change for each that is listened for, every id once; several where there are more than fit. */
function together(changes: readonly Change[]): Change[] {
  const known = new Map<string, { change: Change; ids: Set<string>; isAll: boolean }>();
  for (const change of changes) {
    const key = `${change.hospital_id}/${change.what}`;
    const entry = known.get(key) ?? { change, ids: new Set(), isAll: false };
    for (const id of change.ids) entry.ids.add(id);
    entry.isAll ||= change.ids.length === 0;
    known.set(key, entry);
  }
  return [...known.values()].flatMap(({ change, ids, isAll }) =>
    (isAll ? [[]] : portionsOf([...ids], mostIdsTogether)).map((portion) => ({
      ...change,
      ids: portion,
    })),
  );
}

// In these states an appointment has given its seat back. A move is told to the waitlist by itself.
const statesWithoutSeat: readonly unknown[] = ['cancelled', 'expired', 'no_show'];

function freedSeatsOf(messages: readonly OutboxMessage[]): FreedSeats[] {
  const freed = new Map<string, FreedSeats>();
  for (const { hospital_id, topic, payload } of messages) {
    const isFreed =
      topic === 'slots' ||
      topic === 'waitlist' ||
      (topic === 'appointment' &&
        statesWithoutSeat.includes(fieldOf(payload, 'status')) &&
        idsIn(payload, 'slot_ids').length > 0);
    if (!isFreed) continue;
    const doctor_id = idIn(payload, 'doctor_id');
    freed.set(`${hospital_id}/${doctor_id}`, { hospital_id, doctor_id });
  }
  // What is told of the whole hospital holds for each of its doctors.
  return [...freed.values()].filter(
    ({ hospital_id, doctor_id }) => doctor_id === null || !freed.has(`${hospital_id}/null`),
  );
}

/** Events of appointments; the second message of a move is for its old slot only. */
function webhookEventsOf(messages: readonly OutboxMessage[]): Map<string, WebhookEvent[]> {
  const told = new Map<string, WebhookEvent[]>();
  for (const { id, key, created_at, hospital_id, topic, payload } of messages) {
    if (topic !== 'appointment' || fieldOf(payload, 'is_main') !== true) continue;
    const from = fieldOf(payload, 'from') ?? null;
    const status = fieldOf(payload, 'status');
    const event = eventOf(from, status, fieldOf(payload, 'is_moved') === true);
    if (!id || !key || !uuid.test(key) || !created_at || !event) continue;
    const events = told.get(hospital_id) ?? [];
    events.push({
      outbox_id: id,
      event,
      appointment_id: key,
      doctor_id: idIn(payload, 'doctor_id'),
      slot_id: idsIn(payload, 'slot_ids')[0] ?? null,
      status: String(status),
      previous_status: from === null ? null : String(from),
      starts_at: textIn(payload, 'starts_at'),
      ends_at: textIn(payload, 'ends_at'),
      occurred_at: created_at,
    });
    told.set(hospital_id, events);
  }
  return told;
}

function sessionsOf(messages: readonly OutboxMessage[]): string[] {
  const ended = messages.filter(({ topic }) => topic === 'session');
  const ids = new Set(ended.flatMap(({ payload }) => idsIn(payload, 'session_ids')));
  return [...ids].map((id) => JSON.stringify(id));
}

/** Fills notifications with items of JSON, as many as fit. */
function pack(
  channel: string,
  items: readonly string[],
  wrap: (text: string) => string,
): Notification[] {
  const texts: string[] = [];
  for (const item of items) {
    const longer = texts.length === 0 ? undefined : `${texts.at(-1)},${item}`;
    if (longer !== undefined && Buffer.byteLength(wrap(longer)) <= mostBytes) {
      texts[texts.length - 1] = longer;
    } else {
      texts.push(item);
    }
  }
  return texts.map((text) => ({ channel, payload: wrap(text) }));
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

function idIn(payload: unknown, name: string): string | null {
  const value = fieldOf(payload, name);
  return typeof value === 'string' && uuid.test(value) ? value : null;
}

function idsIn(payload: unknown, name: string): string[] {
  const value = fieldOf(payload, name);
  if (!Array.isArray(value)) return [];
  return value.filter((id): id is string => typeof id === 'string' && uuid.test(id));
}

function textIn(payload: unknown, name: string): string | null {
  const value = fieldOf(payload, name);
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : null;
}

function fieldOf(payload: unknown, name: string): unknown {
  return (payload as Record<string, unknown> | null)?.[name];
}
