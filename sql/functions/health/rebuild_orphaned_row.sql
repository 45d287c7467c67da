-- The check of references is made from the catalog, so that no foreign key is forgotten: a branch a table,
-- which is read once and joined with everything that it refers to, and one more for each column that is
-- mostly null and has an index of the rest; a full run hashes, a run for one row goes by keys. What another
-- reference proves is looked at only where that one leads nowhere: of a hospital that is gone its doctors
-- are told, not their million visits. Some references have no foreign key on purpose: medical records and
-- the log of no-shows outlive the visit, which moves to the archive; the logs outlive what they tell of, but
-- not their hospital, and hospitals are found by skipping through the index. A row without a uuid goes by a
-- digest of its key, for keys may be secret. A table or foreign key that is about to be dropped is left out:
-- the view would hold it. Definer, so that the view is the owner's whoever migrates.
create or replace function app_private.rebuild_orphaned_row(
  without_table text default null, without_constraint text default null)
returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  child record;
  branches text[] := array[]::text[];
  archived constant text := $query$
    select child.hospital_id, %1$L::text as entity_type, child.id as entity_id, %2$L::text as reference, 'appointment'::text as target,
      child.id::text as row_key, jsonb_build_object('appointment_id', child.appointment_id) as row_columns
    from app_public.%1$I as child
    where not exists (
        select from app_public.appointment as target
        where target.hospital_id = child.hospital_id and target.id = child.appointment_id)
      and not exists (
        select from app_public.appointment_archive as target
        where target.hospital_id = child.hospital_id and target.id = child.appointment_id)$query$;
  homeless constant text := $query$
    select found.hospital_id, %1$L::text as entity_type, null::uuid as entity_id, %2$L::text as reference, 'hospital'::text as target,
      found.hospital_id::text as row_key, jsonb_build_object('hospital_id', found.hospital_id) as row_columns
    from (
      with recursive tenant as (
        (select child.hospital_id from %3$s as child order by child.hospital_id limit 1)
        union all
        select (select child.hospital_id from %3$s as child
                where child.hospital_id > tenant.hospital_id order by child.hospital_id limit 1)
        from tenant where tenant.hospital_id is not null
      )
      select tenant.hospital_id from tenant where tenant.hospital_id <> app_private.machinery()
    ) as found
    where not exists (select from app_public.hospital as target where target.id = found.hospital_id)$query$;
begin
  for child in
    select
      format($query$
    select child.hospital_id, %1$L::text as entity_type, %2$s as entity_id, orphan.reference, orphan.target,
      %3$s as row_key, orphan.row_columns
    from %4$s as child%5$s
    cross join lateral (values%6$s) as orphan (reference, target, row_columns, is_lost)
    where %8$s(%7$s) and orphan.is_lost$query$,
        relation.relname,
        case when identity.has_uuid then 'child.id' else 'null::uuid' end,
        case when identity.has_uuid then 'child.id::text' else format('md5(concat_ws('':'', %s))', identity.key) end,
        relation.oid::regclass,
        string_agg(format(E'\n    left join %s as target_%s on %s', fact.target::regclass, fact.number, columns.matched),
          '' order by fact.number) filter (where fact.witness is null),
        string_agg(format(E'\n      (%L::text, %L::text, jsonb_build_object(%s), %s)', fact.name, target.relname,
          columns.named, columns.suspect || case when fact.witness is not null
            then format(' and not exists (select from %s as target_%s where %s)', fact.target::regclass, fact.number, columns.matched)
            else '' end), ',' order by fact.number),
        string_agg(columns.suspect, ' or ' order by fact.number),
        case when fact.sparse is not null then format('child.%I is not null and ', fact.sparse) end) as branch
    from app_private.known_references(without_table, without_constraint) as fact
    join pg_catalog.pg_class as relation on relation.oid = fact.child
    join pg_catalog.pg_namespace as space on space.oid = relation.relnamespace
    join pg_catalog.pg_class as target on target.oid = fact.target
    cross join lateral (
      select
        string_agg(format('%L, child.%I', source.attname, source.attname), ', ' order by pair.position) as named,
        string_agg(format('target_%s.%I = child.%I', fact.number, counterpart.attname, source.attname),
          ' and ' order by pair.position) as matched,
        string_agg(case when source.attnotnull then '' else format('child.%I is not null and ', source.attname) end,
          '' order by pair.position)
          || format('target_%s.%I is null', coalesce(fact.witness, fact.number),
            coalesce(fact.witness_key, min(counterpart.attname::text) filter (where pair.position = 1))) as suspect
      from unnest(fact.from_columns, fact.to_columns) with ordinality as pair (from_column, to_column, position)
      join pg_catalog.pg_attribute as source on source.attrelid = fact.child and source.attnum = pair.from_column
      join pg_catalog.pg_attribute as counterpart on counterpart.attrelid = fact.target and counterpart.attnum = pair.to_column
    ) as columns
    cross join lateral (
      select coalesce(bool_or(attribute.attname = 'id' and attribute.atttypid = 'uuid'::regtype), false) as has_uuid,
        string_agg(format('child.%I', attribute.attname), ', ' order by attribute.attnum)
          filter (where attribute.attnum = any (identifier.conkey)) as key
      from pg_catalog.pg_attribute as attribute
      left join pg_catalog.pg_constraint as identifier
        on identifier.conrelid = attribute.attrelid and identifier.contype = 'p'
      where attribute.attrelid = fact.child and attribute.attnum > 0 and not attribute.attisdropped
    ) as identity
    group by relation.oid, relation.relname, space.nspname, identity.has_uuid, identity.key, fact.sparse
    order by space.nspname collate "C", relation.relname collate "C", fact.sparse collate "C" nulls first
  loop
    branches := branches || child.branch;
  end loop;
  branches := branches
    || format(archived, 'consultation', 'consultation_of_an_appointment')
    || format(archived, 'no_show_log', 'no_show_of_an_appointment')
    || format(archived, 'vitals_entry', 'vitals_of_an_appointment')
    || format(homeless, 'audit_entry', 'audit_of_a_hospital', 'app_public.audit_entry')
    || format(homeless, 'job_run', 'run_of_a_hospital', 'app_public.job_run')
    || format(homeless, 'job_hour', 'job_hour_of_a_hospital', 'app_private.job_hour')
    || format(homeless, 'job_state', 'job_state_of_a_hospital', 'app_private.job_state')
    || format(homeless, 'outbox', 'outbox_of_a_hospital', 'app_private.outbox');
  execute format($view$
create or replace view checks.orphaned_row as
select orphan.hospital_id, entry.name as check_name, entry.severity, orphan.entity_type, orphan.entity_id,
  format('A row of %%s refers to a row of %%s that does not exist.', orphan.entity_type, orphan.target) as detail,
  jsonb_build_object('reference', orphan.reference, 'target', orphan.target, 'columns', orphan.row_columns) as metadata,
  concat_ws(':', entry.name, orphan.reference, orphan.row_key) as cache_key
from (%s
) as orphan
join app_public.health_check as entry on entry.name = 'orphaned_row'$view$,
    array_to_string(branches, E'\n    union all'));
end
$$;

comment on function app_private.rebuild_orphaned_row(text, text) is
  'Makes the check of references anew, with a branch for every foreign key that there is, but for those of a table, or one of them, that are about to go.';

revoke execute on function app_private.rebuild_orphaned_row(text, text) from public;
