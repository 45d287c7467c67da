-- The file of a check says here what its view is for, so that a check is one file. Only migrations call
-- it: what stands in a catalog that requests could write would be no check at all.
create or replace function app_private.declare_check(
  name text, domain text, severity text, entity_type text, title text, meaning text, importance text, resolution text,
  repair text default null, remedy text default null, is_event_driven boolean default false)
returns void
language plpgsql
as $$
begin
  insert into app_public.health_check (
    name, domain, severity, entity_type, title, meaning, importance, resolution, remedy, repair, is_event_driven)
  values (
    declare_check.name, declare_check.domain, declare_check.severity::app_public.check_severity, declare_check.entity_type,
    declare_check.title, declare_check.meaning, declare_check.importance, declare_check.resolution,
    coalesce(declare_check.remedy, case when declare_check.repair is null then 'review' else 'repair' end)::app_public.check_remedy,
    declare_check.repair, declare_check.is_event_driven)
  on conflict on constraint health_check_pkey do update
  set domain = excluded.domain,
      severity = excluded.severity,
      entity_type = excluded.entity_type,
      title = excluded.title,
      meaning = excluded.meaning,
      importance = excluded.importance,
      resolution = excluded.resolution,
      remedy = excluded.remedy,
      repair = excluded.repair,
      is_event_driven = excluded.is_event_driven;
end
$$;

comment on function app_private.declare_check(text, text, text, text, text, text, text, text, text, text, boolean) is
  'Writes the row of a check in the catalog; the file of each check ends with it.';

revoke execute on function app_private.declare_check(text, text, text, text, text, text, text, text, text, text, boolean) from public;
