-- A run of checks, of all hospitals or of one. Checks of the whole system find nothing in a hospital, so
-- that a hospital's run leaves them out. Guards come first: where one is off, the other checks tell what
-- came of it. A catalog that shows no check would let every run end well: that is refused. Definer, because checks read every table; who may ask is decided by the doors to it.
create or replace function app_private.run_checks(
  hospital_id uuid, check_names text[], trigger app_public.check_trigger, requested_by uuid default null)
returns app_public.check_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  run app_public.check_run;
  entry app_public.health_check;
  outcome app_private.check_outcome;
  results app_public.check_result[] := array[]::app_public.check_result[];
begin
  run.hospital_id := coalesce(run_checks.hospital_id, app_private.machinery());
  run.id := app_private.new_id();
  run.trigger := run_checks.trigger;
  run.requested_by := run_checks.requested_by;
  run.check_names := '{}';
  run.failed_checks := '{}';
  run.started_at := app_private.check_instant();
  run.finding_count := 0;
  run.new_count := 0;
  run.resolved_count := 0;

  for entry in
    select * from app_public.health_check as declared
    where (run_checks.check_names is null or declared.name = any (run_checks.check_names))
    order by declared.domain <> 'references', declared.domain, declared.name
  loop
    outcome := app_private.run_check(entry, run_checks.hospital_id);
    run.check_names := run.check_names || entry.name;
    if outcome.error is not null then
      run.failed_checks := run.failed_checks || entry.name;
    end if;
    run.finding_count := run.finding_count + outcome.row_count;
    run.new_count := run.new_count + outcome.new_count;
    run.resolved_count := run.resolved_count + outcome.resolved_count;
    results := results || row(
      run.hospital_id, run.id, entry.name, outcome.row_count, outcome.duration_ms, outcome.error)::app_public.check_result;
  end loop;

  if run.check_names = '{}' and cardinality(run_checks.check_names) is distinct from 0 then
    perform app_private.refuse('no_checks');
  end if;

  run.finished_at := app_private.check_instant();
  run.duration_ms := extract(epoch from run.finished_at - run.started_at) * 1000;
  insert into app_public.check_run select run.*;
  insert into app_public.check_result select result.* from unnest(results) as result;
  perform app_private.log_health(
    run.hospital_id, 'check_run', case when run.failed_checks <> '{}' then 'error' else 'info' end::app_public.log_level,
    run.trigger::text,
    case when run.failed_checks <> '{}' then 'failed' else 'succeeded' end,
    format('%s checks found %s problems, %s of them new; %s are gone.',
      cardinality(run.check_names), run.finding_count, run.new_count, run.resolved_count),
    details => jsonb_build_object('check_run_id', run.id, 'failed_checks', run.failed_checks),
    duration_ms => run.duration_ms);
  return run;
end
$$;

comment on function app_private.run_checks(uuid, text[], app_public.check_trigger, uuid) is
  'Runs these checks (null: all) in a hospital (null: everywhere), remembers what they find, and returns the run.';

revoke execute on function app_private.run_checks(uuid, text[], app_public.check_trigger, uuid) from public;
grant execute on function app_private.run_checks(uuid, text[], app_public.check_trigger, uuid) to app_worker;
