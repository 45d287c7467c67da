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
