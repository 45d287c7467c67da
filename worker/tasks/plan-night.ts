import { machinery } from '../job-run.ts';
import { addJobs, generateSlotsJob, type NewJob } from '../jobs.ts';
import type { Task } from './task.ts';

// Behind what somebody waits for.
const priority = 10;

/** Finds the hospitals where the night has come, and adds their nightly jobs. */
export const planNight: Task<'plan_night'> = async ({ _cron: { ts } }, { db }) => {
  const { rows } = await db.query<{ id: string }>(hospitalsAtNight, [ts]);
  const jobs = rows.flatMap(({ id }): NewJob[] => [
    { ...generateSlotsJob(id, null), priority },
    {
      task: 'remove_old_sessions',
      payload: { hospital_id: id },
      key: `remove_old_sessions:${id}`,
      priority,
    },
    {
      task: 'remove_read_notifications',
      payload: { hospital_id: id },
      key: `remove_read_notifications:${id}`,
      priority,
    },
    {
      task: 'remove_old_webhooks',
      payload: { hospital_id: id },
      key: `remove_old_webhooks:${id}`,
      priority,
    },
    {
      task: 'make_health_report',
      payload: { hospital_id: id },
      key: `make_health_report:${id}`,
      priority,
    },
    removeJobRunsJob(id),
    removeOldLogJob(id),
    {
      task: 'tidy_login',
      payload: { hospital_id: id },
      key: `tidy_login:${id}`,
      priority,
    },
    {
      task: 'archive_past_years',
      payload: { hospital_id: id },
      key: `archive_past_years:${id}`,
      priority: priority + 1,
    },
    ...healthJobs(id),
  ]);
  // The machinery's own night is that of UTC.
  if (new Date(ts).getUTCHours() === 2) {
    jobs.push(removeJobRunsJob(machinery), removeOldLogJob(machinery), ...healthJobs(machinery));
  }
  await addJobs(db, jobs);
  return { items: rows.length };
};

/** The audit looks at what the night has left: it comes behind the other nightly jobs. */
function healthJobs(id: string): NewJob[] {
  return [
    {
      task: 'remove_old_health',
      payload: { hospital_id: id },
      key: `remove_old_health:${id}`,
      priority,
    },
    {
      task: 'run_health_checks',
      payload: { hospital_id: id, trigger: 'nightly' },
      key: `run_health_checks:${id}`,
      priority: priority + 2,
    },
  ];
}

function removeJobRunsJob(id: string): NewJob {
  return {
    task: 'remove_job_runs',
    payload: { hospital_id: id },
    key: `remove_job_runs:${id}`,
    priority,
  };
}

function removeOldLogJob(id: string): NewJob {
  return {
    task: 'remove_old_log',
    payload: { hospital_id: id },
    key: `remove_old_log:${id}`,
    priority,
  };
}

// The hour that a run stands for is the one before its minute in the crontab, so that a run that comes
// late finds the same hospitals. 02:00 is made an instant first: where the clocks jump over it the day
// still has one such instant, and where they show it twice still one.
const hospitalsAtNight = `
  select hospital.id
    from app_public.hospital
   cross join lateral (
     select $1::timestamptz + (app_private.clock() - now()) as at) as run
   cross join lateral (
     select ((run.at at time zone hospital.time_zone)::date + time '02:00')
       at time zone hospital.time_zone as at) as night
   where night.at > run.at - interval '1 hour' and night.at <= run.at`;
