-- For people and for monitors outside, who wait for the answer: one such run of a hospital at a time, for
-- the same question asked twice costs twice and tells nothing new. What the statement's timeout stops is
-- caught here, because only here it is known what to do instead; nothing of the run is kept then.
-- Definer, because the engine is granted to nobody; a request reaches its own hospital alone, and only a
-- caller without claims reaches all: an operator, or the server's role for machines with a key.
create or replace function app_private.run_wanted_checks(hospital_id uuid, check_names text[])
returns app_public.check_run
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  actor text := app_private.actor_role();
  run app_public.check_run;
begin
  perform app_private.guard_tenant(actor, hospital_id);
  perform app_private.guard_check_names(check_names);
  if not pg_try_advisory_xact_lock(hashtextextended(concat('checks of ', hospital_id), 0)) then
    perform app_private.refuse('checks_already_running');
  end if;

  begin
    run := app_private.run_checks(
      hospital_id => run_wanted_checks.hospital_id,
      check_names => run_wanted_checks.check_names,
      trigger => 'manual',
      requested_by => app_private.claim_account_id());
  exception
    when query_canceled then
      perform app_private.refuse('checks_took_too_long', jsonb_build_object('job', 'run_health_checks'));
  end;
  return run;
end
$$;

comment on function app_private.run_wanted_checks(uuid, text[]) is
  'Runs checks in a hospital, or in all when it is null, for somebody who waits; null names mean all checks.';

revoke execute on function app_private.run_wanted_checks(uuid, text[]) from public;
grant execute on function app_private.run_wanted_checks(uuid, text[]) to app_admin, app_scheduler;
