-- Whatever opens a door and is in no migration: one permissive policy more opens the wall, and one trigger
-- more can swallow what others write. Whom operators let look on as app_monitor is theirs to say: it reads what
-- is broken and changes nothing. The catalog of checks is not asked for the name: it stands behind guards
-- itself.
create or replace view checks.undeclared_access as
select app_private.machinery() as hospital_id, 'undeclared_access' as check_name, 'critical'::app_public.check_severity as severity,
  'system' as entity_type, null::uuid as entity_id,
  format('No migration declared the %s %s%s: %s.', replace(found.kind, '_', ' '), found.name,
    ' on ' || nullif(found.object, ''), left(found.definition, 300)) as detail,
  jsonb_build_object('kind', found.kind, 'object', found.object, 'name', found.name, 'found', found.definition,
    'remove', app_private.guard_restoration(found.kind, found.object, found.name, null, null, found.definition)) as metadata,
  concat_ws(':', 'undeclared_access', found.kind, found.object, found.name) as cache_key
from app_private.guards_in_force() as found
where found.is_access and found.kind <> 'setting'
  and not (found.kind = 'membership' and found.name like 'app\_monitor to %'
    and found.definition !~ 'pass it on')
  and not exists (
    select from app_private.guard as declared
    where declared.kind = found.kind and declared.object = found.object and declared.name = found.name);

comment on view checks.undeclared_access is
  'Policies, grants, memberships, definer functions, superusers, triggers and rules that no migration declared. metadata.remove holds the statement that takes one away.';
revoke all on checks.undeclared_access from public;
grant select on checks.undeclared_access to app_monitor;

select app_private.declare_check(
  name => 'undeclared_access', domain => 'references', severity => 'critical', entity_type => 'system',
  title => 'Access that no migration declared',
  meaning => 'There is a policy, a grant, a membership of a role, a function that runs with the rights of its owner, a superuser, a trigger or a rule that no migration made.',
  importance => 'Somebody may read or change what the rules of access keep from them, or something changes what others write; the walls between hospitals may have a hole.',
  resolution => 'Find out who made it. Take it away with what metadata.remove holds; what should stay belongs into a migration.',
  remedy => 'operator');
