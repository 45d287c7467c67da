-- Writes what guards the data now into the manifest. Every migration ends with it. It must not bless what a
-- hand has done: it takes only guards whose row in the catalog this very transaction wrote, and of those
-- none that a run of checks has found changed. It forgets nothing: a migration that drops a guard says so
-- with retire_guard(). An empty manifest takes everything, and so does an operator who has looked.
-- Who wrote a role is not to be read; a new one without special rights is taken.
-- Definer, so that the manifest and the view of references are the owner's whoever migrates.
create or replace function app_private.declare_guards(everything boolean default false)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  takes_all constant boolean := everything or not exists (select from app_private.guard);
  declared integer;
begin
  perform app_private.rebuild_orphaned_row();
  insert into app_private.guard (kind, object, name, definition, source)
  select present.kind, present.object, present.name, present.definition,
    app_private.guard_source(present.kind, present.object_id, present.name)
  from app_private.guards_in_force() as present
  left join app_private.guard as known
    on known.kind = present.kind and known.object = present.object and known.name = present.name
  where present.kind <> 'setting' and known.definition is distinct from present.definition
    and (takes_all
      or (app_private.was_written_now(present.written_by) or present.kind = 'role' and known.kind is null and not present.is_access)
        and not exists (
          select from app_public.finding
          where finding.hospital_id = app_private.machinery() and finding.resolved_at is null
            and finding.cache_key in (
              concat_ws(':', 'missing_guard', present.kind, present.object, present.name),
              concat_ws(':', 'undeclared_access', present.kind, present.object, present.name))))
  on conflict (kind, object, name) do update
    set definition = excluded.definition, source = excluded.source, declared_at = excluded.declared_at;
  get diagnostics declared = row_count;
  return declared;
end
$$;

comment on function app_private.declare_guards(boolean) is
  'Writes the guards that this transaction made or changed into the manifest; everything => true takes all that there are, after a person has looked. Returns how many.';

revoke execute on function app_private.declare_guards(boolean) from public;
