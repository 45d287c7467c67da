--! Previous: sha1:7f83ddf4b2d54258218612196b6914bb90dc1610
--! Hash: sha1:41cc2bad65faa5d0c4b2ab46662b16d8a4163c22
--! Message: quicker-checks

--! split: 1-current.sql
-- A full run of the checks reads less: references that others prove are not looked up again, and plans expect
-- the pages in memory, where the checks before have left them.
set local role app_owner;

--! Included functions/health/known_references.sql
-- The foreign keys of the schema, for the check that asks each of them whether it leads somewhere; without
-- those of a table, or one of them, that are about to go. Two things save that check most of its work:
-- a column that is mostly null has an index of the rest (sparse), and a reference may be proven by another
-- one of the same row (witness): an appointment whose slot is there, with this doctor, needs no look at the
-- doctor, because the slot refers to the same one and is looked at itself. A witness is asked itself, and its
-- table does not lead back, so that no two prove each other; best is one that is never null.
create or replace function app_private.known_references(
  without_table text default null, without_constraint text default null)
returns table (
  child oid, target oid, name text, from_columns smallint[], to_columns smallint[], number bigint, sparse text,
  witness bigint, witness_key text)
language sql stable
set search_path = ''
as $$
  with recursive held as materialized (
    select reference.conrelid as child, reference.confrelid as target, reference.conname::text as name,
      reference.conkey as from_columns, reference.confkey as to_columns,
      row_number() over (partition by reference.conrelid order by reference.conname collate "C") as number,
      (select min(attribute.attname::text)
       from pg_catalog.pg_index as rest
       join pg_catalog.pg_attribute as attribute
         on attribute.attrelid = reference.conrelid and attribute.attnum = any (reference.conkey)
       where rest.indrelid = reference.conrelid
         and pg_get_expr(rest.indpred, reference.conrelid) = format('(%I IS NOT NULL)', attribute.attname)) as sparse
    from pg_catalog.pg_constraint as reference
    join pg_catalog.pg_class as relation on relation.oid = reference.conrelid
    where reference.contype = 'f'
      and relation.relnamespace in (
        select space.oid from pg_catalog.pg_namespace as space where space.nspname in ('app_public', 'app_private'))
      and (without_table is null
        or case when without_constraint is null
             then to_regclass(without_table) not in (reference.conrelid, reference.confrelid)
             else reference.conrelid <> to_regclass(without_table) or reference.conname <> without_constraint end) is not false
  ), chain (child, target) as (
    select held.child, held.target from held
    union
    select chain.child, held.target from chain join held on held.child = chain.target
  ), proven as materialized (
    select held.child, held.number, proof.number as witness
    from held
    join held as proof on proof.child = held.child and proof.number <> held.number
    join held as onward on onward.child = proof.target and onward.target = held.target
    where held.sparse is null
      and proof.sparse is null
      and cardinality(onward.from_columns) = cardinality(held.from_columns)
      and not exists (
        select from chain where chain.child = proof.target and chain.target = held.child)
      and not exists (
        select from unnest(held.from_columns, held.to_columns) as pair (from_column, to_column)
        where not exists (
          select from unnest(proof.from_columns, proof.to_columns) as first (from_column, to_column)
          join unnest(onward.from_columns, onward.to_columns) as second (from_column, to_column)
            on second.from_column = first.to_column
          where first.from_column = pair.from_column and second.to_column = pair.to_column))
  )
  select held.*, witness.number, witness.key
  from held
  left join lateral (
    select proof.number, attribute.attname::text as key
    from proven
    join held as proof on proof.child = proven.child and proof.number = proven.witness
    join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = proof.target and attribute.attnum = proof.to_columns[1]
    where proven.child = held.child
      and proven.number = held.number
      and not exists (
        select from proven as itself where itself.child = proof.child and itself.number = proof.number)
    order by exists (
        select from pg_catalog.pg_attribute as column_of
        where column_of.attrelid = proof.child and column_of.attnum = any (proof.from_columns) and not column_of.attnotnull),
      cardinality(proof.from_columns) desc, proof.number
    limit 1
  ) as witness on true
$$;

comment on function app_private.known_references(text, text) is
  'The foreign keys of the schema, each with the column that is mostly null and the other reference that proves it, where there are such; but for those of a table, or one of them, that are about to go.';

revoke execute on function app_private.known_references(text, text) from public;
--! EndIncluded functions/health/known_references.sql
--! Included functions/health/rebuild_orphaned_row.sql
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
--! EndIncluded functions/health/rebuild_orphaned_row.sql
--! Included functions/health/run_check.sql
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
--! EndIncluded functions/health/run_check.sql
--! Included checks/references/orphaned_row.sql
-- Made from the catalog, so that every foreign key is in it; the function says which others are.
select app_private.rebuild_orphaned_row();

comment on view checks.orphaned_row is 'Rows that refer to a row that does not exist.';
revoke all on checks.orphaned_row from public;
grant select on checks.orphaned_row to app_monitor;

select app_private.declare_check(
  name => 'orphaned_row', domain => 'references', severity => 'critical', entity_type => 'row',
  title => 'Row whose reference leads nowhere',
  meaning => 'A row refers to another row that does not exist. Who is nearest to it is told, not all that hangs on it: of a doctor who is gone the schedules, and not every slot and visit.',
  importance => 'Nothing can be said of a visit whose patient, doctor or slot is gone, and whoever reads it fails or leaves it out. Foreign keys forbid it: one was off, or a restore was partial.',
  resolution => 'Look at missing_guard and unenforced_foreign_key first. Bring the missing row back from a backup; where it was rightly removed, remove what refers to it.',
  remedy => 'review');
--! EndIncluded checks/references/orphaned_row.sql
--! Included checks/all_findings.sql
-- Everything that is wrong now, of all checks.
select app_private.unite_checks();

comment on view checks.all_findings is 'Everything that is wrong now: the findings of all checks. Empty while all is well.';
revoke all on checks.all_findings from public;
grant select on checks.all_findings to app_monitor;

comment on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) is
  'What the event-driven checks say of these appointments, slots, doctors and patients of a hospital.';
revoke execute on function app_private.look_at_entities(uuid, uuid[], uuid[], uuid[], uuid[]) from public;
--! EndIncluded checks/all_findings.sql
--! Included checks/summary.sql
-- The first thing to type: what is wrong now, worst first, then the checks that are silent.
create or replace view checks.summary as
select entry.severity, entry.name as check_name, entry.domain, hospital.slug as hospital,
  count(found.cache_key)::integer as findings, min(found.detail) as example, entry.title
from app_public.health_check as entry
left join checks.all_findings as found on found.check_name = entry.name
left join app_public.hospital on hospital.id = found.hospital_id
group by entry.name, hospital.slug
order by count(found.cache_key) = 0, entry.severity desc, count(found.cache_key) desc, entry.name, hospital.slug;

comment on view checks.summary is
  'How many findings each check has now, by hospital, worst first; checks of the whole system have no hospital.';
revoke all on checks.summary from public;
grant select on checks.summary to app_monitor;
--! EndIncluded checks/summary.sql

select app_private.declare_guards();

reset role;
