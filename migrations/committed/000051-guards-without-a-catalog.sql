--! Previous: sha1:da52d196ec09e89f90dec1a3fbc354072fe9baf9
--! Hash: sha1:5423b60701d46a49b7b856d43443686080f685c2
--! Message: guards-without-a-catalog

--! split: 1-current.sql
-- A catalog of checks that shows nothing is told within minutes, not only at night.
set local role app_owner;

--! Included functions/health/check_guards.sql
-- Whether what protects the system is switched on, asked every few minutes: the catalogs of the database
-- are small. A run leaves its trace only when there is something to tell, or a known problem may be gone.
-- A check that cannot be asked is run, so that its failure is told; where the catalog shows none of them,
-- guards of the catalog itself are off, and the run refuses. Definer, because checks read what the
-- worker may not.
create or replace function app_private.check_guards()
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  names text[] := array(
    select entry.name from app_public.health_check as entry
    where entry.name in ('missing_guard', 'undeclared_access', 'unenforced_foreign_key')
    order by entry.name);
  each text;
  is_worth_a_run boolean;
  run app_public.check_run;
begin
  is_worth_a_run := names = '{}' or exists (
    select from app_public.finding
    where finding.hospital_id = app_private.machinery() and finding.check_name = any (names)
      and finding.resolved_at is null);
  foreach each in array names loop
    exit when is_worth_a_run;
    begin
      execute format('select exists (select from checks.%I as found where found.hospital_id = $1)', each)
      into is_worth_a_run using app_private.machinery();
    exception when others then
      is_worth_a_run := true;
    end;
  end loop;
  if not is_worth_a_run then
    return 0;
  end if;
  run := app_private.run_checks(app_private.machinery(), nullif(names, '{}'), 'event');
  return run.finding_count;
end
$$;

comment on function app_private.check_guards() is
  'Looks whether every guard is there and enabled, and remembers those that are not; returns how many.';

revoke execute on function app_private.check_guards() from public;
grant execute on function app_private.check_guards() to app_worker;
--! EndIncluded functions/health/check_guards.sql

select app_private.declare_guards();

reset role;
