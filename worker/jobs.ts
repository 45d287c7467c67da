import type { ClientBase } from 'pg';
import type { Payload, TaskName } from './payloads.ts';
import { portionsOf, portionsOfChange } from './portions.ts';
import type { Channel } from './transports/transport.ts';
import type { WebhookEvent } from './webhook-events.ts';

/** A job to be added: its payload is that of its task. */
export type NewJob = {
  [Name in TaskName]: {
    task: Name;
    payload: Payload<Name>;
    /**
     * A job that still waits under the same key is replaced, or joined where both payloads are lists; one
     * that runs already is not.
     */
    key: string;
    /** Higher numbers wait for lower ones; 0 unless told. */
    priority?: number;
    /** Not before this instant. */
    runAt?: Date;
    /** Jobs of one queue are done one after the other. */
    queue?: string;
    /** The run that was asked for, which this job is. */
    runId?: string;
  };
}[TaskName];

/** A run that somebody asked for and waits for, with the number of jobs that it has added. */
export interface AskedRun {
  readonly id: string;
  jobs: number;
}

/** Anything that runs SQL; inside a run that somebody asked for it knows so. */
export type Queryable = Pick<ClientBase, 'query'> & { readonly asked?: AskedRun };

/** Where the payload of a job names the run that it is, and the run that has added it. */
export const runKey = '_run';
export const addedByKey = '_added_by';

/**
 * Adds jobs to the queue, in the transaction of `db` where it has one. They are added in the order of
 * their keys, so that two who add the same ones wait for each other instead of blocking each other. Of
 * those with the same key only the last counts.
 */
export async function addJobs(db: Queryable, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return;
  const byKey = new Map(jobs.map((job) => [job.key, job]));
  const specs = [...byKey.values()]
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .map(({ task, payload, key, priority, queue, runAt, runId }) => ({
      identifier: task,
      payload: Array.isArray(payload)
        ? payload
        : {
            ...payload,
            ...(runId && { [runKey]: runId }),
            ...(db.asked && { [addedByKey]: db.asked.id }),
          },
      job_key: key,
      priority,
      queue_name: queue,
      run_at: runAt,
    }));
  await db.query(
    `select from graphile_worker.add_jobs(
       specs => array(
         select json_populate_recordset(null::graphile_worker.job_spec, $1::json)))`,
    [JSON.stringify(specs)],
  );
  if (db.asked) db.asked.jobs += specs.length;
}

/** The job that brings the slots of a doctor, or of a whole hospital, up to the booking horizon. */
export function generateSlotsJob(hospitalId: string, doctorId: string | null): NewJob {
  return {
    task: 'generate_slots',
    payload: { hospital_id: hospitalId, doctor_id: doctorId },
    key: ['generate_slots', hospitalId, doctorId].filter(Boolean).join(':'),
  };
}

/** The job that offers the free seats of a doctor to those who wait for them. */
export function offerSeatsJob(hospitalId: string, doctorId: string): NewJob {
  return {
    task: 'offer_seats',
    payload: { hospital_id: hospitalId, doctor_id: doctorId },
    key: `offer_seats:${hospitalId}:${doctorId}`,
  };
}

/** The job that sends the mails of the login of a hospital. */
export function sendMailJob(hospitalId: string): NewJob {
  return {
    task: 'send_outgoing_mail',
    payload: { hospital_id: hospitalId },
    key: `send_outgoing_mail:${hospitalId}`,
  };
}
/** The job that sends what is due of a channel of a hospital. */
export function sendDeliveriesJob(hospitalId: string, channel: Channel): NewJob {
  return {
    task: 'send_deliveries',
    payload: { hospital_id: hospitalId, channel },
    key: `send_deliveries:${hospitalId}:${channel}`,
  };
}

/** The job that tells of the health alerts of a hospital, or of the machinery. */
export function sendHealthAlertsJob(hospitalId: string): NewJob {
  return {
    task: 'send_health_alerts',
    payload: { hospital_id: hospitalId },
    key: `send_health_alerts:${hospitalId}`,
  };
}

// As many as a job's payload names.
const mostPlanned = 500;

/**
 * The jobs that plan the deliveries of these notifications. Their keys name what they are about, because
 * of two jobs with one key only the later would be done.
 */
export function planDeliveriesJobs(
  hospitalId: string,
  notificationIds: readonly string[],
): NewJob[] {
  return portionsOf([...new Set(notificationIds)], mostPlanned).map((portion) => ({
    task: 'plan_deliveries',
    payload: { hospital_id: hospitalId, notification_ids: portion },
    key: `plan_deliveries:${hospitalId}:${portion[0]}:${portion.length}`,
  }));
}

/**
 * The job that tells the systems of a hospital what is due. Receivers may hang, so these jobs have two
 * queues among all hospitals: they never take more than two of a worker's places from the other jobs.
 */
export function sendWebhooksJob(hospitalId: string): NewJob {
  return {
    task: 'send_webhooks',
    payload: { hospital_id: hospitalId },
    key: `send_webhooks:${hospitalId}`,
    queue: `webhooks_${Number.parseInt(hospitalId.at(-1) ?? '0', 16) % 2}`,
  };
}

/** The jobs that plan who is told of these events; see {@link planDeliveriesJobs} for their keys. */
export function planWebhooksJobs(hospitalId: string, events: readonly WebhookEvent[]): NewJob[] {
  return portionsOf(events, mostPlanned).map((portion) => ({
    task: 'plan_webhooks',
    payload: { hospital_id: hospitalId, events: portion },
    key: `plan_webhooks:${hospitalId}:${portion[0]?.outbox_id}:${portion.length}`,
  }));
}

/** What changed in a hospital, and has to be verified. */
export interface Changed {
  appointmentIds: ReadonlySet<string>;
  slotIds: ReadonlySet<string>;
  /** ISO, when the first of it changed. */
  changedAt: string;
  /** Names the batch: no two batches have the same. */
  batch: string;
}

/**
 * The job that verifies what changed, behind whatever somebody waits for. Changes that are verified at the
 * same later instant share one job: the queue joins the lists of their payloads.
 */
export function verifyChangesJob(hospitalId: string, changed: Changed, runAt?: Date): NewJob {
  const { appointmentIds, slotIds, changedAt, batch } = changed;
  const change = {
    hospital_id: hospitalId,
    appointment_ids: [...appointmentIds],
    slot_ids: [...slotIds],
    changed_at: changedAt,
  };
  return {
    task: 'verify_changes',
    payload: portionsOfChange(change, mostPlanned),
    key: ['verify_changes', hospitalId, runAt === undefined ? batch : `at-${runAt.getTime()}`].join(
      ':',
    ),
    priority: 5,
    ...(runAt && { runAt }),
  };
}
