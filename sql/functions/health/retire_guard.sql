-- A migration that drops a guard, or that changes a role, says so with this: the manifest forgets nothing
-- by itself, so that what vanishes without a word is noticed. Null stands for all: before a table is
-- dropped comes retire_guard(null, 'app_public.thing'). It comes before, because the check of references
-- reads the table and lets go of it here. Definer, because the manifest is the owner's whoever migrates.
create or replace function app_private.retire_guard(kind text, object text, name text default null)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  retired integer;
begin
  if retire_guard.kind is null or retire_guard.kind = 'constraint' then
    perform app_private.rebuild_orphaned_row(retire_guard.object, retire_guard.name);
  end if;
  delete from app_private.guard
  where retire_guard.kind = 'function' and guard.object in (
      format('function %s.%s', retire_guard.object, retire_guard.name), format('procedure %s.%s', retire_guard.object, retire_guard.name))
    or (retire_guard.kind is null or guard.kind = retire_guard.kind)
      and (retire_guard.name is null or guard.name = retire_guard.name)
      and (guard.object in (retire_guard.object, 'sequence ' || retire_guard.object, 'schema ' || retire_guard.object)
        or guard.object in (
          select 'sequence ' || counted.objid::regclass::text
          from pg_catalog.pg_depend as counted
          join pg_catalog.pg_class as sequence on sequence.oid = counted.objid and sequence.relkind = 'S'
          where counted.refobjid = to_regclass(retire_guard.object) and counted.deptype in ('a', 'i')));
  get diagnostics retired = row_count;
  return retired;
end
$$;

comment on function app_private.retire_guard(text, text, text) is
  'Takes guards that a migration drops out of the manifest: a kind, what it is on, its name; null stands for all. Returns how many.';

revoke execute on function app_private.retire_guard(text, text, text) from public;
