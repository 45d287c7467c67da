--! Previous: sha1:5423b60701d46a49b7b856d43443686080f685c2
--! Hash: sha1:cef48db841865a0943e2b57265d5bc6e2dc9277e
--! Message: ignored-until-now

--! split: 1-current.sql
-- What was ignored until a time that has passed is told again.
set local role app_owner;

--! Included functions/health/recheck_findings.sql
-- The checks that know of a problem in a hospital, run again: what has resolved itself is known within the
-- hour, and what is repaired next was there a moment ago. What is still there and was ignored until a time
-- that has passed counts again, and people are told as of something new (follow_ignoring). Definer, because
-- the worker reads no finding.
create or replace function app_private.recheck_findings(hospital_id uuid)
returns app_public.check_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  names text[];
  run app_public.check_run;
begin
  select array_agg(distinct finding.check_name) into names
  from app_public.finding
  where finding.hospital_id = recheck_findings.hospital_id and finding.resolved_at is null;
  if names is null then
    return null;
  end if;
  run := app_private.run_checks(hospital_id, names, 'hourly');
  perform app_private.set_finding_noticed(due.hospital_id, due.id)
  from (
    select finding.hospital_id, finding.id
    from app_public.finding
    where finding.hospital_id = recheck_findings.hospital_id and finding.resolved_at is null
      and finding.ignored_until <= app_private.clock()
    order by finding.id
  ) as due;
  return run;
end
$$;

comment on function app_private.recheck_findings(uuid) is
  'Runs the checks again that know of an open problem in a hospital, and lets count what was ignored until now; returns the run, or null when there is none.';

revoke execute on function app_private.recheck_findings(uuid) from public;
grant execute on function app_private.recheck_findings(uuid) to app_worker;
--! EndIncluded functions/health/recheck_findings.sql

select app_private.declare_guards();

reset role;
