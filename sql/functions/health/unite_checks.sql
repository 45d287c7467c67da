-- checks.all_findings is made from the catalog, so that no list of checks has to be kept by hand; so is the
-- one query that asks all event-driven checks about a few entities. That query is planned once in a session
-- and not for every change: planning so many views takes a hundred times as long as looking at a few rows.
-- Migrations call it after the last check they declare.
create or replace function app_private.unite_checks()
returns void
language plpgsql
as $$
declare
  all_checks text;
  event_driven text;
  nothing constant text := 'select null::uuid, null::text, null::app_public.check_severity, null::text, null::uuid, null::text, null::jsonb, null::text where false';
begin
  select string_agg(format('select * from checks.%I', entry.name), ' union all ' order by entry.domain, entry.name),
    string_agg(
      format('select * from checks.%I as found where found.hospital_id = look_at_entities.hospital_id and found.entity_id = any (look_at_entities.%I)',
        entry.name, entry.entity_type || '_ids'),
      ' union all ' order by entry.domain, entry.name)
      filter (where entry.is_event_driven and entry.entity_type in ('appointment', 'slot', 'doctor', 'patient'))
  into all_checks, event_driven
  from app_public.health_check as entry;
  execute 'create or replace view checks.all_findings (hospital_id, check_name, severity, entity_type, entity_id, detail, metadata, cache_key) as '
    || coalesce(all_checks, nothing);
  execute format($made$
    create or replace function app_private.look_at_entities(
      hospital_id uuid, appointment_ids uuid[], slot_ids uuid[], doctor_ids uuid[], patient_ids uuid[])
    returns setof app_private.check_row
    language plpgsql stable
    set plan_cache_mode = force_generic_plan
    set jit = off
    as $body$ begin return query %s; end $body$ $made$, coalesce(event_driven, nothing));
end
$$;

comment on function app_private.unite_checks() is
  'Makes checks.all_findings and look_at_entities anew from the catalog of checks.';

revoke execute on function app_private.unite_checks() from public;
