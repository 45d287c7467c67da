import type { Pool } from 'pg';
import { withTransaction } from '../../platform/pool.ts';

export type Severity = 'info' | 'warning' | 'critical';

/** What runs of checks remember, for monitoring outside: counts and names of hospitals, nothing of theirs. */
export type HealthState = {
  /** Critical when something critical is open; degraded when a warning is, or nobody has looked lately. */
  status: 'healthy' | 'degraded' | 'critical';
  /** Whether there is a hospital for more than 26 hours, and no run by the clock in that time. */
  isStale: boolean;
  openFindings: Record<Severity, number>;
  ignoredFindings: number;
  /** When the oldest open finding was found first; null when none is open. */
  oldestOpenAt: string | null;
  checks: CheckState[];
  /** When checks last ran, by what set them off; null: never, or longer ago than runs are kept. */
  lastRuns: Record<'nightly' | 'hourly' | 'event' | 'manual', string | null>;
};

/** The open findings of one check. */
export type CheckState = {
  check: string;
  severity: Severity;
  count: number;
  oldestOpenAt: string;
  /** Without slug and id: of the whole system. */
  hospitals: { slug: string | null; id: string | null; count: number }[];
};

type CountRow = {
  check_name: string;
  severity: Severity;
  slug: string | null;
  hospital_id: string | null;
  open_count: number;
  ignored_count: number;
  oldest_open_at: Date | null;
};
type RunRow = { trigger: keyof HealthState['lastRuns']; finished_at: Date; is_late: boolean };

/** Reads it with the rights of those who watch, which see no hospital's rows. */
export async function readHealthState(pool: Pool, requestId: string): Promise<HealthState> {
  return withTransaction(
    pool,
    { role: 'app_monitor', transaction_read_only: 'on', 'claims.request_id': requestId },
    async (client) => {
      const counts = await client.query<CountRow>(
        `select finding.check_name, finding.severity, hospital.slug, hospital.id as hospital_id,
           (count(*) filter (where state.is_open))::integer as open_count,
           (count(*) filter (where not state.is_open))::integer as ignored_count,
           min(finding.first_seen_at) filter (where state.is_open) as oldest_open_at
         from app_public.finding
         left join app_public.hospital on hospital.id = finding.hospital_id
         cross join (select app_private.clock() as moment) as clock
         cross join lateral (
           select finding.ignored_at is null or coalesce(finding.ignored_until <= clock.moment, false) as is_open
         ) as state
         where finding.resolved_at is null
         group by finding.check_name, finding.severity, hospital.slug, hospital.id
         order by finding.severity desc, open_count desc, finding.check_name, hospital.slug`,
      );
      const runs = await client.query<RunRow>(
        `select check_run.trigger, max(check_run.finished_at) as finished_at,
           max(check_run.finished_at) < app_private.clock() - interval '26 hours' as is_late
         from app_public.check_run
         where check_run.failed_checks = '{}' or check_run.trigger = 'event'
         group by check_run.trigger`,
      );
      const { rows: old } = await client.query<{ is_old: boolean }>(
        "select exists (select from app_public.hospital where created_at < app_private.clock() - interval '26 hours') as is_old",
      );
      // Where the first night is still to come nobody is late.
      return stateOf(counts.rows, runs.rows, old[0]?.is_old ?? false);
    },
  );
}

function stateOf(
  counts: readonly CountRow[],
  runs: readonly RunRow[],
  isOld: boolean,
): HealthState {
  const open: Record<Severity, number> = { critical: 0, warning: 0, info: 0 };
  const checks = new Map<string, CheckState>();
  let ignored = 0;
  let oldest: Date | null = null;
  for (const row of counts) {
    ignored += row.ignored_count;
    if (row.oldest_open_at === null) continue;
    open[row.severity] += row.open_count;
    oldest = earlier(oldest, row.oldest_open_at);
    const known = checks.get(row.check_name);
    const state = known ?? {
      check: row.check_name,
      severity: row.severity,
      count: 0,
      oldestOpenAt: row.oldest_open_at.toISOString(),
      hospitals: [],
    };
    state.count += row.open_count;
    state.oldestOpenAt = earlier(new Date(state.oldestOpenAt), row.oldest_open_at).toISOString();
    state.hospitals.push({ slug: row.slug, id: row.hospital_id, count: row.open_count });
    checks.set(row.check_name, state);
  }
  // Events verify what changes, and people look at what they like: only the clock looks at everything.
  const isStale =
    isOld &&
    !runs.some(
      ({ trigger, is_late }) => (trigger === 'nightly' || trigger === 'hourly') && !is_late,
    );
  const lastOf = (trigger: string) =>
    runs.find((run) => run.trigger === trigger)?.finished_at.toISOString() ?? null;
  return {
    status: statusOf(open, isStale),
    isStale,
    openFindings: open,
    ignoredFindings: ignored,
    oldestOpenAt: oldest?.toISOString() ?? null,
    checks: [...checks.values()],
    lastRuns: {
      nightly: lastOf('nightly'),
      hourly: lastOf('hourly'),
      event: lastOf('event'),
      manual: lastOf('manual'),
    },
  };
}

function statusOf(open: Record<Severity, number>, isStale: boolean): HealthState['status'] {
  if (open.critical > 0) return 'critical';
  return open.warning > 0 || isStale ? 'degraded' : 'healthy';
}

function earlier(one: Date | null, other: Date): Date {
  return one !== null && one < other ? one : other;
}
