-- checks.all_findings is made from the catalog, so that no list of checks has to be kept by hand.
-- Migrations call it after the last check they declare.
create or replace function app_private.unite_checks()
returns void
language plpgsql
as $$
declare
  parts text;
begin
  select string_agg(format('select * from checks.%I', entry.name), ' union all ' order by entry.domain, entry.name)
  into parts
  from app_public.health_check as entry;
  execute 'create or replace view checks.all_findings as ' || coalesce(parts, $nothing$
    select null::uuid as hospital_id, null::text as check_name, null::app_public.check_severity as severity,
      null::text as entity_type, null::uuid as entity_id, null::text as detail, null::jsonb as metadata,
      null::text as cache_key
    where false$nothing$);
end
$$;

comment on function app_private.unite_checks() is 'Makes checks.all_findings anew from the catalog of checks.';

revoke execute on function app_private.unite_checks() from public;
