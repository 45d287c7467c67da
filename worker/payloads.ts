import { z } from 'zod';
import { channels } from './transports/transport.ts';

const id = z.guid('must be a uuid');
const word = z.string().regex(/^[a-z_]+$/, 'must be a state');
const webhookEvent = z.strictObject({
  /** Of the message in the outbox; the id of the event follows from it. */
  outbox_id: z.string().regex(/^\d{1,19}$/, 'must be a number'),
  event: z.string().regex(/^[a-z_]+\.[a-z_]+$/, 'must be an event'),
  appointment_id: id,
  doctor_id: id.nullable(),
  slot_id: id.nullable(),
  status: word,
  previous_status: word.nullable(),
  starts_at: z.string().max(40).nullable(),
  ends_at: z.string().max(40).nullable(),
  occurred_at: z.string().max(40),
});
const ofHospital = z.strictObject({ hospital_id: id });
/** What the job queue adds to a job of the crontab: for which minute it is. */
const ofCrontab = z.object({ _cron: z.object({ ts: z.iso.datetime() }) });

/**
 * What the payload of each task is, by the task's name: ids and instants, never data of a patient.
 * What adds a job is held to it by the compiler, what runs one checks it.
 */
export const payloadShapes = {
  archive_past_years: ofHospital,
  expire_lapsed_holds: ofHospital,
  expire_lapsed_requests: ofHospital,
  expire_waits: ofHospital,
  generate_slots: z.strictObject({ hospital_id: id, doctor_id: id.nullable() }),
  make_health_report: ofHospital,
  mark_no_shows: ofHospital,
  offer_seats: z.strictObject({ hospital_id: id, doctor_id: id }),
  plan_deliveries: z.strictObject({
    hospital_id: id,
    notification_ids: z.array(id).min(1).max(500),
  }),
  plan_night: ofCrontab,
  plan_webhooks: z.strictObject({
    hospital_id: id,
    events: z.array(webhookEvent).min(1).max(500),
  }),
  raise_stage_alerts: ofHospital,
  reconcile_health: ofHospital,
  remove_job_runs: ofHospital,
  remove_old_health: ofHospital,
  remove_old_log: ofHospital,
  remove_old_sessions: ofHospital,
  remove_old_webhooks: ofHospital,
  remove_read_notifications: ofHospital,
  report_unknown_topics: ofCrontab,
  run_health_checks: z.strictObject({
    hospital_id: id,
    trigger: z.enum(['manual', 'nightly']).default('manual'),
  }),
  send_health_alerts: ofHospital,
  send_health_digest: ofHospital,
  seal_audit: ofHospital,
  send_outgoing_mail: ofHospital,
  send_deliveries: z.strictObject({ hospital_id: id, channel: z.enum(channels) }),
  send_webhooks: ofHospital,
  sweep_audit: ofCrontab,
  sweep_deliveries: ofCrontab,
  sweep_guards: ofCrontab,
  sweep_health: ofCrontab,
  sweep_health_alerts: ofCrontab,
  sweep_lapsed_holds: ofCrontab,
  sweep_lapsed_requests: ofCrontab,
  sweep_no_shows: ofCrontab,
  sweep_stage_alerts: ofCrontab,
  sweep_outgoing_mail: ofCrontab,
  sweep_stuck_jobs: ofCrontab,
  send_reminders: ofHospital,
  sweep_reminders: ofCrontab,
  sweep_waitlist: ofCrontab,
  sweep_webhooks: ofCrontab,
  tidy_login: ofHospital,
  /** All of one hospital; a list, so that the queue can join what is verified together. */
  verify_changes: z.array(
    z.strictObject({
      hospital_id: id,
      appointment_ids: z.array(id).max(500),
      slot_ids: z.array(id).max(500),
      /** When the first of it changed. */
      changed_at: z.string().max(40),
    }),
  ),
  verify_audit: ofHospital,
};

/** Name of a background task. */
export type TaskName = keyof typeof payloadShapes;

/** What a job of this task is given. */
export type Payload<Name extends TaskName> = z.output<(typeof payloadShapes)[Name]>;

/** The payload of a job is not what its task needs; the message names every fault and no value. */
export class PayloadError extends Error {
  constructor(task: TaskName, faults: readonly string[]) {
    super(`The payload of this job of ${task} is not valid: ${faults.join('; ')}`);
    this.name = 'PayloadError';
  }
}

/** Checks a payload as it came from the queue. Throws {@link PayloadError}. */
export function readPayload<Name extends TaskName>(task: Name, payload: unknown): Payload<Name> {
  const parsed = payloadShapes[task].safeParse(payload);
  if (parsed.success) return parsed.data as Payload<Name>;
  const faults = parsed.error.issues.map(({ path, message }) =>
    [path.join('.'), message].filter(Boolean).join(' '),
  );
  throw new PayloadError(task, faults);
}
