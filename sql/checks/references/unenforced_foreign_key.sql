-- A foreign key can stand in the schema and hold nothing: never validated, not enforced (since Postgres
-- 18), or with the triggers that carry it disabled. No manifest is asked, so that one that a migration
-- left unvalidated is found too.
create or replace view checks.unenforced_foreign_key as
select app_private.machinery() as hospital_id, entry.name as check_name, entry.severity, entry.entity_type, null::uuid as entity_id,
  format('The foreign key %s of %s is %s.', reference.name, reference.child, array_to_string(reference.faults, ', ')) as detail,
  jsonb_build_object('constraint', reference.name, 'table', reference.child, 'target', reference.target,
    'problems', reference.faults) as metadata,
  concat_ws(':', entry.name, reference.child, reference.name) as cache_key
from (
  select fact.conname::text collate "default" as name, fact.conrelid::pg_catalog.regclass::text as child,
    fact.confrelid::pg_catalog.regclass::text as target,
    array_remove(array[
      case when to_jsonb(fact) ->> 'conenforced' = 'false' then 'not enforced' end,
      case when not fact.convalidated then 'not valid' end,
      case when exists (
        select from pg_catalog.pg_trigger as internal
        where internal.tgconstraint = fact.oid and internal.tgisinternal and internal.tgenabled <> 'O')
      then 'disabled: its triggers sleep' end], null) as faults
  from pg_catalog.pg_constraint as fact
  join pg_catalog.pg_namespace as space on space.oid = fact.connamespace
  where fact.contype = 'f' and space.nspname in ('app_public', 'app_private', 'checks')
) as reference
join app_public.health_check as entry on entry.name = 'unenforced_foreign_key'
where reference.faults <> '{}';

comment on view checks.unenforced_foreign_key is 'Foreign keys that stand in the schema and hold nothing.';
revoke all on checks.unenforced_foreign_key from public;
grant select on checks.unenforced_foreign_key to app_monitor;

select app_private.declare_check(
  name => 'unenforced_foreign_key', domain => 'references', severity => 'critical', entity_type => 'system',
  title => 'Foreign key that holds nothing',
  meaning => 'A foreign key was never validated, is not enforced, or its triggers are disabled.',
  importance => 'Rows may already refer to others that do not exist, and the next ones may too.',
  resolution => 'Look at orphaned_row first, then run what missing_guard names for it: enable its triggers, alter the constraint enforced, or validate it.',
  remedy => 'operator');
