-- One check, of everything, of one hospital or of some entities of it: what its view returns is
-- remembered, and what it returns no more is resolved. The view is asked first, by itself: while all is
-- well that is all there is to do. Of a flood only the first ten thousand are remembered, and then
-- nothing is taken for resolved. A check that cannot be run must not keep the others from running: its
-- error is part of the outcome. It is planned for memory, and for pages that are in memory already, because
-- fifty checks read the same tables one after the other. Runs as the owner through the functions that call it.
create or replace function app_private.run_check(
  entry app_public.health_check, hospital_id uuid default null, entity_ids uuid[] default null,
  changed_at timestamptz default null)
returns app_private.check_outcome
language plpgsql volatile
set jit = off
set work_mem = '128MB'
set random_page_cost = 1
as $$
declare
  most constant integer := 10000;
  most_told constant integer := 100;
  told integer := 0;
  outcome app_private.check_outcome := row(0, 0, 0, 0, null);
  began timestamptz := clock_timestamp();
  looked_at timestamptz := app_private.check_instant();
  restriction text := concat_ws(' and ',
    case when hospital_id is not null then 'found.hospital_id = $1' end,
    case when entity_ids is not null then 'found.entity_id = any ($2)' end);
  seen app_private.check_row[];
  news app_public.finding[];
  gone uuid[];
  fresh app_public.finding;
begin
  begin
    execute format(
      'select array(select row(found.*)::app_private.check_row from checks.%I as found where %s limit %s)',
      entry.name, coalesce(nullif(restriction, ''), 'true'), most + 1)
    into seen using hospital_id, entity_ids;
    outcome.row_count := cardinality(seen);
    if outcome.row_count > most then
      execute format(
        'select count(*) from checks.%I as found where %s', entry.name, coalesce(nullif(restriction, ''), 'true'))
      into outcome.row_count using hospital_id, entity_ids;
    end if;
  exception when others then
    outcome.error := format('%s: %s', sqlstate, left(sqlerrm, 300));
  end;
  outcome.duration_ms := extract(epoch from clock_timestamp() - began) * 1000;
  if outcome.error is not null then
    perform app_private.log_health(
      coalesce(hospital_id, app_private.machinery()), 'check_run', 'error', entry.name, 'failed',
      format('The check %s could not be run: %s', entry.name, outcome.error));
    return outcome;
  end if;

  if outcome.row_count > 0 then
    news := app_private.remember_findings(seen[1:most], looked_at, changed_at);
    outcome.new_count := coalesce(cardinality(news), 0);
  end if;
  if outcome.row_count <= most then
    gone := app_private.resolve_findings(entry.name, hospital_id, entity_ids, seen, looked_at);
    outcome.resolved_count := coalesce(cardinality(gone), 0);
  end if;
  foreach fresh in array coalesce(news, '{}') loop
    told := told + 1;
    perform app_private.tell_of_finding(fresh, entry, told <= most_told);
  end loop;
  if told > most_told then
    perform app_private.log_health(
      fresh.hospital_id, 'finding', 'warning', entry.name, 'noted',
      format('%s more problems of this kind were found in this run.', told - most_told));
  end if;
  return outcome;
end
$$;

comment on function app_private.run_check(app_public.health_check, uuid, uuid[], timestamptz) is
  'Runs a check, of everything, of a hospital or of some entities of it, and remembers what it finds.';

revoke execute on function app_private.run_check(app_public.health_check, uuid, uuid[], timestamptz) from public;
