import type { TaskList } from 'graphile-worker';
import type { Log } from '../platform/log.ts';
import { type Payload, readPayload, type TaskName } from './payloads.ts';
import { archivePastYears } from './tasks/archive-past-years.ts';
import { expireLapsedHolds } from './tasks/expire-lapsed-holds.ts';
import { expireLapsedRequests } from './tasks/expire-lapsed-requests.ts';
import { expireWaits } from './tasks/expire-waits.ts';
import { generateSlots } from './tasks/generate-slots.ts';
import { offerSeats } from './tasks/offer-seats.ts';
import { planNight } from './tasks/plan-night.ts';
import { removeOldSessions } from './tasks/remove-old-sessions.ts';
import { removeReadNotifications } from './tasks/remove-read-notifications.ts';
import { reportUnknownTopics } from './tasks/report-unknown-topics.ts';
import { sendReminders } from './tasks/send-reminders.ts';
import { sweepLapsedHolds } from './tasks/sweep-lapsed-holds.ts';
import { sweepLapsedRequests } from './tasks/sweep-lapsed-requests.ts';
import { sweepReminders } from './tasks/sweep-reminders.ts';
import { sweepWaitlist } from './tasks/sweep-waitlist.ts';
import type { Task } from './tasks/task.ts';

/** Every task by its name; the compiler holds the list against the payloads in both directions. */
export const tasks: { readonly [Name in TaskName]: Task<Name> } = {
  archive_past_years: archivePastYears,
  expire_lapsed_holds: expireLapsedHolds,
  expire_lapsed_requests: expireLapsedRequests,
  expire_waits: expireWaits,
  generate_slots: generateSlots,
  offer_seats: offerSeats,
  plan_night: planNight,
  remove_old_sessions: removeOldSessions,
  remove_read_notifications: removeReadNotifications,
  report_unknown_topics: reportUnknownTopics,
  send_reminders: sendReminders,
  sweep_lapsed_holds: sweepLapsedHolds,
  sweep_lapsed_requests: sweepLapsedRequests,
  sweep_reminders: sweepReminders,
  sweep_waitlist: sweepWaitlist,
};

/** The tasks as the job queue runs them: payloads are checked, then the work is done. */
export function createTaskList(log: Log): TaskList {
  const names = Object.keys(tasks) as TaskName[];
  return Object.fromEntries(names.map((name) => [name, runnable(name, log)]));
}

function runnable<Name extends TaskName>(name: Name, log: Log): TaskList[string] {
  const task = tasks[name] as Task<Name>;
  return async (given, { job, withPgClient }) => {
    const payload: Payload<Name> = readPayload(name, given);
    await withPgClient((db) =>
      task(payload, { db, log: log.child({ task: name, job_id: job.id }) }),
    );
  };
}
