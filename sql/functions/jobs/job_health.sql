-- What the tables know of the jobs of one hospital, or of the machinery, judged as of now: a run that
-- gives no sign of life counts as failed at once, also before the sweep has marked it. Each job costs a
-- look at its state, at most 168 hours and ten runs, by key. Definer, because it tells of the workers and
-- of the machinery, which no admin may read; a request learns of its own hospital and of the machinery.
create or replace function app_private.job_health(hospital_id uuid)
returns setof app_public.job_health
language plpgsql stable security definer
set search_path = ''
as $$
declare
  machinery uuid := app_private.machinery();
  claimed uuid := app_private.claim_hospital_id();
  serves_all boolean := hospital_id = machinery;
  is_open boolean;
  alive boolean;
  since timestamptz;
  first_worker timestamptz;
  utc constant text := 'YYYY-MM-DD HH24:MI:SS "UTC"';
begin
  if claimed is not null and not serves_all then
    perform app_private.guard_tenant(app_private.actor_role(), hospital_id);
  end if;

  select (app_private.clock() at time zone hospital.time_zone)::time >= hospital.no_show_window_start
    and (app_private.clock() at time zone hospital.time_zone)::time < hospital.no_show_window_end
  into is_open
  from app_public.hospital
  where hospital.id = case when serves_all then claimed else job_health.hospital_id end;

  select coalesce(bool_or(beat.beaten_at > now() - interval '60 seconds'), false), max(beat.beaten_at), min(beat.started_at)
  into alive, since, first_worker
  from app_private.worker_heartbeat as beat;
  if not alive then
    select greatest(since, max(job_state.last_finished_at)) into since
    from app_private.job_state
    where job_state.hospital_id = machinery;
  end if;

  return query
  select
    entry.name,
    entry.description,
    entry.is_of_hospital,
    judged.healthy,
    case
      when not alive and since is null then 'No worker has run yet.'
      when not alive then format('No worker has run since %s.', to_char(since at time zone 'UTC', utc))
      when open.silent > 0 then format(
        'A run has given no sign of life since %s.', to_char(open.silent_since at time zone 'UTC', utc))
      when judged.failures >= 3 then format('The last %s runs failed. %s', judged.failures, coalesce(state.last_error, ''))
      when judged.overdue and state.job is null then format('Overdue: it should run every %s and has never run.', entry.expected_interval)
      when judged.overdue then format(
        'Overdue: it should run every %s and last began at %s.',
        entry.expected_interval, to_char(state.last_started_at at time zone 'UTC', utc))
      when open.live > 0 then 'It is running.'
      when judged.failures > 0 then format(
        'It failed %s, and is tried again. %s',
        case judged.failures when 1 then 'once' else 'twice' end, coalesce(state.last_error, ''))
      when state.job is null then 'It has not run yet.'
      else format('It last succeeded at %s.', to_char(state.last_success_at at time zone 'UTC', utc))
    end,
    is_open,
    open.live > 0,
    greatest(state.last_started_at, open.began),
    case when open.silent > 0 then 'stuck' when open.live > 0 then 'running' else state.last_outcome end,
    state.last_error,
    judged.failures,
    state.last_success_at,
    state.last_success_ms,
    state.last_success_items,
    totals.day_runs,
    totals.day_failures,
    round((totals.day_runs - totals.day_failures)::numeric / nullif(totals.day_runs, 0), 4),
    totals.week_runs,
    totals.week_failures,
    round((totals.week_runs - totals.week_failures)::numeric / nullif(totals.week_runs, 0), 4),
    entry.expected_interval,
    -- The crontab counts from midnight UTC, in parts of a day.
    date_bin(entry.expected_interval, now(), timestamptz '2000-01-01 00:00:00+00') + entry.expected_interval,
    judged.overdue,
    entry.is_manual,
    array(
      select row(
        job_run.id, job_run.started_by, job_run.outcome, job_run.started_at, job_run.duration_ms, job_run.items,
        job_run.error)::app_public.job_run_summary
      from app_public.job_run
      where job_run.hospital_id = job_health.hospital_id and job_run.job = entry.name
      order by job_run.created_at desc
      limit 10)
  from app_public.job as entry
  left join app_private.job_state as state
    on state.hospital_id = job_health.hospital_id and state.job = entry.name
  cross join lateral (
    select count(*) filter (where signs.is_silent) as silent,
      count(*) filter (where not signs.is_silent and signs.started_at is not null) as live,
      min(signs.seen_at) filter (where signs.is_silent) as silent_since,
      max(signs.started_at) as began
    from (
      select job_run.started_at, coalesce(job_run.heartbeat_at, job_run.created_at) as seen_at,
        coalesce(job_run.heartbeat_at, job_run.created_at) < now() - entry.stuck_after as is_silent
      from app_public.job_run
      where job_run.hospital_id = job_health.hospital_id and job_run.job = entry.name
        and job_run.outcome in ('waiting', 'running')) as signs) as open
  cross join lateral (
    select coalesce(sum(job_hour.runs), 0)::integer as week_runs,
      coalesce(sum(job_hour.failures), 0)::integer as week_failures,
      coalesce(sum(job_hour.runs) filter (where job_hour.hour > now() - interval '24 hours'), 0)::integer as day_runs,
      coalesce(sum(job_hour.failures) filter (where job_hour.hour > now() - interval '24 hours'), 0)::integer as day_failures
    from app_private.job_hour
    where job_hour.hospital_id = job_health.hospital_id and job_hour.job = entry.name
      and job_hour.hour > now() - interval '7 days') as totals
  cross join lateral (
    select coalesce(state.consecutive_failures, 0) + open.silent::integer as failures,
      -- Of a job that has never run: since the oldest worker came. Two runs may be missed and a minute.
      entry.expected_interval is not null
        and open.live = 0
        and not coalesce(
          coalesce(greatest(state.last_started_at, open.began), first_worker)
            + 2 * entry.expected_interval + interval '1 minute' > now(),
          false) as overdue) as facts
  cross join lateral (
    select facts.failures, facts.overdue,
      alive and not facts.overdue and open.silent = 0 and facts.failures < 3 as healthy) as judged
  where entry.is_of_hospital <> serves_all
  order by entry.expected_interval is null, entry.name;
end
$$;

comment on function app_private.job_health(uuid) is
  'How the jobs of a hospital do, or under the hospital of noughts those that serve all.';

revoke execute on function app_private.job_health(uuid) from public;
grant execute on function app_private.job_health(uuid) to app_admin, app_monitor;
