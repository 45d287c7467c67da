import type { TaskList } from 'graphile-worker';
import { z } from 'zod';
import type { Log } from '../platform/log.ts';
import { createRecorder, type JobOnRecord, machinery, type Recorder } from './job-run.ts';
import { addedByKey, runKey } from './jobs.ts';
import { readPayload, type TaskName } from './payloads.ts';
import type { RunTally } from './run-tally.ts';
import { archivePastYears } from './tasks/archive-past-years.ts';
import { expireLapsedHolds } from './tasks/expire-lapsed-holds.ts';
import { expireLapsedRequests } from './tasks/expire-lapsed-requests.ts';
import { expireWaits } from './tasks/expire-waits.ts';
import { generateSlots } from './tasks/generate-slots.ts';
import { makeHealthReport } from './tasks/make-health-report.ts';
import { markNoShows } from './tasks/mark-no-shows.ts';
import { offerSeats } from './tasks/offer-seats.ts';
import { planDeliveries } from './tasks/plan-deliveries.ts';
import { planNight } from './tasks/plan-night.ts';
import { planWebhooks } from './tasks/plan-webhooks.ts';
import { raiseStageAlerts } from './tasks/raise-stage-alerts.ts';
import { reconcileHealth } from './tasks/reconcile-health.ts';
import { removeJobRuns } from './tasks/remove-job-runs.ts';
import { removeOldHealth } from './tasks/remove-old-health.ts';
import { removeOldLog } from './tasks/remove-old-log.ts';
import { removeOldSessions } from './tasks/remove-old-sessions.ts';
import { removeOldWebhooks } from './tasks/remove-old-webhooks.ts';
import { removeReadNotifications } from './tasks/remove-read-notifications.ts';
import { reportUnknownTopics } from './tasks/report-unknown-topics.ts';
import { runHealthChecks } from './tasks/run-health-checks.ts';
import { sealAudit } from './tasks/seal-audit.ts';
import { sendDeliveries } from './tasks/send-deliveries.ts';
import { sendHealthAlerts } from './tasks/send-health-alerts.ts';
import { sendHealthDigest } from './tasks/send-health-digest.ts';
import { sendOutgoingMail } from './tasks/send-outgoing-mail.ts';
import { sendReminders } from './tasks/send-reminders.ts';
import { sendWebhooks } from './tasks/send-webhooks.ts';
import { sweepAudit } from './tasks/sweep-audit.ts';
import { sweepDeliveries } from './tasks/sweep-deliveries.ts';
import { sweepGuards } from './tasks/sweep-guards.ts';
import { sweepHealth } from './tasks/sweep-health.ts';
import { sweepHealthAlerts } from './tasks/sweep-health-alerts.ts';
import { sweepLapsedHolds } from './tasks/sweep-lapsed-holds.ts';
import { sweepLapsedRequests } from './tasks/sweep-lapsed-requests.ts';
import { sweepNoShows } from './tasks/sweep-no-shows.ts';
import { sweepOutgoingMail } from './tasks/sweep-outgoing-mail.ts';
import { sweepReminders } from './tasks/sweep-reminders.ts';
import { sweepStageAlerts } from './tasks/sweep-stage-alerts.ts';
import { sweepStuckJobs } from './tasks/sweep-stuck-jobs.ts';
import { sweepWaitlist } from './tasks/sweep-waitlist.ts';
import { sweepWebhooks } from './tasks/sweep-webhooks.ts';
import type { Surroundings, Task } from './tasks/task.ts';
import { tidyLogin } from './tasks/tidy-login.ts';
import { verifyAudit } from './tasks/verify-audit.ts';
import { verifyChanges } from './tasks/verify-changes.ts';

/** Every task by its name; the compiler holds the list against the payloads in both directions. */
export const tasks: { readonly [Name in TaskName]: Task<Name> } = {
  archive_past_years: archivePastYears,
  expire_lapsed_holds: expireLapsedHolds,
  expire_lapsed_requests: expireLapsedRequests,
  expire_waits: expireWaits,
  generate_slots: generateSlots,
  make_health_report: makeHealthReport,
  mark_no_shows: markNoShows,
  offer_seats: offerSeats,
  plan_deliveries: planDeliveries,
  plan_night: planNight,
  plan_webhooks: planWebhooks,
  raise_stage_alerts: raiseStageAlerts,
  reconcile_health: reconcileHealth,
  remove_job_runs: removeJobRuns,
  remove_old_health: removeOldHealth,
  remove_old_log: removeOldLog,
  remove_old_sessions: removeOldSessions,
  remove_old_webhooks: removeOldWebhooks,
  remove_read_notifications: removeReadNotifications,
  report_unknown_topics: reportUnknownTopics,
  run_health_checks: runHealthChecks,
  seal_audit: sealAudit,
  send_health_alerts: sendHealthAlerts,
  send_health_digest: sendHealthDigest,
  send_outgoing_mail: sendOutgoingMail,
  send_deliveries: sendDeliveries,
  send_webhooks: sendWebhooks,
  sweep_audit: sweepAudit,
  sweep_deliveries: sweepDeliveries,
  sweep_guards: sweepGuards,
  sweep_health: sweepHealth,
  sweep_health_alerts: sweepHealthAlerts,
  sweep_lapsed_holds: sweepLapsedHolds,
  sweep_lapsed_requests: sweepLapsedRequests,
  sweep_no_shows: sweepNoShows,
  sweep_stage_alerts: sweepStageAlerts,
  sweep_outgoing_mail: sweepOutgoingMail,
  sweep_stuck_jobs: sweepStuckJobs,
  send_reminders: sendReminders,
  sweep_reminders: sweepReminders,
  sweep_waitlist: sweepWaitlist,
  sweep_webhooks: sweepWebhooks,
  tidy_login: tidyLogin,
  verify_audit: verifyAudit,
  verify_changes: verifyChanges,
};

/**
 * The tasks as the job queue runs them: payloads are checked, then the work is done, and every run leaves
 * its record.
 */
export function createTaskList(
  log: Log,
  surroundings: Surroundings,
  { beatMs, tally }: { beatMs?: number; tally?: RunTally } = {},
): TaskList {
  const names = Object.keys(tasks) as TaskName[];
  const recorder = createRecorder(log, beatMs, tally);
  return Object.fromEntries(
    names.map((name) => [name, runnable(name, log, recorder, surroundings)]),
  );
}

function runnable<Name extends TaskName>(
  name: Name,
  log: Log,
  recorder: Recorder,
  surroundings: Surroundings,
): TaskList[string] {
  const task = tasks[name] as Task<Name>;
  return async (given, helpers) => {
    const { job, rest } = readJob(name, given);
    const taskLog = log.child({ task: name, job_id: helpers.job.id });
    await recorder.record(job, helpers, async (db) =>
      task(readPayload(name, rest), { ...surroundings, db, log: taskLog }),
    );
  };
}

/** Takes from a payload what is for the record. A payload that is not valid is a run that fails. */
function readJob(name: TaskName, given: unknown): { job: JobOnRecord; rest: unknown } {
  const { [runKey]: runId, [addedByKey]: addedBy, ...rest } = fieldsOf(given);
  const hospital = z.guid().safeParse(fieldsOf(Array.isArray(given) ? given[0] : rest).hospital_id);
  return {
    job: {
      name,
      hospitalId: hospital.data ?? machinery,
      startedBy: '_cron' in rest ? 'cron' : 'event',
      runId: z.guid().safeParse(runId).data ?? null,
      addedBy: z.guid().safeParse(addedBy).data ?? null,
    },
    rest: Array.isArray(given) ? given : rest,
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return Object(value);
}
